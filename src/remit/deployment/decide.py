"""What becomes of a proposal that waits: approved by somebody else, rejected, or taken back.

Refused: the word of whoever proposed it, under whatever account or client; of whoever may approve no longer, whatever
their token says; a word given on a report that is not the
proposal's own; and every word about a proposal that was held against what is no longer in force: that has to be
proposed, and judged, anew.
"""

from remit.audit.context import Context
from remit.audit.events import BundleApproved, BundleRejected
from remit.db import Transaction
from remit.deployment.deps import DeploymentDeps, Present
from remit.deployment.person import (
    NotASecondPersonError,
    Person,
    may_approve,
    require_second_person,
)
from remit.deployment.proposal_store import (
    Approval,
    Proposal,
    ProposalState,
    add_approval,
    is_any_unreviewed,
    move_proposal,
    proposal_named,
)
from remit.deployment.propose import start
from remit.deployment.putting_in_force import call_off_trial
from remit.errors import ConflictError
from remit.model import SecondPerson

__all__ = ["approve", "reject", "withdraw"]


async def approve(
    deps: DeploymentDeps,
    proposal_id: str,
    *,
    report_digest: str,
    reason: str,
    by: Person,
    context: Context,
) -> Proposal:
    """Say yes to what was found about a proposal; it is in force, or on trial, when this returns.

    Raises:
        NotFoundError: there is no such proposal.
        NotASecondPersonError: whoever says so proposed it, is no person, or may approve no longer.
        ConflictError: it does not wait, another report was shown, or something else came into force since.
    """
    deps.require_bundles()
    present = await deps.refresh()
    proposal, unreviewed = await deps.database.read(
        lambda tx: (proposal_named(tx, deps.key, proposal_id), is_any_unreviewed(tx, deps.key))
    )
    if proposal.state not in {ProposalState.WAITS, ProposalState.UNREVIEWED}:
        raise ConflictError(f"the proposal waits for nobody: it is `{proposal.state.value}`")
    # Whoever went back to rules that ask for nobody does not profit from them until somebody else has looked.
    if unreviewed or present.loaded.catalog.deployment.second_person is not SecondPerson.NEVER:
        require_second_person(by, proposal.proposed_as)
    if report_digest != proposal.report_digest:
        raise ConflictError("what you were shown is not what was found about it; look again")
    if proposal.state is ProposalState.WAITS and not _is_current(proposal, present):
        await deps.database.run(lambda tx: _let_go(tx, deps, proposal))
        raise ConflictError("something else came into force since it was judged; propose it anew")

    def work(tx: Transaction) -> None:
        now = deps.clock.now()
        if not may_approve(tx, by.name, present.loaded.catalog):
            raise NotASecondPersonError("you may approve nothing any more: the role for it is gone")
        add_approval(tx, _word(proposal, by, reason=reason, now_is=deps))
        tx.record(
            BundleApproved(
                context=context,
                proposal=proposal.id,
                bundle=proposal.bundle,
                report_digest=report_digest,
                reason=reason,
            )
        )
        if proposal.state is ProposalState.UNREVIEWED:
            move_proposal(
                tx,
                deps.key,
                proposal,
                proposal.decided(ProposalState.IN_FORCE, now=now, by=by.name),
            )
        else:
            start(tx, deps, proposal, present=present, context=context)

    await deps.database.run(work)
    await deps.refresh()
    return await deps.database.read(lambda tx: proposal_named(tx, deps.key, proposal_id))


async def reject(
    deps: DeploymentDeps, proposal_id: str, *, reason: str, by: Person, context: Context
) -> Proposal:
    """Say no to a proposal that waits, or end its trial; anybody who may approve may.

    Raises:
        NotFoundError: there is no such proposal.
        ConflictError: it neither waits nor is on trial.
    """

    def work(tx: Transaction) -> None:
        proposal, now = proposal_named(tx, deps.key, proposal_id), deps.clock.now()
        if proposal.state is ProposalState.ON_TRIAL:
            call_off_trial(
                tx,
                deps.key,
                context=context,
                now=now,
                ends=lambda trial: trial.proposal == proposal_id,
                detail=reason,
            )
        elif proposal.state is not ProposalState.WAITS:
            raise ConflictError(f"nothing is to be said about it: it is `{proposal.state.value}`")
        rejected = ProposalState.REJECTED
        move_proposal(
            tx, deps.key, proposal, proposal.decided(rejected, now=now, by=by.name, why=reason)
        )
        tx.record(
            BundleRejected(
                context=context, proposal=proposal.id, bundle=proposal.bundle, reason=reason
            )
        )

    await deps.database.run(work)
    await deps.refresh()
    return await deps.database.read(lambda tx: proposal_named(tx, deps.key, proposal_id))


async def withdraw(
    deps: DeploymentDeps, proposal_id: str, *, reason: str, by: Person, context: Context
) -> Proposal:
    """Take one's own proposal back.

    Raises:
        NotFoundError: there is no such proposal.
        NotASecondPersonError: it is somebody else's.
        ConflictError: it neither waits nor is on trial.
    """
    proposal = await deps.database.read(lambda tx: proposal_named(tx, deps.key, proposal_id))
    if not set(proposal.proposed_as) & set(by.known_as):
        raise NotASecondPersonError(
            "it is somebody else's proposal; whoever may approve may reject it"
        )
    return await reject(deps, proposal_id, reason=reason, by=by, context=context)


def _is_current(proposal: Proposal, present: Present) -> bool:
    return proposal.base_sequence == present.sequence and proposal.base == present.loaded.bundle


def _let_go(tx: Transaction, deps: DeploymentDeps, proposal: Proposal) -> None:
    move_proposal(
        tx,
        deps.key,
        proposal,
        proposal.decided(ProposalState.STALE, now=deps.clock.now(), by=None, why="stale"),
    )


def _word(proposal: Proposal, by: Person, *, reason: str, now_is: DeploymentDeps) -> Approval:
    return Approval(
        proposal=proposal.id,
        approved_by=by.name,
        approved_as=by.known_as,
        report_digest=proposal.report_digest,
        reason=reason,
        approved_at=now_is.clock.now(),
    )
