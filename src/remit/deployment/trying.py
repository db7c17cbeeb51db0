"""What becomes of a trial: returned when it refuses too much, in force for everybody when its time is over.

When its time is over and nothing, or not enough, was called, or when it is one agent alone that is refused more than
usual, it is neither: it ends, and the proposal waits for a second person, to come into force whole or not at all.

Every process looks, and one of them does it: ending it is one row that changes once.
"""

from dataclasses import replace

from remit.audit.context import Context
from remit.audit.events import BundleTrialEnded
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.deployment.deps import Present
from remit.deployment.judgement import Gate
from remit.deployment.jump import MIN_CALLS, look_at
from remit.deployment.person import may_approve
from remit.deployment.proposal_store import (
    Proposal,
    ProposalState,
    approvals_of,
    move_proposal,
    proposal_named,
)
from remit.deployment.putting_in_force import put_in_force
from remit.deployment.sealing import BadSignatureError, InstallationKey
from remit.deployment.trial_store import Arm, Trial, TrialState, counted, end_trial

__all__ = ["look_after"]


def look_after(
    tx: Transaction, key: InstallationKey, trial: Trial, *, present: Present, now: EpochSeconds
) -> TrialState:
    """End `trial` if it is time to; its state afterwards, as far as this process brought it about.

    Raises:
        BadSignatureError: its proposal is no longer on trial, so that it was taken up again by somebody else.
    """
    counts = counted(tx, trial.id)
    found = look_at(counts, points=trial.refusals)
    if found.jump:
        return _end(tx, key, trial, TrialState.RETURNED, detail=found.jump, now=now)
    if now < trial.until:
        return TrialState.RUNS
    tried = counts.get(Arm.TRIAL, {}).values()
    calls, refused = sum(one.calls for one in tried), sum(one.refused for one in tried)
    if not found.is_tried:
        detail = f"nothing was tried: {calls} calls were decided under it, and at least {MIN_CALLS} have to be"
        return _end(tx, key, trial, TrialState.HELD, detail=detail, now=now)
    why = found.one_agent or _no_longer_approved(tx, trial, present)
    if why:
        return _end(tx, key, trial, TrialState.HELD, detail=why, now=now)
    detail = f"{refused} of {calls} calls refused to {len(tried)} agents"
    state = _end(tx, key, trial, TrialState.COMPLETED, detail=detail, now=now)
    if state is not TrialState.COMPLETED:
        return TrialState.RUNS
    proposal = replace(proposal_named(tx, key, trial.proposal), base_sequence=trial.base_sequence)
    put_in_force(tx, key, proposal, present=present, context=Context(), now=now)
    return TrialState.COMPLETED


def _no_longer_approved(tx: Transaction, trial: Trial, present: Present) -> str:
    """Who approved it and may do so no longer; a trial lasts, and nobody's word outlives their right to give it."""
    catalog = present.loaded.catalog
    for one in approvals_of(tx, trial.proposal):
        if not may_approve(tx, one.approved_by, catalog):
            return f"`{one.approved_by}`, who approved it, may approve nothing any more"
    return ""


def _end(
    tx: Transaction,
    key: InstallationKey,
    trial: Trial,
    state: TrialState,
    *,
    detail: str,
    now: EpochSeconds,
) -> TrialState:
    if not end_trial(tx, key, trial, state, now=now, detail=detail):
        return TrialState.RUNS  # another process did
    tx.record(
        BundleTrialEnded(context=Context(), bundle=trial.bundle, outcome=state.value, detail=detail)
    )
    proposal = proposal_named(tx, key, trial.proposal)
    if proposal.state is not ProposalState.ON_TRIAL:
        # The row of a trial that was over, as it once was, is signed too.
        raise BadSignatureError(f"the trial `{trial.id}` was over before, and runs again")
    move_proposal(tx, key, proposal, _after(proposal, trial, state, detail=detail, now=now))
    return state


def _after(
    proposal: Proposal, trial: Trial, state: TrialState, *, detail: str, now: EpochSeconds
) -> Proposal:
    if state is TrialState.HELD:
        return proposal.held(Gate.UNTRIED.value, base_sequence=trial.base_sequence, why=detail)
    is_over = state is TrialState.COMPLETED
    ended = ProposalState.IN_FORCE if is_over else ProposalState.RETURNED
    return proposal.decided(ended, now=now, by=None, why=detail)
