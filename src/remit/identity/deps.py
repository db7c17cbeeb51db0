"""What this room needs from the rest of Remit, handed in once by the application."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from remit.clock import Clock
from remit.db import Database
from remit.guard.ports import Directory
from remit.identity.account_section import AccountSection
from remit.identity.password import Passwords
from remit.secrets import SecretBox
from remit.web import Site

__all__ = ["FormSources", "IdentityDeps", "RequiredAcr"]

FormSources = Callable[[str], Awaitable[Sequence[str]]]
"""CSP sources that the log-in form may lead to for a given `return_to`, besides our own origin."""

RequiredAcr = Callable[[str], Awaitable[str | None]]
"""The weakest `acr` that a log-in must reach to be of use at a given `return_to`; `None`: any."""


async def _none_but_ours(_: str) -> Sequence[str]:
    """No other source: right where every log-in ends on a page of ours."""
    return ()


async def _any_will_do(_: str) -> str | None:
    """However people log in: right where nothing asks for more."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityDeps:
    """Everything the log-in pages may reach.

    `form_sources`: a browser applies the form's CSP to all redirects after it. Where
    `return_to` may answer with a redirect to a client (`/authorize` with a remembered
    consent), this must name the client's origin (`web.redirect_source`).
    `required_acr`: asked of the request that waits at `return_to`, never of the browser.
    `return_paths`: the only paths a log-in may lead back to.
    `box` seals one-time-password secrets, and the challenges that passkeys answer.
    `sections`: what other rooms show on the account page; `links`: pages of theirs, by title and path.
    """

    database: Database
    directory: Directory
    clock: Clock
    site: Site
    passwords: Passwords
    box: SecretBox
    form_sources: FormSources = _none_but_ours
    required_acr: RequiredAcr = _any_will_do
    return_paths: tuple[str, ...] = ("/authorize", "/account")
    sections: tuple[AccountSection, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
