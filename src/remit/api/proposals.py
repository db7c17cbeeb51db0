"""Proposals: what somebody would have in force, what was found about it, and the word of somebody else.

Who asks is who the door says. Whether they may approve what they look at is for the rules of the bundle in force.
"""

from typing import Any, Final

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape, Text, Why
from remit.api.problems import BadRequestError
from remit.deployment import (
    Approval,
    Bundle,
    How,
    Person,
    Proposal,
    ProposalState,
    Wish,
    approvals_of,
    approve,
    bundle_from,
    kept_bundle,
    person_named,
    proposal_named,
    proposals_so_far,
    propose,
    reject,
    withdraw,
)
from remit.deployment.bundle import MAX_BUNDLE
from remit.errors import ConflictError

__all__ = ["PROPOSAL_OPERATIONS", "ProposalShown", "shown_proposal"]


class ApprovalShown(Shape):
    """One person's word."""

    approved_by: str
    approved_at: int
    reason: str
    report_digest: str


class ProposalListed(Shape):
    """A proposal, without what was found. `is_current`: whether it was held against what is in force."""

    id: str
    bundle: str
    base: str
    how: str
    stage: str
    state: str
    waits_for: list[str]
    share: int
    reason: str
    proposed_at: int
    proposed_by: str
    decided_at: int | None
    decided_by: str | None
    decision: str
    is_current: bool


class ProposalShown(ProposalListed):
    """A proposal and what was found about it; an approval names `report_digest`."""

    report: dict[str, Any]
    report_digest: str
    approvals: list[ApprovalShown]


class ProposalPage(Shape):
    """Every proposal, the last first."""

    proposals: list[ProposalListed]


class ProposalQuery(Shape):
    """Which proposals; without a state, all."""

    state: ProposalState | None = None


class Proposed(Shape):
    """A bundle to come into force: itself, or the digest of one that is kept here."""

    bundle: dict[str, Any] | None = None
    digest: Text | None = None
    how: str = Field(default="apply", pattern="^(apply|promote)$")
    reason: Reason = ""
    trial: int | None = Field(default=None, ge=1, le=100)
    stage: Reason | None = None
    """What the stage here has to be; whatever it is, when left out."""


class Approved(Shape):
    """Yes, to what the report of that digest says."""

    report_digest: Text
    reason: Reason = ""


async def _create(deps: ApiDeps, asked: Asked[Nothing, Proposed]) -> ProposalShown:
    body = asked.body
    if body.stage is not None and body.stage != deps.deployment.stage:
        raise ConflictError(f"this remit is stage `{deps.deployment.stage or 'none'}`")
    wish = Wish(
        bundle=await _bundle(deps, body), how=How(body.how), reason=body.reason, share=body.trial
    )
    by = await _person(deps, asked)
    proposal = await propose(deps.deployment, wish, by=by, context=asked.context)
    return await shown_proposal(deps, proposal)


async def _bundle(deps: ApiDeps, body: Proposed) -> Bundle:
    if (body.bundle is None) == (body.digest is None):
        raise BadRequestError("either `bundle` or `digest` says which")
    if body.bundle is not None:
        return bundle_from(body.bundle)
    return await deps.database.read(
        lambda tx: kept_bundle(tx, deps.deployment.key, body.digest or "")
    )


async def _list(deps: ApiDeps, asked: Asked[ProposalQuery, Nothing]) -> ProposalPage:
    key = deps.deployment.key
    found = await deps.database.read(lambda tx: proposals_so_far(tx, key, state=asked.query.state))
    present = await deps.deployment.refresh()
    return ProposalPage(
        proposals=[ProposalListed(**_listed(one, present.sequence)) for one in found]
    )


async def _show(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> ProposalShown:
    name, key = asked.path["proposal"], deps.deployment.key
    proposal = await deps.database.read(lambda tx: proposal_named(tx, key, name))
    return await shown_proposal(deps, proposal)


async def _approve(deps: ApiDeps, asked: Asked[Nothing, Approved]) -> ProposalShown:
    proposal = await approve(
        deps.deployment,
        asked.path["proposal"],
        report_digest=asked.body.report_digest,
        reason=asked.body.reason,
        by=await _person(deps, asked),
        context=asked.context,
    )
    return await shown_proposal(deps, proposal)


async def _reject(deps: ApiDeps, asked: Asked[Nothing, Why]) -> ProposalShown:
    proposal = await reject(
        deps.deployment,
        asked.path["proposal"],
        reason=asked.body.reason,
        by=await _person(deps, asked),
        context=asked.context,
    )
    return await shown_proposal(deps, proposal)


async def _withdraw(deps: ApiDeps, asked: Asked[Nothing, Why]) -> ProposalShown:
    proposal = await withdraw(
        deps.deployment,
        asked.path["proposal"],
        reason=asked.body.reason,
        by=await _person(deps, asked),
        context=asked.context,
    )
    return await shown_proposal(deps, proposal)


async def _person(deps: ApiDeps, asked: Asked[Any, Any]) -> Person:
    return await deps.database.read(
        lambda tx: person_named(tx, asked.context.actor.id, deps.directory.catalog)
    )


async def shown_proposal(deps: ApiDeps, proposal: Proposal) -> ProposalShown:
    """`proposal` with all that was found and said about it."""
    present = await deps.deployment.refresh()
    approvals = await deps.database.read(lambda tx: approvals_of(tx, proposal.id))
    return ProposalShown(
        **_listed(proposal, present.sequence),
        report=proposal.report,
        report_digest=proposal.report_digest,
        approvals=[_approval(one) for one in approvals],
    )


def _listed(proposal: Proposal, sequence: int) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "bundle": proposal.bundle,
        "base": proposal.base,
        "how": proposal.how.value,
        "stage": proposal.stage,
        "state": proposal.state.value,
        "waits_for": list(proposal.waits_for),
        "share": proposal.share,
        "reason": proposal.reason,
        "proposed_at": proposal.proposed_at,
        "proposed_by": proposal.proposed_by,
        "decided_at": proposal.decided_at,
        "decided_by": proposal.decided_by,
        "decision": proposal.decision,
        "is_current": proposal.base_sequence == sequence,
    }


def _approval(one: Approval) -> ApprovalShown:
    return ApprovalShown(
        approved_by=one.approved_by,
        approved_at=one.approved_at,
        reason=one.reason,
        report_digest=one.report_digest,
    )


PROPOSAL_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="proposals.list", run=_list, query=ProposalQuery, body=Nothing, answer=ProposalPage),
    Operation(name="proposals.create", run=_create, query=Nothing, body=Proposed, answer=ProposalShown, max_body=2 * MAX_BUNDLE),
    Operation(name="proposals.show", run=_show, query=Nothing, body=Nothing, answer=ProposalShown),
    Operation(name="proposals.approve", run=_approve, query=Nothing, body=Approved, answer=ProposalShown),
    Operation(name="proposals.reject", run=_reject, query=Nothing, body=Why, answer=ProposalShown),
    Operation(name="proposals.withdraw", run=_withdraw, query=Nothing, body=Why, answer=ProposalShown),
)  # fmt: skip
