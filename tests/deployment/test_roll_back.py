"""Going back: to what was in force here, by one person, at once, and said aloud where it gives more."""

import asyncio

import pytest
from sqlalchemy import text

from remit.audit.events import BundleActivated, BundleTrialEnded
from remit.deployment import BadSignatureError, NotASecondPersonError, approve, roll_back
from remit.deployment.activation_store import Activation, How, newest_activation
from remit.deployment.loaded import OtherStageError
from remit.deployment.roll_back import before_that
from remit.errors import ConflictError, NotFoundError

from .conftest import ADA, BOB, CALM, FORBID, WIDER, bundle, context_of

EMPTY = {"roles.yaml": "roles: {}\n"}


async def back(process, digest=None, by=ADA):
    return await roll_back(process.deps, digest, reason="it broke", by=by, context=context_of(by))


async def test_it_is_the_bundle_before_and_every_process_follows(start, events):
    one, other = start(), start(instance="other")
    await one.apply(bundle(EMPTY))
    await one.apply(bundle({**EMPTY, **FORBID}))
    proposal = await back(one)
    await other.book.refresh()
    assert one.bundle == other.bundle == bundle(EMPTY).digest
    assert proposal.how is How.ROLLBACK
    last = events.of(BundleActivated)[-1]
    assert (last.how, last.sequence, last.bundle) == ("rollback", 4, bundle(EMPTY).digest)


async def test_the_folder_that_was_there_first_is_gone_back_to_as_well(process):
    await process.apply(bundle(FORBID))
    await back(process)
    assert process.bundle == bundle().digest


async def test_any_that_was_in_force_may_be_named_by_the_beginning_of_its_digest(process):
    for changes in (EMPTY, {**EMPTY, **FORBID}, {**EMPTY, **CALM}):
        await process.apply(bundle(changes))
    await back(process, bundle(EMPTY).digest[:12])
    assert process.bundle == bundle(EMPTY).digest


async def test_what_was_never_in_force_here_is_no_way_back(process):
    with pytest.raises(NotFoundError, match="no bundle was in force before"):
        await back(process)
    waiting = await process.apply(bundle(WIDER))
    await process.apply(bundle(FORBID))
    for name in (waiting.bundle, "0" * 64, "zz"):
        with pytest.raises(NotFoundError):
            await back(process, name)
    with pytest.raises(ConflictError):
        await back(process, bundle(FORBID).digest)
    assert process.bundle == bundle(FORBID).digest


async def test_what_was_in_force_in_another_stage_was_judged_there_and_not_here(start):
    laid = bundle({**FORBID, "stages/prod/agents/helper.yaml": WIDER["agents/helper.yaml"]})
    staging = start(stage="staging")
    await staging.apply(laid)
    await staging.apply(bundle(CALM))
    prod = start(stage="prod", instance="prod")
    await prod.book.refresh()
    with pytest.raises(OtherStageError):
        await back(prod, laid.digest)
    assert prod.bundle == bundle(CALM).digest
    await back(staging, laid.digest)
    assert staging.bundle == laid.digest


async def test_what_gives_more_happens_at_once_and_stays_open_for_somebody_else(process):
    await process.apply(bundle(FORBID))
    proposal = await back(process)
    assert process.bundle == bundle().digest
    assert (proposal.state.value, proposal.waits_for) == ("unreviewed", ("review",))
    reviewed = await approve(
        process.deps,
        proposal.id,
        report_digest=proposal.report_digest,
        reason="right",
        by=BOB,
        context=context_of(BOB),
    )
    assert reviewed.state.value == "in_force"
    assert process.bundle == bundle().digest


async def test_a_bundle_that_was_altered_since_is_no_way_back(process, database):
    await process.apply(bundle(FORBID))

    def alter(tx) -> None:
        tx.connection.execute(
            text("UPDATE bundles SET content = replace(content, 'permit', 'permit ')")
        )

    await database.run(alter)
    with pytest.raises(BadSignatureError, match="was altered"):
        await back(process)
    assert process.bundle == bundle(FORBID).digest


async def test_a_trial_ends_with_it(process, events):
    await process.apply(bundle(EMPTY))
    await process.apply(bundle({**EMPTY, **FORBID}), share=10)
    assert process.desk.trial is not None
    await back(process)
    assert process.desk.trial is None
    assert [one.outcome for one in events.of(BundleTrialEnded)] == ["cancelled"]


def _history(*steps: tuple[How, str]) -> list[Activation]:
    made = [
        Activation(
            sequence=number,
            bundle=bundle,
            previous="",
            how=how,
            stage="",
            proposal=None,
            reason="",
            activated_at=number,
            activated_by="",
        )
        for number, (how, bundle) in enumerate(steps, 1)
    ]
    return made[::-1]


@pytest.mark.parametrize(
    ("steps", "before"),
    [
        ([], None),
        ([(How.FOLDER, "a")], None),
        ([(How.FOLDER, "a"), (How.APPLY, "b")], "a"),
        ([(How.FOLDER, "a"), (How.APPLY, "b"), (How.APPLY, "c"), (How.ROLLBACK, "b")], "a"),
        ([(How.FOLDER, "a"), (How.APPLY, "b"), (How.ROLLBACK, "a")], None),
        ([(How.FOLDER, "a"), (How.APPLY, "b"), (How.ROLLBACK, "a"), (How.APPLY, "c")], "a"),
        ([(How.APPLY, "a"), (How.APPLY, "b"), (How.APPLY, "a")], "b"),
    ],
    ids=["nothing", "one", "two", "twice back", "back to the first", "on from there", "there and back by apply"],
)  # fmt: skip
def test_going_back_twice_goes_back_two(steps, before):
    assert before_that(_history(*steps)) == before


async def test_whoever_goes_back_to_rules_that_ask_for_nobody_gains_nothing_by_it(start):
    process = start(bundle(rules="second_person: never"))
    strict = bundle(rules="second_person: always")
    assert (await process.apply(strict)).state.value == "in_force"
    went_back = await back(process)
    assert went_back.state.value == "unreviewed"
    with pytest.raises(NotASecondPersonError):
        await approve(
            process.deps,
            went_back.id,
            report_digest=went_back.report_digest,
            reason="",
            by=ADA,
            context=context_of(ADA),
        )
    wide = await process.apply(bundle(WIDER, rules="second_person: never"))
    assert (wide.state.value, wide.waits_for) == ("waits", ("second_person",))
    with pytest.raises(NotASecondPersonError):
        await approve(
            process.deps,
            wide.id,
            report_digest=wide.report_digest,
            reason="",
            by=ADA,
            context=context_of(ADA),
        )
    assert process.bundle == bundle(rules="second_person: never").digest


async def test_going_back_twice_does_not_hide_that_nobody_has_looked(start):
    process = start(bundle(FORBID, rules="second_person: never"))
    await process.apply(bundle(rules="second_person: never"))
    await process.apply(bundle(rules="second_person: always"))
    assert (await back(process)).state.value == "unreviewed"
    assert (await back(process)).state.value == "in_force", "less is less"
    wide = await process.apply(bundle(WIDER, rules="second_person: never"))
    assert (wide.state.value, wide.waits_for) == ("waits", ("second_person",))


async def test_where_one_person_decides_everything_nobody_else_has_to_look(start):
    process = start(bundle(rules="second_person: never"))
    await process.apply(bundle(FORBID, rules="second_person: never"))
    went_back = await back(process)
    assert (went_back.state.value, went_back.waits_for) == ("in_force", ())


async def test_of_going_back_and_applying_at_once_one_happens_and_the_other_is_told(
    start, database, key, events
):
    one, other = start(), start(instance="other")
    await one.apply(bundle(FORBID))
    await other.book.refresh()
    results = await asyncio.gather(
        back(one), other.apply(bundle(CALM), BOB), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in results) == ["ConflictError", "Proposal"]
    for process in (one, other):
        await process.book.refresh()
    newest = await database.read(lambda tx: newest_activation(tx, key))
    assert one.bundle == other.bundle == newest.bundle
    assert [one.sequence for one in events.of(BundleActivated)] == [1, 2, 3]


async def test_going_back_while_somebody_approves_leaves_no_mixture(start, database, key):
    one, other = start(), start(instance="other")
    await one.apply(bundle(FORBID))
    proposal = await one.apply(bundle({**FORBID, **WIDER}))
    await other.book.refresh()
    said = approve(
        other.deps, proposal.id, report_digest=proposal.report_digest, reason="", by=BOB,
        context=context_of(BOB),
    )  # fmt: skip
    results = await asyncio.gather(back(one), said, return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["ConflictError", "Proposal"]
    for process in (one, other):
        await process.book.refresh()
    newest = await database.read(lambda tx: newest_activation(tx, key))
    assert (newest.sequence, one.bundle, other.bundle) == (3, newest.bundle, newest.bundle)
