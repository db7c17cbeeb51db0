"""What becomes of a trial: returned when it refuses too much, in force for everybody when its time is over.

Every process looks, and one of them does it: ending it is one row that changes once.
"""

from dataclasses import replace

from remit.audit.context import Context
from remit.audit.events import BundleTrialEnded
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.deployment.deps import Present
from remit.deployment.jump import jump_in
from remit.deployment.proposal_store import ProposalState, move_proposal, proposal_named
from remit.deployment.putting_in_force import put_in_force
from remit.deployment.sealing import InstallationKey
from remit.deployment.trial_store import Arm, Count, Trial, TrialState, counted, end_trial

__all__ = ["look_after"]


def look_after(
    tx: Transaction, key: InstallationKey, trial: Trial, *, present: Present, now: EpochSeconds
) -> TrialState:
    """End `trial` if it is time to; its state afterwards, as far as this process brought it about."""
    found = counted(tx, trial.id)
    jumped = jump_in(found, points=trial.refusals)
    if jumped is not None:
        return _end(tx, key, trial, TrialState.RETURNED, detail=jumped, now=now)
    if now < trial.until:
        return TrialState.RUNS
    tried = found.get(Arm.TRIAL, Count())
    detail = f"{tried.refused} of {tried.calls} calls refused"
    if (
        _end(tx, key, trial, TrialState.COMPLETED, detail=detail, now=now)
        is not TrialState.COMPLETED
    ):
        return TrialState.RUNS
    proposal = replace(proposal_named(tx, key, trial.proposal), base_sequence=trial.base_sequence)
    put_in_force(tx, key, proposal, present=present, context=Context(), now=now)
    return TrialState.COMPLETED


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
    ended = {
        TrialState.RETURNED: ProposalState.RETURNED,
        TrialState.COMPLETED: ProposalState.IN_FORCE,
    }
    proposal = proposal_named(tx, key, trial.proposal)
    move_proposal(tx, key, proposal, proposal.decided(ended[state], now=now, by=None, why=detail))
    return state
