"""Proposing that a bundle come into force: checked, judged, and in force at once when nobody has to look at it.

Refused, and recorded: a bundle that is not signed as it has to be, does not check, was in force in none of the stages
that it may come from, or whose decision tables fail. Nothing of it is kept then.
"""

from dataclasses import dataclass
from typing import ClassVar

from remit.audit.context import Context
from remit.audit.events import BundleProposed, BundleRefused
from remit.db import Transaction
from remit.deployment.activation_store import How, newest_activation
from remit.deployment.bundle import Bundle
from remit.deployment.bundle_store import keep_bundle
from remit.deployment.deps import DeploymentDeps, Present
from remit.deployment.judgement import Gate, Judgement, gates, report_of, summary_of
from remit.deployment.loaded import LoadedPolicies
from remit.deployment.person import Person
from remit.deployment.proposal_store import (
    Proposal,
    ProposalState,
    add_proposal,
    is_any_unreviewed,
    move_proposal,
    proposal_named,
)
from remit.deployment.provenance import require_origin, require_signer
from remit.deployment.putting_in_force import begin_trial, put_in_force
from remit.deployment.regraded import regraded
from remit.deployment.share import NotTriableError, require_triable
from remit.deployment.trial_store import running_trial
from remit.errors import ConflictError, Error
from remit.ids import new_id
from remit.model import DeploymentRules, SecondPerson

__all__ = ["TablesFailedError", "Wish", "propose", "start"]


class TablesFailedError(Error):
    """The bundle's own decision tables do not pass."""

    code: ClassVar[str] = "tests_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for. `share`: percent of the agents to try it on; `None`: what the rules in force say."""

    bundle: Bundle
    how: How
    reason: str = ""
    share: int | None = None


async def propose(deps: DeploymentDeps, wish: Wish, *, by: Person, context: Context) -> Proposal:
    """Propose that the bundle of `wish` come into force; the proposal as it then is.

    Raises:
        FolderDecidesError: this installation takes no bundles.
        ConflictError: it is in force already, or something else came into force meanwhile.
        Error: see the module; nothing was kept.
    """
    deps.require_bundles()
    present = await deps.refresh()
    if present.activation is not None and present.loaded.bundle == wish.bundle.digest:
        raise ConflictError(f"the bundle `{wish.bundle.digest[:12]}` is in force already")
    try:
        proposal = await _judged(deps, wish, present=present, by=by)
    except Error as error:
        await _refused(deps, wish, error, context)
        raise
    await _keep(deps, proposal, wish, present=present, context=context)
    await deps.refresh()
    return await deps.database.read(lambda tx: proposal_named(tx, deps.key, proposal.id))


async def _judged(deps: DeploymentDeps, wish: Wish, *, present: Present, by: Person) -> Proposal:
    """The bundle, checked and held against what is in force; what it waits for."""
    catalog = present.loaded.catalog
    rules = catalog.deployment
    require_signer(wish.bundle, rules, stage=deps.stage, publishers=deps.publishers)
    require_origin(wish.bundle, rules, publishers=deps.publishers, now=deps.clock.now())
    proposed = await deps.load(wish.bundle)
    # Whoever proposes may ask for a trial, but not be rid of the one that the rules ask for.
    share, waits = wish.share or rules.trial_share, list[Gate]()
    if share and catalog.version != proposed.catalog.version:
        try:
            require_triable(catalog, proposed.catalog)
        except NotTriableError:
            if wish.share:
                raise
            share, waits = 0, [Gate.UNTRIED]
    judgement = await deps.judge(present.loaded, proposed)
    waits += await _of_history(deps, rules, judgement, proposed)
    if rules.tests_required and judgement.tables.failures:
        count = len(judgement.tables.failures)
        raise TablesFailedError(
            f"{count} of {judgement.tables.cases} cases of its own decision tables fail, "
            f"the first: {judgement.tables.failures[0]}"
        )
    report, digest = report_of(judgement, base=present.loaded, proposed=proposed)
    return Proposal(
        id=new_id("prp"),
        bundle=wish.bundle.digest,
        base=present.loaded.bundle,
        base_sequence=present.sequence,
        how=wish.how,
        stage=deps.stage,
        reason=wish.reason,
        state=ProposalState.WAITS,
        waits_for=tuple(dict.fromkeys(one.value for one in (*gates(rules, judgement), *waits))),
        share=share,
        report=report,
        report_digest=digest,
        proposed_at=deps.clock.now(),
        proposed_by=by.name,
        proposed_as=by.known_as,
    )


async def _of_history(
    deps: DeploymentDeps, rules: DeploymentRules, judgement: Judgement, proposed: LoadedPolicies
) -> list[Gate]:
    """What it waits for because of what was in force before."""
    found = []
    if await deps.database.read(lambda tx: is_any_unreviewed(tx, deps.key)):
        # Else one person could go back to rules that ask for nobody, and from there go anywhere.
        found.append(Gate.SECOND_PERSON)
    if rules.second_person is SecondPerson.WIDENING and await regraded(
        deps, judgement.difference, proposed
    ):
        found.append(Gate.REGRADED)
    return found


async def _keep(
    deps: DeploymentDeps, proposal: Proposal, wish: Wish, *, present: Present, context: Context
) -> None:
    def work(tx: Transaction) -> None:
        now = deps.clock.now()
        newest = newest_activation(tx, deps.key)
        if (0 if newest is None else newest.sequence) != present.sequence:
            # What waits would be told so only by whoever looks at it to approve it.
            raise ConflictError("another bundle came into force meanwhile; propose it anew")
        keep_bundle(tx, deps.key, wish.bundle, now=now, by=proposal.proposed_by)
        add_proposal(tx, deps.key, proposal)
        tx.record(_event(proposal, context))
        if not proposal.waits_for:
            start(tx, deps, proposal, present=present, context=context)

    await deps.database.run(work)


def start(
    tx: Transaction,
    deps: DeploymentDeps,
    proposal: Proposal,
    *,
    present: Present,
    context: Context,
) -> None:
    """Bring a proposal that nothing stands in the way of into force, or on trial.

    Raises:
        ConflictError: something else came into force meanwhile; nothing was changed.
    """
    now, by = deps.clock.now(), context.actor.id
    if proposal.share:
        begin_trial(tx, deps.key, proposal, present=present, context=context, now=now)
        move_proposal(
            tx, deps.key, proposal, proposal.decided(ProposalState.ON_TRIAL, now=now, by=by)
        )
        return
    if running_trial(tx, deps.key) is not None:
        raise ConflictError("another bundle is on trial; wait for it, or reject its proposal")
    put_in_force(tx, deps.key, proposal, present=present, context=context, now=now)
    move_proposal(tx, deps.key, proposal, proposal.decided(ProposalState.IN_FORCE, now=now, by=by))


def _event(proposal: Proposal, context: Context) -> BundleProposed:
    return BundleProposed(
        context=context,
        proposal=proposal.id,
        bundle=proposal.bundle,
        previous=proposal.base,
        how=proposal.how.value,
        stage=proposal.stage,
        reason=proposal.reason,
        waits_for=proposal.waits_for,
        report=summary_of(proposal.report),
    )


async def _refused(deps: DeploymentDeps, wish: Wish, error: Error, context: Context) -> None:
    event = BundleRefused(
        context=context, bundle=wish.bundle.digest, error=error.code, detail=error.detail[:500]
    )
    await deps.database.run(lambda tx: tx.record(event))
