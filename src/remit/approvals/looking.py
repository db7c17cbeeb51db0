"""Looking at a request: who may, in what is theirs to answer, and that they were shown it.

Whoever may not know of a request is told what they are told of one that does not exist, in the same words.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import structlog

from remit.approvals.answer_store import note_opening, opening_of
from remit.approvals.deps import ApprovalDeps
from remit.approvals.ending import circumstances
from remit.approvals.errors import NotYoursError
from remit.approvals.person import Person
from remit.approvals.request import Request, RequestState
from remit.approvals.request_store import (
    RequestFilter,
    StoredRequest,
    find_request,
    lock_request,
    mark_opened,
    select_requests,
)
from remit.approvals.sealing import opened_request
from remit.approvals.standpoint import requester_names, standpoint_of, view_of
from remit.approvals.who_may import View, free_capacities, may_see
from remit.audit.approval_events import ApprovalOpened
from remit.audit.context import Context
from remit.db import Transaction
from remit.ids import TenantId, UserId
from remit.secrets import SealBrokenError

__all__ = ["inbox_of", "look", "open_request", "own_requests"]

_MOST: Final = 500

_log = structlog.get_logger("remit.approvals")


def look(
    tx: Transaction, deps: ApprovalDeps, request_id: str, person: Person, *, alone: bool = False
) -> View:
    """The request as `person` looks at it. `alone`: whoever else answers it waits until `tx` ends.

    Raises:
        NotYoursError: there is none, or none that they may know of.
    """
    catalog, now = deps.directory.catalog, deps.clock.now()
    stored = lock_request(tx, request_id) if alone else find_request(tx, request_id)
    if stored is None:
        raise NotYoursError
    standpoint = standpoint_of(tx, person, catalog, now=now)
    view = view_of(tx, stored.request, standpoint, catalog, now=now)
    if not may_see(view):
        raise NotYoursError
    return replace(view, request=opened_request(deps.box, stored))


def inbox_of(tx: Transaction, deps: ApprovalDeps, person: Person) -> tuple[Request, ...]:
    """What waits for an answer that they may give and have not given, oldest first; no more than `_MOST`.

    However much waits for others before it: it would be no use to who may answer if they were not shown it.
    """
    catalog, now = deps.directory.catalog, deps.clock.now()
    standpoint = standpoint_of(tx, person, catalog, now=now)
    found: list[Request] = []
    names: dict[UserId | None, tuple[str, ...]] = {}
    for stored in _waiting(tx, standpoint.person.tenant):
        asker = stored.request.user_id
        if asker not in names:
            names[asker] = requester_names(tx, stored.request)
        view = View(
            request=stored.request,
            standpoint=standpoint,
            catalog=catalog,
            requester=names[asker],
            now=now,
        )
        if now < stored.request.expires_at and free_capacities(view):
            found += _legible(deps, stored)
        if len(found) >= _MOST:
            break
    return tuple(found)


def _waiting(tx: Transaction, tenant: TenantId) -> Iterator[StoredRequest]:
    """All that waits of a tenant's, oldest first, a page at a time."""
    wanted = RequestFilter(
        tenant=tenant, state=RequestState.WAITING, oldest_first=True, limit=_MOST
    )
    while page := select_requests(tx, wanted):
        yield from page
        if len(page) < _MOST:
            return
        last = page[-1].request
        wanted = replace(wanted, after=(last.created_at, last.id))


def own_requests(
    tx: Transaction, deps: ApprovalDeps, person: Person, *, limit: int
) -> tuple[Request, ...]:
    """What waits of what they or their agents asked, whoever is to answer it, newest first."""
    present = standpoint_of(tx, person, deps.directory.catalog, now=deps.clock.now()).person
    wanted = RequestFilter(
        tenant=present.tenant, user_id=present.user_id, state=RequestState.WAITING, limit=limit
    )
    return tuple(one for stored in select_requests(tx, wanted) for one in _legible(deps, stored))


def _legible(deps: ApprovalDeps, stored: StoredRequest) -> tuple[Request, ...]:
    """The request as it may be shown; nothing where it does not open, so that what else waits is shown all the same."""
    try:
        return (opened_request(deps.box, stored),)
    except SealBrokenError:
        _log.warning("approval cannot be opened", approval=stored.request.id)
        return ()


def open_request(
    tx: Transaction,
    deps: ApprovalDeps,
    request_id: str,
    person: Person,
    *,
    shown: str,
    context: Context,
) -> Request:
    """Note that they were shown it, in the words of that digest; recorded when the words are new to them.

    Raises:
        NotYoursError: there is none, or none that they may know of.
    """
    view = look(tx, deps, request_id, person, alone=True)
    request = view.request
    if not request.is_open or not free_capacities(view):
        return request
    before = opening_of(tx, request_id, person.user_id)
    note_opening(tx, request_id, person.user_id, shown=shown, at=view.now)
    if before is None or before[0] != shown:
        mark_opened(tx, request_id, at=view.now)
        tx.record(
            ApprovalOpened(
                context=circumstances(request, context), approval=request_id, shown=shown
            )
        )
    return request
