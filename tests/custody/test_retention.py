from dataclasses import replace
from types import MappingProxyType

import orjson
import pytest

from remit.audit import AuditUnavailableError
from remit.audit.context import Context
from remit.audit.events import AuditErased, AuditPruned
from remit.audit.pruning import Times
from remit.audit.record_seal import RecordSealBrokenError
from remit.clock import rfc3339_ms
from remit.custody.hold_store import Hold, add_hold
from remit.custody.retention import ANYBODY
from tests.custody.conftest import LOG

DAY = 86_400
CONTEXT = Context(tenant="acme")


async def test_what_is_sealed_ends_with_its_month_and_time_and_not_before(world, events):
    await world.keeper.keep()
    january = world.sealed(b"january")
    world.clock.advance(30 * DAY)
    february = world.sealed(b"february")
    await world.keeper.keep()
    assert await world.custody.end_sealed(30 * DAY) == 0
    world.clock.advance(30 * DAY)
    assert await world.custody.end_sealed(30 * DAY) == 1
    with pytest.raises(RecordSealBrokenError):
        world.opened(january)
    assert world.opened(february) == b"february"
    [event] = events.of(AuditErased)
    assert (event.subject_digest, event.keys, event.context.tenant) == (ANYBODY, 1, "acme")
    assert "2026-02" in event.basis


async def test_what_a_hold_covers_stays_until_it_is_lifted(world):
    await world.keeper.keep()
    held, other = world.sealed(b"a"), world.sealed(b"b", subject="usr_2")
    await world.keeper.keep()
    hold = await world.custody.request_hold(
        tenant="acme", subject="usr_1", word=world.word("ada"), context=CONTEXT
    )
    await world.custody.set_hold(hold.id, tenant="acme", word=world.word("bob"), context=CONTEXT)
    world.clock.advance(90 * DAY)
    await world.keeper.keep()
    assert await world.custody.end_sealed(30 * DAY) == 1
    assert world.opened(held) == b"a"
    with pytest.raises(RecordSealBrokenError):
        world.opened(other)
    await world.custody.request_lift(
        hold.id, tenant="acme", word=world.word("ada"), context=CONTEXT
    )
    assert await world.custody.end_sealed(30 * DAY) == 0
    await world.custody.lift_hold(hold.id, tenant="acme", word=world.word("bob"), context=CONTEXT)
    assert await world.custody.end_sealed(30 * DAY) == 1


async def test_a_clock_before_everything_ends_nothing(world):
    world.clock.set(0)
    assert await world.custody.end_sealed(365 * DAY) == 0


def segments(folder, *ages, users=()):
    """A log of one record a segment, each so many days old, and about one of `users`."""
    folder.mkdir()
    for number, age in enumerate(ages):
        observed = rfc3339_ms((1_767_225_600 - age * DAY) * 1_000)
        user = users[number] if users else None
        entry = {
            "act": [], "actor": {"id": user, "type": "user"}, "agent": None, "body": {"of": ["words", 7]}, "client": None,
            "kind": "decision", "observed": observed, "seq": number, "tenant": "acme" if user else None, "user": user,
        }  # fmt: skip
        line = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)
        (folder / f"{number:020d}.jsonl").write_bytes(line + b"\n")


async def pruned(world, folder, covered=100):
    custody = replace(world.custody, folder=folder, covered=lambda _: covered)
    return await custody.prune(Times(365 * DAY, MappingProxyType({})))


async def test_a_log_in_the_database_is_left_to_the_database(world):
    assert await world.custody.prune(Times(0, MappingProxyType({}))) is None


async def test_records_that_were_kept_for_their_time_go_and_the_log_says_so(
    world, events, tmp_path
):
    segments(tmp_path / "main", 500, 400, 300, 200)
    assert (await pruned(world, tmp_path / "main")).size == 2
    assert len(list((tmp_path / "main").iterdir())) == 2
    [event] = events.of(AuditPruned)
    assert (event.log, event.size, event.files) == (LOG, 2, 2)
    assert await pruned(world, tmp_path / "main") is None


@pytest.mark.parametrize(
    ("tenant", "subject", "size"),
    [("acme", "usr_2", 2), ("acme", None, 1), ("globex", "usr_2", 3), ("globex", None, 3)],
)
async def test_what_a_hold_covers_stays_and_what_comes_after_it(
    world, events, tmp_path, tenant, subject, size
):
    segments(tmp_path / "main", 700, 600, 500, 400, users=[None, "usr_1", "usr_2", "usr_1"])
    await world.custody.request_hold(
        tenant=tenant, subject=subject, word=world.word("ada"), context=CONTEXT
    )
    assert (await pruned(world, tmp_path / "main")).size == size
    assert [event.size for event in events.of(AuditPruned)] == [size]
    assert await pruned(world, tmp_path / "main") is None


async def test_a_hold_that_comes_while_it_is_looked_keeps_everything(world, events, tmp_path):
    segments(tmp_path / "main", 500, 400, 300)
    asked = []

    def covered(_):
        hold = Hold(id="hld_1", tenant="globex", subject=None, requested=world.word("ada"))
        world.database.run_now(lambda tx: add_hold(tx, hold))
        asked.append(hold)
        return 100

    custody = replace(world.custody, folder=tmp_path / "main", covered=covered)
    assert await custody.prune(Times(365 * DAY, MappingProxyType({}))) is None
    assert asked
    assert events.of(AuditPruned) == []
    assert len(list((tmp_path / "main").iterdir())) == 3


async def test_keys_that_a_process_left_and_never_claimed_end_too(world):
    await world.keeper.keep()
    left = world.sealed(b"left")
    world.start()  # under another name: nobody settles for it
    world.clock.advance(60 * DAY)
    assert await world.custody.end_sealed(30 * DAY) == 0
    world.clock.advance(3 * DAY)
    await world.custody.request_hold(
        tenant="globex", subject=None, word=world.word("ada"), context=CONTEXT
    )
    assert await world.custody.end_sealed(30 * DAY) == 0
    assert world.opened(left) == b"left"
    world.clock.advance(3 * DAY)
    assert await world.custody.end_sealed(30 * DAY) > 0
    with pytest.raises(RecordSealBrokenError):
        world.opened(left)


async def test_what_the_log_cannot_say_does_not_happen(world, events, tmp_path):
    segments(tmp_path / "main", 500, 400, 300)
    events.failure = AuditUnavailableError("full")
    with pytest.raises(AuditUnavailableError):
        await pruned(world, tmp_path / "main")
    assert len(list((tmp_path / "main").iterdir())) == 3


async def test_what_is_in_no_safe_tile_stays(world, tmp_path):
    segments(tmp_path / "main", 500, 400, 300)
    assert await pruned(world, tmp_path / "main", covered=0) is None
