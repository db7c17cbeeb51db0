"""Proposals in a database that somebody else can write to, and trials taken up again there."""

import pytest
from sqlalchemy import text

from remit.deployment import BadSignatureError, approve, proposal_named, proposals_so_far, reject
from remit.deployment.trial_store import running_trial

from .conftest import ADA, BOB, CALM, FORBID, WIDER, bundle, context_of


async def sql(database, statement: str) -> None:
    await database.run(lambda tx: tx.connection.execute(text(statement)) and None)


@pytest.mark.parametrize(
    "change",
    [
        "proposed_as = '[]'", "proposed_by = 'x'", "waits_for = '[]'", "state = 'unreviewed'", "share = 1",
        "base_sequence = 7", "base = 'x'", "report = '{}'", "report = 'x'", "how = 'rollback'", "how = 'x'",
        "report_digest = 'x'", "proposed_as = 'x'", "seal = ''",
    ],
)  # fmt: skip
async def test_a_proposal_that_was_altered_is_refused_whatever_anybody_says_of_it(
    process, database, key, change
):
    proposal = await process.apply(bundle(WIDER))
    await sql(database, f"UPDATE proposals SET {change}")
    for by in (ADA, BOB):
        with pytest.raises(BadSignatureError, match="not written by this installation"):
            await approve(
                process.deps,
                proposal.id,
                report_digest=proposal.report_digest,
                reason="",
                by=by,
                context=context_of(by),
            )
    with pytest.raises(BadSignatureError):
        await database.read(lambda tx: proposals_so_far(tx, key))
    assert process.bundle == bundle().digest


async def test_an_approval_brings_no_other_bundle_into_force_than_the_one_that_was_shown(
    process, database
):
    harmless, wide = await process.apply(bundle(WIDER)), bundle({**WIDER, **FORBID})
    await process.apply(wide)
    await sql(database, f"UPDATE proposals SET bundle = '{wide.digest}' WHERE id = '{harmless.id}'")
    with pytest.raises(BadSignatureError):
        await approve(
            process.deps,
            harmless.id,
            report_digest=harmless.report_digest,
            reason="",
            by=BOB,
            context=context_of(BOB),
        )


async def test_a_trial_that_is_over_does_not_bring_another_bundle_into_force(process, database):
    proposal = await process.apply(bundle(FORBID), share=10)
    await process.apply(bundle(WIDER))
    await sql(
        database,
        f"UPDATE proposals SET bundle = '{bundle(WIDER).digest}' WHERE id = '{proposal.id}'",
    )
    process.clock.advance(1_000)
    with pytest.raises(BadSignatureError):
        await process.desk.report(process.book.present)
    await process.book.refresh()
    assert process.bundle == bundle().digest


async def test_a_trial_that_was_called_off_is_not_taken_up_again(process, database, key):
    proposal = await process.apply(bundle(FORBID), share=100)
    await reject(process.deps, proposal.id, reason="no", by=BOB, context=context_of(BOB))
    await sql(database, "UPDATE trials SET state = 'runs'")
    with pytest.raises(BadSignatureError):
        await database.read(lambda tx: running_trial(tx, key))
    with pytest.raises(BadSignatureError):
        await process.book.refresh()
    process.clock.advance(1_000)
    await process.desk.report(process.book.present)
    assert process.desk.trial is None
    assert process.bundle == bundle().digest


async def test_every_state_that_a_proposal_comes_to_is_signed_anew(process, database, key):
    ended = await process.apply(bundle(FORBID), share=10)
    await reject(process.deps, ended.id, reason="no", by=BOB, context=context_of(BOB))
    applied = await process.apply(bundle(CALM))
    waiting = await process.apply(bundle(WIDER))
    kept = {
        one.id: one.state.value for one in await database.read(lambda tx: proposals_so_far(tx, key))
    }
    assert kept == {ended.id: "rejected", applied.id: "in_force", waiting.id: "waits"}
    assert await database.read(lambda tx: proposal_named(tx, key, waiting.id)) == waiting
