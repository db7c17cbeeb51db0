"""What becomes of a trial: returned by itself, in force by itself, ended by somebody."""

import pytest
from sqlalchemy import select, update

from remit.audit.events import BundleActivated, BundleTrialEnded, BundleTrialStarted
from remit.clock import Seconds
from remit.deployment import (
    BadSignatureError,
    NotASecondPersonError,
    approve,
    proposal_named,
    proposals_so_far,
    reject,
)
from remit.deployment.activation_store import newest_activation
from remit.deployment.trial_store import Arm, Count, counted, put_counts, trials
from remit.errors import ConflictError
from remit.identity.store import users
from remit.ids import AgentId
from remit.testing.clock import FixedClock

from .conftest import ADA, BOB, CALM, FORBID, WIDER, bundle, context_of

LIFETIME = 900
AGENTS = [AgentId(f"agent-{number}") for number in range(200)]


async def tried(process, share=50, changes=FORBID):
    return await process.apply(bundle(changes), share=share)


async def say_yes(process, proposal, by):
    return await approve(
        process.deps,
        proposal.id,
        report_digest=proposal.report_digest,
        reason="",
        by=by,
        context=context_of(by),
    )


def call_all(process, *, refuses: bool, times: int = 1) -> None:
    """Every agent calls; under the trial it is refused as `refuses` says."""
    for agent in AGENTS * times:
        world = process.desk.world_of(agent)
        on_trial = world is not None
        process.desk.count(agent, refused=on_trial and refuses, on_trial=on_trial)


async def report(*processes) -> None:
    for process in processes:
        await process.desk.report(process.book.present)
    for process in processes:
        await process.book.refresh()


async def test_it_decides_for_its_share_in_every_process_and_for_nobody_else(start, events):
    one, other = start(), start(instance="other")
    proposal = await tried(one)
    await other.book.refresh()
    assert proposal.state.value == "on_trial"
    assert one.bundle == other.bundle == bundle().digest, "in force for the rest"
    drawn = [[process.desk.world_of(agent) for agent in AGENTS] for process in (one, other)]
    shares = [[world is not None for world in worlds] for worlds in drawn]
    assert shares[0] == shares[1]
    assert 60 <= sum(shares[0]) <= 140
    world = next(world for world in drawn[0] if world is not None)
    assert world.on_trial
    assert world.catalog.version == one.shelf_version(bundle(FORBID))
    (started,) = events.of(BundleTrialStarted)
    assert (started.share, started.until) == (50, one.clock.now() + LIFETIME)


async def test_it_is_returned_by_itself_when_refusals_jump(start, database, key, events):
    one, other = start(), start(instance="other")
    call_all(one, refuses=False, times=2)
    proposal = await tried(one)
    await other.book.refresh()
    call_all(one, refuses=True)
    await report(one, other)
    assert one.desk.trial is None
    assert other.desk.trial is None
    assert one.bundle == bundle().digest
    (ended,) = events.of(BundleTrialEnded)
    assert ended.outcome == "returned"
    assert "calls refused" in ended.detail
    kept = await database.read(lambda tx: proposal_named(tx, key, proposal.id))
    assert (kept.state.value, kept.decision) == ("returned", ended.detail)


async def test_the_counts_of_all_processes_are_put_together(start, database):
    one, other = start(), start(instance="other")
    await tried(one)
    await other.book.refresh()
    trial = one.desk.trial
    for process in (one, other):
        call_all(process, refuses=False)
        await process.desk.report(process.book.present)
        await process.desk.report(process.book.present)
    found = await database.read(lambda tx: counted(tx, trial.id))
    both = {**found[Arm.TRIAL], **found[Arm.BESIDE]}
    assert both == dict.fromkeys(AGENTS, Count(2, 0))


async def test_a_few_refusals_in_each_process_are_a_jump_in_all(start):
    many = [start(instance=f"p{number}") for number in range(4)]
    await tried(many[0])
    for process in many:
        await process.book.refresh()
        drawn = [agent for agent in AGENTS if process.desk.world_of(agent)]
        for agent in drawn[:6]:
            process.desk.count(agent, refused=True, on_trial=True)
    await report(*many)
    assert all(process.desk.trial is None for process in many)


async def test_when_its_time_is_over_it_is_in_force_for_all(start, events):
    one, other = start(), start(instance="other")
    await tried(one)
    call_all(one, refuses=False)
    for process in (one, other):
        process.clock.advance(LIFETIME - 1)
    await report(one, other)
    assert one.desk.trial is not None
    for process in (one, other):
        process.clock.advance(2)
    await report(one, other)
    assert one.bundle == other.bundle == bundle(FORBID).digest
    assert one.desk.trial is None
    assert [one.outcome for one in events.of(BundleTrialEnded)] == ["completed"]
    assert [one.sequence for one in events.of(BundleActivated)] == [1, 2]


async def test_a_trial_that_nobody_called_under_is_no_success(process, events, database, key):
    proposal = await tried(process)
    process.clock.advance(LIFETIME + 1)
    await report(process)
    assert process.bundle == bundle().digest
    assert process.desk.trial is None
    (ended,) = events.of(BundleTrialEnded)
    assert ended.outcome == "held"
    assert ended.detail.startswith("nothing was tried: 0 calls were decided under it")
    kept = await database.read(lambda tx: proposal_named(tx, key, proposal.id))
    assert (kept.state.value, kept.waits_for) == ("waits", ("untried",))
    assert kept.decision == ended.detail
    with pytest.raises(NotASecondPersonError):
        await say_yes(process, kept, ADA)
    decided = await say_yes(process, kept, BOB)
    assert (decided.state.value, process.bundle) == ("in_force", bundle(FORBID).digest)


async def test_what_was_held_comes_to_nothing_when_something_else_came(process, database, key):
    proposal = await tried(process)
    process.clock.advance(LIFETIME + 1)
    await report(process)
    await process.apply(bundle(CALM))
    kept = await database.read(lambda tx: proposal_named(tx, key, proposal.id))
    with pytest.raises(ConflictError, match="propose it anew"):
        await say_yes(process, kept, BOB)
    assert process.bundle == bundle(CALM).digest


async def test_what_one_agent_alone_meets_is_for_somebody_to_decide(process, events):
    call_all(process, refuses=False)
    await tried(process)
    noisy = next(agent for agent in AGENTS if process.desk.world_of(agent))
    for _ in range(1_000):
        process.desk.count(noisy, refused=True, on_trial=True)
    await report(process)
    assert process.desk.trial is not None, "it returns nothing by itself"
    process.clock.advance(LIFETIME + 1)
    await report(process)
    assert process.bundle == bundle().digest, "nor is it waved through"
    (ended,) = events.of(BundleTrialEnded)
    assert (ended.outcome, "without one agent" in ended.detail) == ("held", True)


async def test_a_trial_does_not_outlive_the_right_of_whoever_approved_it(process, database, events):
    proposal = await process.apply(bundle(WIDER), share=50)
    assert (await say_yes(process, proposal, BOB)).state.value == "on_trial"
    call_all(process, refuses=False)
    lost = update(users).where(users.c.username == "bob").values(roles="[]")
    await database.run(lambda tx: tx.connection.execute(lost) and None)
    process.clock.advance(LIFETIME + 1)
    await report(process)
    assert process.bundle == bundle().digest
    (ended,) = events.of(BundleTrialEnded)
    assert (ended.outcome, "approve nothing any more" in ended.detail) == ("held", True)


async def test_the_row_of_a_trial_that_is_over_is_not_taken_up_again(start, database, events):
    """Whoever may write to the database puts back the row as it was while it ran: it is signed, too."""
    process = start()
    await tried(process)
    row = await database.read(lambda tx: tx.connection.execute(select(trials)).one()._asdict())
    (proposal,) = await database.read(lambda tx: proposals_so_far(tx, process.deps.key))
    await reject(process.deps, proposal.id, reason="no", by=BOB, context=context_of(BOB))
    await database.run(lambda tx: tx.connection.execute(update(trials).values(**row)) and None)
    with pytest.raises(BadSignatureError, match="was over, and runs again"):
        await process.book.refresh()
    new = start(instance="new")
    await new.book.refresh()
    call_all(new, refuses=False)
    new.clock.advance(LIFETIME + 1)
    with pytest.raises(BadSignatureError, match="was over before"):
        await new.desk.report(new.book.present)
    assert process.bundle == new.bundle == bundle().digest
    assert len(events.of(BundleActivated)) == 1


async def test_while_one_is_tried_nothing_else_comes_into_force(process):
    await tried(process)
    for wanted, share in ((bundle(CALM), None), (bundle(CALM), 10)):
        with pytest.raises(ConflictError, match="on trial"):
            await process.apply(wanted, share=share)


async def test_whoever_may_approve_may_end_it(process, events):
    proposal = await tried(process)
    decided = await reject(process.deps, proposal.id, reason="no", by=BOB, context=context_of(BOB))
    assert decided.state.value == "rejected"
    assert process.desk.trial is None
    assert [one.outcome for one in events.of(BundleTrialEnded)] == ["cancelled"]
    assert (await process.apply(bundle(CALM))).state.value == "in_force"


async def test_the_rules_in_force_ask_for_a_trial_and_nobody_is_rid_of_it(start):
    process = start(bundle(rules="trial_share: 20, trial_lifetime: 1h"))
    proposal = await process.apply(bundle(FORBID, rules="trial_share: 20, trial_lifetime: 1h"))
    assert (proposal.state.value, proposal.share) == ("on_trial", 20)
    assert process.desk.trial.until == process.clock.now() + Seconds(3_600)


async def test_counts_of_a_trial_that_is_over_bring_nothing_about(process, database, key):
    await tried(process)
    trial = process.desk.trial
    call_all(process, refuses=False)
    process.clock.advance(LIFETIME + 1)
    await report(process)
    await database.run(
        lambda tx: put_counts(
            tx,
            trial.id,
            "late",
            found={Arm.TRIAL: {AGENTS[0]: Count(100, 100)}},
            now=process.clock.now(),
        )
    )
    await report(process)
    newest = await database.read(lambda tx: newest_activation(tx, key))
    assert newest.bundle == bundle(FORBID).digest


async def test_a_database_that_is_down_keeps_the_trial_as_it_is_and_the_counts(process, database):
    await tried(process)
    call_all(process, refuses=False)
    before = process.desk.world_of(AGENTS[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(database), "run", _down)
        with pytest.raises(ConnectionError):
            await process.desk.report(process.book.present)
    assert process.desk.world_of(AGENTS[0]) is before
    await report(process)
    assert process.desk.trial is not None


async def _down(*_: object) -> None:
    raise ConnectionError


async def test_a_process_whose_clock_is_ahead_does_not_end_it_before_its_time(start):
    one = start()
    ahead = start(instance="ahead", clock=FixedClock(one.clock.now() + 10 * LIFETIME))
    await tried(one)
    await ahead.book.refresh()
    call_all(one, refuses=False)
    await report(ahead, one)
    assert one.desk.trial is not None
    assert one.bundle == bundle().digest
    ahead.clock.advance(LIFETIME)
    await report(ahead, one)
    assert one.bundle == ahead.bundle == bundle(FORBID).digest
