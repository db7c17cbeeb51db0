"""Putting a wish for access to people: in the same inbox, under the same rules as a call.

The approver's role is the offer's; how many it takes, how strongly they have logged in, and how long it waits are said
by the first rule for that role that fits. Who asks is the person of the request, so that they never approve it.

Source: docs/adr/0025-cures.md, "For a time instead of for a call".
"""

from typing import Final

from remit.approvals.access import Access, Holder, HolderKind
from remit.approvals.asking import note_requested
from remit.approvals.deps import ApprovalDeps
from remit.approvals.ending import circumstances
from remit.approvals.plan import Plan, Subject, approval_of
from remit.approvals.request import ACCESS, About, Request, RequestState
from remit.approvals.request_store import add_request, end_request, find_request
from remit.approvals.sealing import seal_content
from remit.approvals.very_call import digest_of_access
from remit.audit.approval_events import ApprovalExpired
from remit.audit.context import Context
from remit.canonical import JsonObject, canonical_text
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import UnavailableError
from remit.ids import AgentId, ClientId, GrantId, ServerName, UserId, new_id
from remit.model import AccessOffer, Catalog

__all__ = ["REMIT", "AccessAsking"]

REMIT: Final = ServerName("remit")
"""Whose offers they are, where a server is named."""


class AccessAsking:
    """`access_desk.AskForAccess`, over the inbox."""

    __slots__ = ("_deps",)

    def __init__(self, deps: ApprovalDeps) -> None:
        self._deps = deps

    def __call__(
        self,
        tx: Transaction,
        access: Access,
        offer: AccessOffer,
        holder: Holder,
        *,
        context: Context,
    ) -> tuple[str, EpochSeconds]:
        """The id of the request, and when it lapses.

        Raises:
            UnavailableError: the offer's approvers are nobody.
        """
        deps = self._deps
        catalog = deps.directory.catalog
        plan = _plan(offer, catalog)
        if plan is None:
            raise UnavailableError("nobody can be asked to approve it")
        request = _request(deps, access, holder, plan, policy_version=catalog.version)
        sealed = seal_content(
            deps.box,
            request.id,
            arguments=_told(access),
            justification=canonical_text(dict(access.justification)),
        )
        if not add_request(tx, request, sealed=sealed):
            raise UnavailableError("it waits already")
        note_requested(
            tx, deps, request, justification=None, context=circumstances(request, context)
        )
        return request.id, request.expires_at

    def withdraw(self, tx: Transaction, approval: str, *, context: Context) -> None:
        """Take it out of their inbox: nobody wants it any more."""
        stored = find_request(tx, approval)
        if stored is None or stored.request.about is not About.ACCESS:
            return
        at, reason = self._deps.clock.now(), "withdrawn"
        if end_request(tx, approval, RequestState.WITHDRAWN, at=at, reason=reason):
            known = circumstances(stored.request, context)
            tx.record(ApprovalExpired(context=known, approval=approval, reason=reason))


def _plan(offer: AccessOffer, catalog: Catalog) -> Plan | None:
    if offer.approver is None:
        return None
    subject = Subject(
        server=REMIT,
        action=f"{ACCESS}/{offer.name}",
        environment=offer.environments[0] if len(offer.environments) == 1 else None,
        arguments={},
        grantable=frozenset(),
        has_person=True,
    )
    return approval_of(offer.approver, subject, catalog)


def _request(
    deps: ApprovalDeps, access: Access, holder: Holder, plan: Plan, *, policy_version: str
) -> Request:
    now = deps.clock.now()
    is_person = holder.kind is HolderKind.USER
    agent = holder.agent_id if is_person else AgentId(holder.id)
    return Request(
        id=new_id("apr"),
        state=RequestState.WAITING,
        about=About.ACCESS,
        tenant=holder.tenant,
        user_id=UserId(holder.id) if is_person else None,
        agent_id=agent or AgentId(""),
        client_id=holder.client_id or ClientId(""),
        grant_id=GrantId(access.id),
        server=REMIT,
        kind=None,
        thing=access.offer,
        definition=None,
        environment=None,
        parts=plan.parts,
        arguments=None,
        justification=None,
        decision_id="",
        policy_version=policy_version,
        asked=1,
        created_at=now,
        opened_at=None,
        ended_at=None,
        expires_at=EpochSeconds(now + plan.waits),
        holds=access.seconds,
        digest=digest_of_access(deps.key, access.id),
    )


def _told(access: Access) -> JsonObject:
    """What whoever approves is shown of the wish."""
    return {
        "role": access.role,
        "scopes": list(access.scopes),
        "seconds": access.seconds,
        "until": access.until,
        "ticket": access.ticket,
    }
