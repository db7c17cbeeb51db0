"""Bringing a bundle into force: one step of the sequence, in the transaction that says why.

The first of them keeps what the folder had in force as a bundle too, so that there is something to go back to.
"""

from collections.abc import Callable

from remit.audit.context import Context
from remit.audit.events import BundleActivated, BundleTrialEnded, BundleTrialStarted
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.deployment.activation_store import Activation, How, add_activation
from remit.deployment.bundle_store import keep_bundle
from remit.deployment.deps import Present
from remit.deployment.proposal_store import Proposal
from remit.deployment.sealing import InstallationKey
from remit.deployment.trial_store import Trial, TrialState, add_trial, end_trial, running_trial
from remit.ids import new_id
from remit.model import DeploymentRules

__all__ = ["begin_trial", "call_off_trial", "put_in_force"]


def put_in_force(
    tx: Transaction,
    key: InstallationKey,
    proposal: Proposal,
    *,
    present: Present,
    context: Context,
    now: EpochSeconds,
) -> int:
    """Let the bundle of `proposal` decide from here on; the sequence number of that.

    Raises:
        ConflictError: what is in force is not what the proposal was held against.
    """
    step = _Step(tx, key, proposal, context=context, now=now)
    sequence = proposal.base_sequence
    if sequence == 0 and proposal.bundle != proposal.base:
        step.keep(present)
        sequence = step.add(sequence, bundle=proposal.base, previous="", how=How.FOLDER)
    elif sequence == 0:
        step.keep(present)
        return step.add(sequence, bundle=proposal.base, previous="", how=proposal.how)
    return step.add(sequence, bundle=proposal.bundle, previous=proposal.base, how=proposal.how)


def begin_trial(
    tx: Transaction,
    key: InstallationKey,
    proposal: Proposal,
    *,
    present: Present,
    context: Context,
    now: EpochSeconds,
) -> Trial:
    """Let the bundle of `proposal` decide for its share of the agents.

    Raises:
        ConflictError: another one is on trial, or what is in force is not what it was held against.
    """
    rules: DeploymentRules = present.loaded.catalog.deployment
    step = _Step(tx, key, proposal, context=context, now=now)
    sequence = proposal.base_sequence
    if sequence == 0:
        step.keep(present)
        sequence = step.add(sequence, bundle=proposal.base, previous="", how=How.FOLDER)
    trial = Trial(
        id=new_id("trl"),
        bundle=proposal.bundle,
        previous=proposal.base,
        base_sequence=sequence,
        share=proposal.share,
        refusals=rules.trial_refusals,
        state=TrialState.RUNS,
        detail="",
        proposal=proposal.id,
        started_at=now,
        until=EpochSeconds(now + rules.trial_lifetime),
    )
    add_trial(tx, key, trial)
    tx.record(
        BundleTrialStarted(
            context=context,
            bundle=trial.bundle,
            previous=trial.previous,
            share=trial.share,
            until=trial.until,
            proposal=proposal.id,
        )
    )
    return trial


def call_off_trial(
    tx: Transaction,
    key: InstallationKey,
    *,
    context: Context,
    now: EpochSeconds,
    ends: Callable[[Trial], bool],
    detail: str,
) -> Trial | None:
    """End the trial that runs, if there is one that `ends` says of; nothing was in force but for its share."""
    trial = running_trial(tx, key)
    if trial is None or not ends(trial):
        return None
    if not end_trial(tx, key, trial, TrialState.CANCELLED, now=now, detail=detail):
        return None
    tx.record(
        BundleTrialEnded(context=context, bundle=trial.bundle, outcome="cancelled", detail=detail)
    )
    return trial


class _Step:
    """One step of the sequence after another, all for the same reason."""

    def __init__(
        self,
        tx: Transaction,
        key: InstallationKey,
        proposal: Proposal,
        *,
        context: Context,
        now: EpochSeconds,
    ) -> None:
        self._tx = tx
        self._key = key
        self._proposal = proposal
        self._context = context
        self._now = now

    def keep(self, present: Present) -> None:
        """Keep what the folder had in force."""
        keep_bundle(self._tx, self._key, present.loaded.as_bundle(), now=self._now, by=None)

    def add(self, after: int, *, bundle: str, previous: str, how: How) -> int:
        """The activation that follows number `after`; its own number."""
        proposal, sequence = self._proposal, after + 1
        add_activation(
            self._tx,
            self._key,
            Activation(
                sequence=sequence,
                bundle=bundle,
                previous=previous,
                how=how,
                stage=proposal.stage,
                proposal=None if how is How.FOLDER else proposal.id,
                reason="" if how is How.FOLDER else proposal.reason,
                activated_at=self._now,
                activated_by=self._context.actor.id or self._context.actor.type.value,
            ),
        )
        self._tx.record(
            BundleActivated(
                context=self._context,
                bundle=bundle,
                previous=previous,
                how=how.value,
                sequence=sequence,
                stage=proposal.stage,
                proposal=None if how is How.FOLDER else proposal.id,
            )
        )
        return sequence
