"""How fast copies of the log go out, and what calls notice of it.

Drain: a log of decisions to a receiver in another process, by form, with everything that the server does for it: reading the
files, choosing, writing the form, posting, noting how far it came. The floor is the same bytes posted in batches of the same
size, made beforehand. Calls: the whole of `Guard.decide` with a durable record on a file, 16 at a time, while a sink drains beside it
in the same process: none, one that takes everything, one that is down, one that never answers, one that says 500. Rounds
alternate, and of each the middle of the rounds' percentiles is shown, for the machine may be busy; for the same reason the drain is
shown by the second and by the second of processor.
"""

import asyncio
import contextlib
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import MappingProxyType

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import Context, FileAuditLog, StreamSettings
from remit.audit.events import Decided
from remit.audit.file_source import FileSource
from remit.clock import Seconds, SystemClock
from remit.db import Database, migrate
from remit.guard import GuardSettings
from remit.model import SinkRules
from remit.sinks.deps import SinkCounts, SinkDeps
from remit.sinks.fleet import Fleet
from remit.sinks.forms.form import FORMS
from remit.sinks.loading import load
from remit.sinks.opening import open_sink, settings_of
from remit.sinks.port import BatchRules
from remit.testing.clock import FixedClock
from tests.guard.conftest import URL, World

RECORDS = 20_000
CALLS = 3_200
AT_ONCE = 16
ROUNDS = 5
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Counted(SinkCounts):
    """How many arrived."""

    def __init__(self) -> None:
        self.records = 0

    def sent(self, sink: str, records: int) -> None:
        self.records += records


def receive(port: int, status: int) -> None:
    """A receiver in a process of its own: reads what is posted, and says `status`; 0 says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                if status:
                    writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", port, limit=2**24)
        await server.serve_forever()

    uvloop.run(main())


@asynccontextmanager
async def receiver(port: int, status: int) -> AsyncIterator[str]:
    """Its URL, once it listens."""
    process = multiprocessing.get_context("spawn").Process(target=receive, args=(port, status))
    process.start()
    try:
        for _ in range(400):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.join(10)


def rules_of(url: str, form: str = "json") -> SinkRules:
    options = MappingProxyType({"timeout": "30"})
    return SinkRules(
        name="siem", kind="webhook", form=form, url=url, secret="env:S", options=options,
        alert_after=Seconds(3_600),
    )  # fmt: skip


def decision(number: int) -> Decided:
    """A record as a usual call makes it."""
    return Decided(
        context=Context(tenant="acme", user_id="usr_1", agent_id="support", client_id="cli_1", grant_id="gnt_1"),
        decision_id=f"dec_{number:024d}", server="payments", method="tools/call", name="refund",
        outcome="allow", reason="permitted", operation="write", sensitivity="high",
        scopes_required=("payments:refund.create",), scopes_token=("payments:refund.create",),
        rules=({"id": "finance-refunds", "effect": "permit"},), policy_version="a" * 64,
        catalog_version="b" * 64, engine="cedar", micros=143,
        input={"amount": "tok1.money.abcdefghijklmnopqrstuvwxyz", "invoice": "tok1.string.abcdefghijklmnopqrstuvwxyz"},
        input_digest="c" * 64,
    )  # fmt: skip


def open_log(folder: Path) -> FileAuditLog:
    settings = StreamSettings(folder=folder / "main", origin="remit/main")
    return FileAuditLog(settings, Ed25519PrivateKey.generate())


def fleet_of(
    folder: Path, database: Database, rules: dict[str, SinkRules]
) -> tuple[Fleet, Counted]:
    counts = Counted()
    deps = SinkDeps(
        database=database, source=FileSource(folder), clock=SystemClock(), rules=lambda: rules,
        read_secret=lambda _: SECRET, instance="main", own_log="remit/main", counts=counts,
    )  # fmt: skip
    return Fleet(deps), counts


class Events:
    """Takes the few events of sinks."""

    def record(self, events: object) -> None: ...

    def abandon(self, events: object, cause: BaseException) -> None: ...


def open_database(folder: Path) -> Database:
    url = f"sqlite:///{folder / 'remit.sqlite3'}"
    migrate(url)
    return Database.open(url, recorder=Events())


async def drained(folder: Path, url: str, form: str) -> tuple[float, float]:
    """Records a second, and a second of this process's own time, everything included."""
    with tempfile.TemporaryDirectory() as state, closing(open_database(Path(state))) as database:
        fleet, counts = fleet_of(folder, database, {"siem": rules_of(url, form)})
        began, worked = time.perf_counter(), time.process_time()
        while counts.records < RECORDS:
            await fleet.look()
            for _ in range(100):
                await asyncio.sleep(0.005)
                if counts.records >= RECORDS:
                    break
        taken, worked = time.perf_counter() - began, time.process_time() - worked
        await fleet.close()
        return counts.records / taken, counts.records / worked


async def posted(folder: Path, url: str, form: str) -> float:
    """Records a second of the same bytes, made beforehand."""
    source, rules, batch = FileSource(folder), rules_of(url, form), BatchRules()
    batches, start = [], 0
    while found := load(source, "remit/main", start, rules=rules, form=FORMS[form], batch=batch):
        if not found.shipments:
            break
        batches.append(found.shipments)
        start = found.after
    sink = open_sink(
        "webhook", settings_of(rules, read_secret=lambda _: SECRET, clock=SystemClock())
    )
    began = time.perf_counter()
    for one in batches:
        await sink.send(one)
    taken = time.perf_counter() - began
    await sink.close()
    return sum(len(one) for one in batches) / taken


async def drain() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(open_log(folder)) as log:
            for begin in range(0, RECORDS, 500):
                log.record([decision(begin + number) for number in range(500)])
        async with receiver(18_471, 200) as url:
            print(f"{'form':<8}{'records/s':>12}{'per CPU s':>12}{'floor':>12}")
            for form in FORMS:
                speed, worth = max([await drained(folder, url, form) for _ in range(2)])
                floor = await posted(folder, url, form)
                print(f"{form:<8}{speed:>12,.0f}{worth:>12,.0f}{floor:>12,.0f}", flush=True)


async def called(guard: object, world: World) -> list[float]:
    """Seconds of each call, `AT_ONCE` under way."""
    raw, taken = world.raw(), []

    async def caller() -> None:
        for _ in range(CALLS // AT_ONCE):
            call = world.call(raw=raw)
            began = time.perf_counter()
            await guard.decide(call)  # type: ignore[attr-defined]
            taken.append(time.perf_counter() - began)
            # As callers do: they have something else to do between two calls.
            await asyncio.sleep(0.004)

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return sorted(taken)


async def one_round(url: str | None) -> list[float]:
    """What calls take while a sink has a backlog to drain, and more comes with each call."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(open_log(folder)) as log, closing(open_database(folder)) as database:
            log.record([decision(number) for number in range(10_000 if url else 1)])
            rules = {} if url is None else {"siem": rules_of(url, "ocsf")}
            fleet, _ = fleet_of(folder, database, rules)
            await fleet.look()

            async def looking() -> None:
                while True:
                    await asyncio.sleep(1.0)
                    await fleet.look()

            task = asyncio.create_task(looking())
            world = World(FixedClock())
            guard = world.new_guard(audit=log, settings=GuardSettings(public_url=URL))
            taken = await called(guard, world)
            task.cancel()
            await fleet.close()
            return taken


async def calls() -> None:
    async with (
        receiver(18_472, 200) as well,
        receiver(18_473, 0) as silent,
        receiver(18_474, 500) as failing,
    ):
        cases = {
            "no sink": None,
            "drains": well,
            "down": "http://127.0.0.1:1/",
            "never answers": silent,
            "says 500": failing,
        }
        found: dict[str, list[list[float]]] = {name: [] for name in cases}
        for _ in range(ROUNDS):
            for name, url in cases.items():
                found[name].append(await one_round(url))
        print(f"{'sink':<16}{'p50 ms':>10}{'p99 ms':>10}")
        for name, rounds in found.items():
            p50 = statistics.median(one[len(one) // 2] for one in rounds) * 1_000
            p99 = statistics.median(one[len(one) * 99 // 100] for one in rounds) * 1_000
            print(f"{name:<16}{p50:>10.2f}{p99:>10.2f}", flush=True)


def main() -> None:
    """Print both tables."""
    uvloop.run(drain())
    print()
    uvloop.run(calls())


if __name__ == "__main__":
    main()
