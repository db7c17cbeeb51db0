"""Both databases. Records in the database go when their time is over, the log says so before, and a hold keeps them."""

import secrets
from contextlib import closing
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit import AuditUnavailableError, Verdict, verify_log
from remit.audit import database_pruning as pruning
from remit.audit.context import Context
from remit.audit.database_log import DatabaseAuditLog
from remit.audit.database_source import DatabaseSource
from remit.audit.dump import dump_logs
from remit.audit.events import AuditPruned, AuditStopped
from remit.audit.pruning import Times
from remit.audit.recovery import AuditLogDamagedError
from remit.custody.database_retention import prune_database
from remit.custody.held import StandingHolds
from remit.db import Database, migrate
from tests.custody.conftest import LOG

DAY = 86_400
YEAR = Times(365 * DAY, MappingProxyType({}))
CONTEXT = Context(tenant="acme")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def source(database):
    return DatabaseSource(database)


@pytest.fixture
def fill(database_url, clock):
    """Makes a log of so many records, that nobody holds afterwards."""

    def fill(count=600, *, log=LOG):
        kept = DatabaseAuditLog(database_url, KEY, origin=log, holder="here", clock=clock)
        for _ in range(count // 100):
            kept.record([AuditStopped(context=CONTEXT)] * 100)
            kept.checkpoint()
        kept.close()

    return fill


@pytest.fixture
def prune(database, clock, world):
    async def prune(times=YEAR):
        return await prune_database(
            database, times, own=LOG, standing=world.custody.standing, clock=clock
        )

    return prune


async def test_what_was_kept_for_its_time_goes_and_the_log_says_so(
    fill, prune, source, events, clock
):
    fill()
    assert await prune() == 0
    clock.advance(366 * DAY)
    assert await prune() == 512
    assert source.bounds(LOG)[0] == 512
    [event] = events.of(AuditPruned)
    assert (event.log, event.size, event.files) == (LOG, 512, 0)
    assert await prune() == 0


async def test_what_others_left_goes_as_well(fill, prune, source, clock):
    fill()
    fill(log="remit/gone")
    clock.advance(366 * DAY)
    assert await prune() == 1_024
    assert source.bounds("remit/gone")[0] == 512


async def test_as_much_goes_as_may_portion_after_portion(
    fill, prune, source, events, clock, monkeypatch
):
    monkeypatch.setattr(pruning, "_MOST", 256)
    fill(900)
    clock.advance(366 * DAY)
    assert await prune() == 768
    assert [event.size for event in events.of(AuditPruned)] == [256, 512, 768]


@pytest.mark.parametrize(("tenant", "size"), [("acme", 0), ("globex", 512)])
async def test_what_a_hold_covers_stays(fill, prune, world, source, events, clock, tenant, size):
    fill()
    clock.advance(366 * DAY)
    world.clock.set(clock.now())
    await world.custody.request_hold(
        tenant=tenant, subject=None, word=world.word("ada"), context=CONTEXT
    )
    assert await prune() == size
    assert bool(events.of(AuditPruned)) == bool(size)
    assert source.bounds(LOG)[0] == size


async def test_what_the_log_cannot_say_does_not_happen(fill, prune, source, events, clock):
    fill()
    clock.advance(366 * DAY)
    events.failure = AuditUnavailableError("full")
    with pytest.raises(AuditUnavailableError):
        await prune()
    assert source.bounds(LOG)[0] == 0


async def test_a_hold_that_comes_after_the_word_still_keeps_what_is_there(
    fill, prune, source, clock, monkeypatch
):
    fill()
    clock.advance(366 * DAY)
    free = iter([True, True, False])  # looked at before, with the word, and with the removal
    monkeypatch.setattr(StandingHolds, "are_all", lambda self, tx, now: next(free))
    assert await prune() == 0
    assert source.bounds(LOG)[0] == 0


async def test_one_log_that_was_changed_does_not_keep_the_others(
    fill, prune, database, source, clock
):
    fill(log="remit/changed")
    fill()
    other = "UPDATE audit_records SET line = (SELECT line FROM audit_records WHERE log = 'remit/main' AND seq = 4) WHERE log = 'remit/changed' AND seq = 3"
    database.run_now(lambda tx: tx.connection.execute(text(other)))
    clock.advance(366 * DAY)
    with pytest.raises(AuditLogDamagedError):
        await prune()
    assert source.bounds(LOG)[0] == 512
    assert source.bounds("remit/changed")[0] == 0


async def test_a_log_that_prunes_itself_is_valid_when_it_is_copied_out(postgres, clock, tmp_path):
    url = postgres.create(f"retention_{secrets.token_hex(4)}")
    migrate(url)
    kept = DatabaseAuditLog(url, KEY, origin=LOG, holder="here", clock=clock)
    with closing(kept), closing(Database.open(url, recorder=kept)) as own:
        for _ in range(3):
            for _ in range(4):
                kept.record([AuditStopped(context=CONTEXT)] * 100)
                kept.checkpoint()
            clock.advance(366 * DAY)
            removed = await prune_database(
                own, YEAR, own=LOG, standing=lambda _: StandingHolds((), None), clock=clock
            )
            assert removed >= 256
        kept.checkpoint()
        dump_logs(own, tmp_path)
    report = verify_log(tmp_path)
    assert report.verdict is Verdict.VALID
    assert report.streams[0].first >= 768
