"""What the pages of this room need, handed in once by the application."""

from collections.abc import Sequence
from dataclasses import dataclass

from remit.approvals.access_desk import AccessDesk
from remit.approvals.desk import Desk
from remit.clock import Clock
from remit.db import Database
from remit.guard.ports import Directory
from remit.identity import FormSources, ReadSession
from remit.web import Site

__all__ = ["PageDeps"]


async def _none_but_ours(_: str) -> Sequence[str]:
    """No other source: right where every answer ends on a page of ours."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDeps:
    """`form_sources`: where an answer may lead besides here, as for the log-in form."""

    desk: Desk
    access: AccessDesk
    database: Database
    directory: Directory
    clock: Clock
    site: Site
    read_session: ReadSession
    form_sources: FormSources = _none_but_ours
