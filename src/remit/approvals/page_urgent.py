"""What everybody of a tenant sees on every page of this room: emergency access that is in use, or that nobody reviewed.

Source: MISSION C5; docs/adr/0025-cures.md.
"""

from typing import Final

from remit.approvals.access import Access
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_time import moment
from remit.approvals.page_words import plain
from remit.clock import EpochSeconds
from remit.identity import User, find_user
from remit.ids import TenantId

__all__ = ["urgent_for"]

_MOST: Final = 5


async def urgent_for(deps: PageDeps, tenant: TenantId) -> tuple[str, ...]:
    """A sentence for each, the latest first."""
    found = (await deps.access.unreviewed(tenant))[:_MOST]
    if not found:
        return ()
    now = deps.clock.now()
    names = await deps.database.read(lambda tx: [_name(find_user(tx, one.holder)) for one in found])
    return tuple(_words(one, name, now) for one, name in zip(found, names, strict=True))


def _name(user: User | None) -> str:
    return "somebody who is gone" if user is None else user.display_name


def _words(access: Access, name: str, now: EpochSeconds) -> str:
    what = f"Emergency access “{plain(access.offer)}”"
    if access.is_active(now):
        return f"{what} is in use by {name} until {moment(access.expires_at).text}."
    if access.review_by is not None and access.is_overdue(now):
        return f"{what}, used by {name}, was to be reviewed by {moment(access.review_by).text}. The review is overdue."
    review_by = "" if access.review_by is None else f" by {moment(access.review_by).text}"
    return f"{what}, used by {name}, has to be reviewed{review_by}."
