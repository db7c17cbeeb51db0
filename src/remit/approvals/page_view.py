"""What a request looks like to people: its view, the template of its words, and their digest."""

import hashlib
from dataclasses import dataclass

from remit.approvals.access_store import find_access
from remit.approvals.errors import NotYoursError
from remit.approvals.page_call import CallView, call_view
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_parties import parties_of
from remit.approvals.page_wish import WishView, wish_view
from remit.approvals.request import About, Request
from remit.db import Transaction

__all__ = ["Shown", "shown_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`digest` is the SHA-256, in hexadecimal, of the words that `template` makes of `view`."""

    view: CallView | WishView
    template: str
    digest: str


async def shown_of(deps: PageDeps, request: Request) -> Shown:
    """What to show of `request`, at this moment.

    Raises:
        NotYoursError: the access that it is about is gone.
    """
    catalog = deps.directory.catalog

    def find(tx: Transaction) -> Shown:
        parties = parties_of(tx, request, catalog)
        if request.about is About.CALL:
            view = call_view(request, parties, catalog=catalog)
            return _shown(view, "approvals/call_text.html")
        access = find_access(tx, str(request.grant_id))
        if access is None:
            raise NotYoursError
        wish = wish_view(request, access, parties, catalog=catalog)
        return _shown(wish, "approvals/wish_text.html")

    return await deps.database.read(find)


def _shown(view: CallView | WishView, template: str) -> Shown:
    digest = hashlib.sha256(view.text.encode()).hexdigest()
    return Shown(view=view, template=template, digest=digest)
