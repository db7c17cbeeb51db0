"""The calls that wait for their own person, as the authorization server asks about them.

A client that was refused until its person steps up comes back with an ordinary authorization request. What waits of
its calls is theirs to confirm on the way, and counts for the grant that comes of it.

Source: RFC 9470 §4; docs/adr/0025-cures.md, "One page, five ways to it".
"""

from remit.approvals.asking import page_of
from remit.approvals.deps import ApprovalDeps
from remit.approvals.elevation_store import ElevationFilter, move_elevation, select_live
from remit.approvals.ending import circumstances, expire
from remit.approvals.request import PartKind, Request, Verdict
from remit.approvals.request_store import (
    find_request,
    move_request,
    request_about,
    waiting_of_client,
)
from remit.audit.approval_events import ApprovalMoved
from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import ClientId, GrantId, ScopeName, ServerName, UserId
from remit.model import Catalog
from remit.oauth import Grant, WaitingRequest, find_grant
from remit.tokens.audience import resource_of

__all__ = ["DatabaseStepUps"]


class DatabaseStepUps:
    """`oauth.step_up.StepUps`, over the tables of this room."""

    __slots__ = ("_deps",)

    def __init__(self, deps: ApprovalDeps) -> None:
        self._deps = deps

    async def waiting_for(
        self, client_id: ClientId, user_id: UserId, resource: str
    ) -> WaitingRequest | None:
        """The oldest request that this person themselves can answer and has not; `None` for none.

        Raises:
            DatabaseUnavailableError: it cannot be told.
        """
        deps = self._deps
        server, now = self._server(deps.directory.catalog, resource), deps.clock.now()
        if server is None:
            return None

        def oldest(tx: Transaction) -> Request | None:
            found = waiting_of_client(tx, client_id=client_id, user_id=user_id, server=server)
            requests = (one.request for one in found)
            theirs = (one for one in requests if now < one.expires_at and _is_for_them(one))
            return next((one for one in theirs if not _was_revoked(tx, one)), None)

        request = await deps.database.glance(oldest)
        return None if request is None else self._waiting(request, now)

    def rebind(self, tx: Transaction, grant: Grant) -> None:
        """Let what waits, and what was allowed and not yet spent, count for `grant` from now on.

        What was asked with a grant that was revoked ends instead.
        """
        deps = self._deps
        server = self._server(deps.directory.catalog, grant.resource)
        if grant.user_id is None or server is None:
            return
        for stored in waiting_of_client(
            tx, client_id=grant.client_id, user_id=grant.user_id, server=server
        ):
            request = stored.request
            if not _is_of(request, grant) or request.grant_id == grant.id:
                continue
            if _was_revoked(tx, request):
                # Whoever took the old grant away took with it what was asked, and half allowed, in its name.
                expire(tx, deps, request, reason="the grant that the call was made with has ended")
            elif request_about(tx, request.digest, grant.id) is None:
                move_request(tx, request.id, grant.id)
                tx.record(_moved(request, grant, former=request.grant_id))
            else:
                expire(tx, deps, request, reason="the same call waits already")
        now = deps.clock.now()
        for elevation in select_live(tx, ElevationFilter(user_id=grant.user_id), now=now):
            of = find_request(tx, elevation.approval)
            if of is None or of.request.server != server or not _is_of(of.request, grant):
                continue
            if elevation.grant_id != grant.id and move_elevation(tx, elevation.id, grant.id):
                tx.record(
                    _moved(of.request, grant, former=elevation.grant_id, elevation=elevation.id)
                )

    def _server(self, catalog: Catalog, resource: str) -> ServerName | None:
        url = self._deps.public_url
        for server in catalog.servers.values():
            if resource_of(url, server) == resource:
                return server.name
        return None

    def _waiting(self, request: Request, now: EpochSeconds) -> WaitingRequest:
        own = [part for part in request.parts if part.kind is PartKind.CONFIRMATION]
        fresh = [part.fresh for part in own if part.fresh is not None]
        return WaitingRequest(
            id=request.id,
            url=page_of(self._deps.public_url, request.id),
            acr=next((part.acr for part in own if part.acr is not None), None),
            max_age=min(fresh, default=None),
            scopes=tuple(
                dict.fromkeys(ScopeName(part.scope) for part in own if part.scope is not None)
            ),
        )


def _was_revoked(tx: Transaction, request: Request) -> bool:
    grant = find_grant(tx, request.grant_id)
    return grant is None or grant.revoked_at is not None


def _is_for_them(request: Request) -> bool:
    """Whether the person of the call is asked something that they have not said."""
    asked = any(part.kind is PartKind.CONFIRMATION for part in request.parts)
    return asked and not any(one.verdict is Verdict.CONFIRMED for one in request.answers)


def _is_of(request: Request, grant: Grant) -> bool:
    """Whether a call like it is what `grant` could make."""
    return (request.client_id, request.agent_id, request.tenant, request.environment) == (
        grant.client_id,
        grant.agent_id,
        grant.tenant,
        grant.environment,
    )


def _moved(
    request: Request, grant: Grant, *, former: GrantId, elevation: str | None = None
) -> ApprovalMoved:
    context = circumstances(request, Context()).with_(grant_id=grant.id)
    return ApprovalMoved(context=context, approval=request.id, elevation=elevation, former=former)
