"""What this room needs from the rest of Remit, handed in once by the application."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from remit.clock import Clock
from remit.db import Database
from remit.guard.ports import Directory
from remit.identity.password import Passwords
from remit.web import Site

__all__ = ["FormSources", "IdentityDeps"]

FormSources = Callable[[str], Awaitable[Sequence[str]]]
"""CSP sources that the log-in form may lead to for a given `return_to`, besides our own origin."""


async def _none_but_ours(_: str) -> Sequence[str]:
    """No other source: right where every log-in ends on a page of ours."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityDeps:
    """Everything the log-in pages may reach.

    `form_sources`: a browser applies the form's CSP to all redirects after it. Where
    `return_to` may answer with a redirect to a client (`/authorize` with a remembered
    consent), this must name the client's origin (`web.redirect_source`).
    `return_paths`: the only paths a log-in may lead back to.
    """

    database: Database
    directory: Directory
    clock: Clock
    site: Site
    passwords: Passwords
    form_sources: FormSources = _none_but_ours
    return_paths: tuple[str, ...] = ("/authorize",)
