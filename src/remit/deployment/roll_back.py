"""Going back to a bundle that was in force here before: one step, one person, at once.

What was in force here was judged here. So neither tables nor recorded decisions are asked again, and no second person
is waited for: whoever has to undo harm does not need one to be awake. Where going back lets somebody do more with
something privileged, it happens all the same, is said aloud, and stays open for review by somebody else.

Refused: what was never in force here. A trial that runs ends with it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from remit.audit.context import Context
from remit.audit.events import BundleProposed
from remit.db import Transaction
from remit.deployment.activation_store import Activation, How, activations_so_far
from remit.deployment.bundle_store import kept_bundle
from remit.deployment.deps import DeploymentDeps, Present
from remit.deployment.judgement import Gate, Judgement, Tables, report_of, summary_of
from remit.deployment.loaded import load_judged
from remit.deployment.person import Person
from remit.deployment.proposal_store import (
    Proposal,
    ProposalState,
    add_proposal,
    move_proposal,
    proposal_named,
)
from remit.deployment.putting_in_force import call_off_trial, put_in_force
from remit.errors import ConflictError, NotFoundError
from remit.ids import new_id
from remit.model import SecondPerson
from remit.replay import compare

__all__ = ["before_that", "roll_back"]

_log: Final = structlog.stdlib.get_logger("remit.policy")


async def roll_back(
    deps: DeploymentDeps, digest: str | None, *, reason: str, by: Person, context: Context
) -> Proposal:
    """Put the bundle `digest` in force again; without one, the bundle before the one in force.

    Raises:
        NotFoundError: it was never in force here, or there was none before.
        ConflictError: it is in force already, or something else came into force meanwhile.
        BadSignatureError: it was altered since.
        OtherStageError: it was in force here in another stage alone, and says something else in this one.
    """
    deps.require_bundles()
    present = await deps.refresh()
    history = await deps.database.read(lambda tx: activations_so_far(tx, deps.key))
    wanted = _wanted(digest, history)
    if wanted == present.loaded.bundle:
        raise ConflictError(f"the bundle `{wanted[:12]}` is in force already")
    bundle = await deps.database.read(lambda tx: kept_bundle(tx, deps.key, wanted))
    loaded = await deps.load(bundle)
    stages = {one.stage for one in history if one.bundle == wanted}
    if deps.stage not in stages:
        # Without a judgement of its own it is not what was judged, unless it says the same in both.
        stage, there = deps.stage or None, min(stages)
        await asyncio.to_thread(load_judged, bundle, stage=stage, judged_for=there)
    difference = await asyncio.to_thread(compare, present.loaded.repository, loaded.repository)
    report, report_digest = report_of(
        Judgement(tables=Tables(cases=0), difference=difference),
        base=present.loaded,
        proposed=loaded,
    )
    proposal = _proposal(deps, wanted, present=present, reason=reason, by=by)
    # Where one person may decide everything, nobody else is there to look at it afterwards either.
    alone = present.loaded.catalog.deployment.second_person is SecondPerson.NEVER
    if difference.privileged and not alone:
        proposal = replace(proposal, waits_for=(Gate.REVIEW.value,))
    proposal = replace(proposal, report=report, report_digest=report_digest)
    await deps.database.run(
        lambda tx: _go_back(tx, deps, proposal, present=present, context=context)
    )
    if difference.privileged:
        _log.error(
            "rolled_back_to_more_rights",
            bundle=wanted[:12],
            changes=[one.what for one in difference.privileged[:5]],
            mend=f"let somebody else look at it: remit proposals show {proposal.id}",
        )
    await deps.refresh()
    return await deps.database.read(lambda tx: proposal_named(tx, deps.key, proposal.id))


def before_that(history: Sequence[Activation]) -> str | None:
    """The bundle before the one in force, by `history`, the newest first; what was gone back from does not count."""
    stack: list[str] = []
    for one in reversed(history):
        if one.how is How.ROLLBACK and one.bundle in stack:
            while stack[-1] != one.bundle:
                stack.pop()
        else:
            stack.append(one.bundle)
    return stack[-2] if len(stack) > 1 else None


def _wanted(digest: str | None, history: Sequence[Activation]) -> str:
    if digest is None:
        last = before_that(history)
        if last is None:
            raise NotFoundError("no bundle was in force before this one")
        return last
    found = {one.bundle for one in history if one.bundle.startswith(digest)} if digest else set()
    if len(found) != 1:
        how = "more than one bundle" if found else "no bundle"
        raise NotFoundError(f"{how} of that name was in force here: `{digest[:64]}`")
    return found.pop()


def _proposal(
    deps: DeploymentDeps, digest: str, *, present: Present, reason: str, by: Person
) -> Proposal:
    return Proposal(
        id=new_id("prp"),
        bundle=digest,
        base=present.loaded.bundle,
        base_sequence=present.sequence,
        how=How.ROLLBACK,
        stage=deps.stage,
        reason=reason,
        state=ProposalState.WAITS,
        waits_for=(),
        share=0,
        report={},
        report_digest="",
        proposed_at=deps.clock.now(),
        proposed_by=by.name,
        proposed_as=by.known_as,
    )


def _go_back(
    tx: Transaction,
    deps: DeploymentDeps,
    proposal: Proposal,
    *,
    present: Present,
    context: Context,
) -> None:
    now = deps.clock.now()
    add_proposal(tx, deps.key, proposal)
    tx.record(
        BundleProposed(
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
    )
    ended = call_off_trial(
        tx, deps.key, context=context, now=now, ends=lambda _trial: True, detail="rolled back"
    )
    if ended is not None:
        tried = proposal_named(tx, deps.key, ended.proposal)
        returned = ProposalState.RETURNED
        move_proposal(tx, deps.key, tried, tried.decided(returned, now=now, by=context.actor.id))
    put_in_force(tx, deps.key, proposal, present=present, context=context, now=now)
    state = ProposalState.UNREVIEWED if proposal.waits_for else ProposalState.IN_FORCE
    move_proposal(tx, deps.key, proposal, proposal.decided(state, now=now, by=context.actor.id))
