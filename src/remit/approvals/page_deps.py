"""What the pages of this room need, handed in once by the application."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from remit.approvals.desk import Desk
from remit.clock import Clock
from remit.db import Database
from remit.guard.ports import Directory
from remit.identity import FormSources, ReadSession
from remit.ids import TenantId
from remit.web import Site

__all__ = ["PageDeps", "Urgent"]

Urgent = Callable[[TenantId], Awaitable[Sequence[str]]]
"""What everybody of a tenant has to see on every page, such as emergency access that nobody has reviewed yet."""


async def _nothing_urgent(_: TenantId) -> Sequence[str]:
    return ()


async def _none_but_ours(_: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDeps:
    """`form_sources`: where an answer may lead besides here, as for the log-in form."""

    desk: Desk
    database: Database
    directory: Directory
    clock: Clock
    site: Site
    read_session: ReadSession
    form_sources: FormSources = _none_but_ours
    urgent: Urgent = _nothing_urgent
