import asyncio
from types import SimpleNamespace

import pytest

from remit.app import upkeep as room
from remit.app.upkeep import (
    WatchedClock,
    forget_expired,
    keep_counts,
    keep_up,
    record_counts,
    remove_clients,
    trim_pasts,
)
from remit.audit import Context, FloodLimits, TallyingAuditLog
from remit.audit.events import ClientRemoved, RefusalsCounted
from remit.clock import EpochSeconds, Seconds
from remit.db import Database
from remit.db.throttle import count_attempt, network_of
from remit.errors import UnavailableError
from remit.guard.use import Whose
from remit.history.store import UseRow, add_use
from remit.ids import AgentId, ClientId
from remit.model import ClientKind, HistoryFact, HistoryMeasure, Registration
from remit.oauth import client_removal, client_store
from remit.oauth.client import AuthMethod, GrantType
from remit.oauth.client_metadata import ClientMetadata
from remit.oauth.client_store import StoredClient
from remit.testing.audit import InMemoryAuditLog
from remit.testing.clock import FixedClock

NOW = EpochSeconds(1_767_625_200)


def test_what_has_long_expired_is_forgotten_and_the_rest_is_not(database):
    def attempts(tx):
        count_attempt(tx, "old", now=EpochSeconds(NOW - 3 * 86_400), window=300)
        count_attempt(tx, "new", now=NOW, window=300)

    database.run_now(attempts)
    assert database.run_now(lambda tx: forget_expired(tx, NOW)) == 1
    assert database.run_now(lambda tx: forget_expired(tx, NOW)) == 0


async def test_what_no_fact_of_history_reaches_is_deleted(database, clock):
    fact = HistoryFact(name="calls", measure=HistoryMeasure.COUNT, window=3_600)
    directory = SimpleNamespace(catalog=SimpleNamespace(history={"calls": fact}))

    def put(tx):
        for age in (0, 3_600):
            at = EpochSeconds(clock.now() - age)
            row = UseRow(fact=fact.account, whose=Whose("acme"), at=at, use=f"dec_{age}")
            add_use(tx, row)

    database.run_now(put)
    assert await trim_pasts(database, directory, clock) == 1
    assert await trim_pasts(database, directory, clock) == 0


class Leaping(FixedClock):
    """Goes as it should, but for what it says the time is."""

    ahead = 0

    def now_ms(self):
        return super().now_ms() + self.ahead * 1_000


async def test_a_clock_that_leaps_ahead_forgets_nothing(database):
    clock, day = Leaping(), 86_400
    fact = HistoryFact(name="calls", measure=HistoryMeasure.COUNT, window=day)
    directory = SimpleNamespace(catalog=SimpleNamespace(history={"calls": fact}))
    row = UseRow(fact=fact.account, whose=Whose("acme"), at=clock.now(), use="dec_1")
    database.run_now(lambda tx: add_use(tx, row))
    watched = WatchedClock(clock)
    clock.advance(3_600)
    clock.ahead = 30 * day
    assert watched.now() == NOW + 3_600
    assert await trim_pasts(database, directory, watched) == 0
    clock.ahead = 0
    watched.look()
    clock.advance(day)
    assert watched.now() == NOW + 3_600 + day
    assert await trim_pasts(database, directory, watched) == 1


def test_a_clock_that_stays_ahead_is_believed_and_one_that_goes_back_at_once():
    clock = Leaping()
    watched = WatchedClock(clock)
    clock.ahead = 7_200
    watched.look()
    assert (watched.now(), watched.monotonic()) == (NOW + 7_200, clock.monotonic())
    clock.ahead = -60
    assert watched.now() == NOW - 60


async def test_a_failure_is_tried_again(database, clock, monkeypatch):
    monkeypatch.setattr(room, "INTERVAL", 0.01)
    tries = 0
    again = asyncio.Event()

    class Failing:
        async def run(self, work):
            nonlocal tries
            tries += 1
            if tries == 2:
                again.set()
            raise UnavailableError("not now")

    task = asyncio.create_task(keep_up(Failing(), None, clock, renew=None))
    async with asyncio.timeout(60):
        await again.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
def flooded(clock):
    """A log in which one refusal has been counted, and the tally before it."""
    log = InMemoryAuditLog()
    limits = FloodLimits(per_network=0)
    audit = TallyingAuditLog(log, clock, network_of=network_of, limits=limits)
    assert audit.count_refusal(Context(), where="token", error="invalid_client")
    return log, audit


async def test_what_was_counted_is_recorded_when_its_window_ends(flooded, monkeypatch):
    log, audit = flooded
    monkeypatch.setattr(room, "WINDOW", 0.01)
    task = asyncio.create_task(keep_counts(audit))
    async with asyncio.timeout(60):
        while not log.of(RefusalsCounted):  # noqa: ASYNC110  it is the log that is waited for
            await asyncio.sleep(0.01)
    task.cancel()
    assert [one.count for one in log.of(RefusalsCounted)] == [1]


async def test_counts_that_the_log_cannot_take_stop_nothing_and_come_later(flooded):
    log, audit = flooded
    log.failing = True
    await record_counts(audit)
    log.failing = False
    await record_counts(audit)
    assert [one.count for one in log.of(RefusalsCounted)] == [1]


class _InForce:
    """A directory in which the registration of the repository is as a test says."""

    def __init__(self, **registration):
        self.catalog = SimpleNamespace(registration=Registration(**registration))


def _client(name, created_at, **more):
    return StoredClient(
        client_id=ClientId(name),
        kind=ClientKind.DYNAMIC,
        agent_id=AgentId("unregistered"),
        name=name,
        metadata=ClientMetadata(
            client_name=name,
            redirect_uris=("http://localhost/cb",),
            grant_types=(GrantType.AUTHORIZATION_CODE,),
            token_endpoint_auth_method=AuthMethod.NONE,
            application_type="native",
        ),
        secret_digest=None,
        fingerprint="f",
        created_at=created_at,
        **more,
    )


async def test_clients_whose_time_is_over_go_with_the_timer_however_many(
    database_url, clock, monkeypatch
):
    log = InMemoryAuditLog()
    monkeypatch.setattr(client_removal, "_BATCH", 2)
    database = Database.open(database_url, recorder=log)
    now = clock.now()

    def store(tx):
        for n in range(5):
            client_store.add_client(tx, _client(f"cli_{n}", EpochSeconds(now - 3_600)))
        client_store.add_client(tx, _client("cli_new", EpochSeconds(now - 3_599)))

    database.run_now(store)
    directory = _InForce(unused_lifetime=Seconds(3_600), removal_notice=Seconds(60))
    assert await remove_clients(database, directory, clock) == 5
    assert await remove_clients(database, directory, clock) == 0
    assert {event.context.client_id for event in log.of(ClientRemoved)} == {
        f"cli_{n}" for n in range(5)
    }
    (left,) = database.read_now(client_store.select_clients)
    assert left.client_id == "cli_new"
    database.close()


async def test_the_lifetime_is_the_one_of_the_repository_in_force(database_url, clock):
    database = Database.open(database_url, recorder=InMemoryAuditLog())
    database.run_now(lambda tx: client_store.add_client(tx, _client("cli_1", clock.now())))
    clock.advance(3_600)
    assert await remove_clients(database, _InForce(), clock) == 0
    short = _InForce(unused_lifetime=Seconds(3_600), removal_notice=Seconds(60))
    assert await remove_clients(database, short, clock) == 1
    database.close()
