"""What a call costs that policies judge by what was done before, against the same call without.

The whole of `Guard.decide`, with its token, its policies and its record in memory, so that what is
left is what history adds: a transaction that counts the call and reads what it comes to, and, for a call
that is refused, one that takes it back. SQLite is a file as `remit serve` has it; PostgreSQL is a real
server by a socket, which as in the tests does not wait for the disk. Wall-clock time of one call after another,
and of 32 at a time for 32 people; what the fastest tenth took at the most, for the machine may be busy.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import insert

from remit.db import Database, migrate
from remit.db.throttle import count_attempt
from remit.guard import Call, Guard, GuardSettings
from remit.history import DatabasePast
from remit.history.store import uses
from remit.ids import ScopeName
from remit.model import HistoryFact, HistoryMeasure
from remit.policy import CedarEngine, PolicySource
from remit.testing.audit import InMemoryAuditLog
from remit.testing.catalog import ACME, small_catalog
from remit.testing.clock import FixedClock
from tests.databases import postgres_server
from tests.guard.conftest import URL, World

CALLS = 300
AT_ONCE = 32
PAY = ScopeName("payments:refund.create")
FACT = HistoryFact(
    name="refunded",
    measure=HistoryMeasure.SUM,
    window=86_400,
    things=("payments/refund",),
    argument="amount",
    currency="USD",
)
PLAIN = """
@id("everyone") permit(principal, action in Remit::Action::"call", resource);
@id("large") forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("500.0")) };
"""
LIMITED = (
    PLAIN
    + """
@id("a-day") forbid(principal, action == Remit::Action::"payments/refund", resource)
when { context.history.refunded.greaterThan(decimal("900000000000.0")) };
"""
)
"""A limit that is never reached: what is measured is to be allowed."""


class Bench(World):
    """The guard's world of the tests, over one set of policies and one database."""

    def __init__(self, text: str, history: tuple[HistoryFact, ...], past: DatabasePast | None):
        super().__init__(FixedClock())
        self.audit = InMemoryAuditLog()
        self.directory.catalog = replace(
            small_catalog(), history=MappingProxyType({fact.name: fact for fact in history})
        )
        source = PolicySource(text, "policies/bench.cedar")
        self.decisions.publish(CedarEngine.load([source], self.directory.catalog))
        settings = GuardSettings(public_url=URL)
        self.guard = Guard(
            self.verifier,
            self.directory,
            decisions=self.decisions,
            audit=self.audit,
            redactor=self.redactor,
            settings=settings if past is None else replace(settings, past=past),
        )
        self.people = [self.refund("10", "USD", token={"sub": f"usr_{n}"}) for n in range(AT_ONCE)]
        self.refused = self.refund("600", "USD")

    async def decide(self, call: Call) -> None:
        await self.guard.decide(call)

    async def warm(self) -> None:
        """So many calls that a past of very many uses has been merged."""
        for _ in range(70):
            await self.decide(self.people[0])


async def micros(work: Callable[[], Awaitable[object]], times: int, share: int = 1) -> float:
    """What the fastest tenth of so many `work()` took at the most, one after another; divided by `share`."""
    for _ in range(5):
        await work()
    took = []
    for _ in range(times):
        started = time.perf_counter()
        await work()
        took.append(time.perf_counter() - started)
    return sorted(took)[times // 10] / share * 1e6


async def figures(bench: Bench) -> tuple[float, float, float]:
    """Of an allowed call, of a refused one, and of many at a time."""

    async def together() -> None:
        await asyncio.gather(*(bench.decide(call) for call in bench.people))

    return (
        await micros(lambda: bench.decide(bench.people[0]), CALLS),
        await micros(lambda: bench.decide(bench.refused), CALLS),
        await micros(together, CALLS // 10, AT_ONCE),
    )


def fill(database: Database, rows: int, now: int) -> None:
    """Put so many uses into the past of the first person."""
    given = [
        {
            "tenant": ACME, "fact": FACT.account, "agent": "assistant", "subject": "usr_0",
            "grant_id": "", "at": now - n % 80_000, "use": f"dec_{n}", "member": "", "amount": 1, "times": 1,
        }
        for n in range(rows)
    ]  # fmt: skip
    for start in range(0, rows, 5_000):
        part = given[start : start + 5_000]
        database.run_now(lambda tx, part=part: tx.connection.execute(insert(uses), part))


def row(name: str, found: tuple[float, float, float]) -> None:
    allowed, refused, together = found
    print(f"| {name} | {allowed:,.0f} | {refused:,.0f} | {together:,.0f} |", flush=True)


async def floor(database: Database) -> float:
    """A transaction that writes one row and waits for the disk as the database is set to, and nothing else."""
    at = FixedClock().now()
    return await micros(
        lambda: database.run(lambda tx: count_attempt(tx, "bench", now=at, window=at)), CALLS
    )


async def over(name: str, url: str) -> None:
    migrate(url)
    database = Database.open(url)
    print(f"| {name}: one row written, no decision | {await floor(database):,.0f} | | |")
    past = DatabasePast(database)
    row(f"{name}: declared, but not of this call", await figures(
        Bench(PLAIN, (replace(FACT, things=("crm/get_account",)),), past)
    ))  # fmt: skip
    row(f"{name}: counted, and read by no policy", await figures(Bench(PLAIN, (FACT,), past)))
    database.close()
    for rows in (0, 1_000, 100_000):
        with tempfile.TemporaryDirectory() as folder:
            again = f"sqlite:///{folder}/bench.sqlite3" if url.startswith("sqlite") else url
            migrate(again)
            database = Database.open(again)
            database.run_now(lambda tx: tx.connection.execute(uses.delete()))
            fill(database, rows, FixedClock().now())
            bench = Bench(LIMITED, (FACT,), DatabasePast(database))
            await bench.warm()
            row(f"{name}: counted and read, {rows:,} uses before", await figures(bench))
            database.close()


async def run() -> None:
    print("| µs for one decision | allowed | refused | allowed, 32 at a time |")
    print("|---|---:|---:|---:|")
    row("without history", await figures(Bench(PLAIN, (), None)))
    with tempfile.TemporaryDirectory() as folder:
        await over("SQLite", f"sqlite:///{folder}/bench.sqlite3")
    with (
        tempfile.TemporaryDirectory() as shared,
        postgres_server(Path(shared)) as server,
    ):
        await over("PostgreSQL", server.create("bench"))


def main() -> None:
    """Print the table."""
    asyncio.run(run())
