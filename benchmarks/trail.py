"""The story of one grant among ten million records, by the index on SQLite and on PostgreSQL.

Four gateways wrote them at a thousand a second in all: calls with their outcomes, by 200 agents for 10,000 people under
100,000 grants. A grant's hundred records are spread over the whole of it, which is the worst there can be. Records are made
when they are read, as a log of ten million takes ten gigabytes; what reading one by its number off a real file takes is
measured beside it. The index is written block by block as it is always written; that its rows are those which the
records themselves give is checked on a sample. Wall-clock time of a whole answer, records read and asked; PostgreSQL is a real
server by a socket.

Beside it 500,000 of them are exported as lines of JSON and as CSV, and what memory that took at most, in a process of its own.

`--records N` for another number of them; `--sqlite` for SQLite alone.
"""

import random
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import Query
from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.audit.entry import Moment, Producer, draft, seal
from remit.audit.events import CallCompleted, Decided
from remit.audit.facets import facets_of
from remit.audit.file_source import FileSource
from remit.audit.signing import LocalSigner
from remit.audit.source import Record
from remit.clock import rfc3339_ms
from remit.db import Database, Transaction, migrate
from remit.testing.clock import FixedClock
from remit.trail import Question, Subject, TrailIndex, open_index_file, search, story_of, timeline
from remit.trail.blocks import LARGEST, Block, Posting, block_number, index_records
from remit.trail.index_store import IndexedLog, add_block, indexed_logs, move_log, name_log
from remit.trail.terms import EVERY, term_of
from tests.databases import postgres_server

RECORDS = 10_000_000
LOGS = 4
GRANTS = 100_000
START = 1_767_625_200_000
ASKED = 200
_PRODUCER = Producer()
_MIX = 2_654_435_761


class Made:
    """Logs whose records follow from their number: a decision, then what came of it."""

    def __init__(self, records: int) -> None:
        self.size = records // LOGS // LARGEST * LARGEST

    def logs(self) -> tuple[str, ...]:
        return tuple(f"remit/gateway-{number}" for number in range(LOGS))

    def bounds(self, log: str) -> tuple[int, int]:
        return 0, self.size

    def checkpoint(self, log: str) -> str | None:
        return None

    def leaves(self, log: str, first: int, last: int) -> list[bytes]:
        return [bytes.fromhex(one.leaf) for one in self.read(log, first, limit=last - first)]

    def read(self, log: str, start: int, *, limit: int) -> Iterator[Record]:
        for number in range(start, min(start + limit, self.size)):
            yield Record(log, number, self.line(log, number))

    def at(self, number: int) -> int:
        """When a record was written."""
        return START + number * LOGS

    def call(self, log: str, number: int) -> dict[str, str]:
        """What a call is found by."""
        which = int(log[-1])
        mixed = ((number // 2 * LOGS + which) * _MIX) & 0xFFFFFFFF
        name = f"{number // 2:020d}{which:06d}"
        return {
            "grant": f"grt_{mixed % GRANTS:026d}",
            "agent": f"agent-{mixed % 200}",
            "user": f"usr_{mixed % 10_000}",
            "server": ("crm", "payments", "hr", "wiki")[mixed % 4],
            "trace": f"{name:>032}",
            "decision": f"dec_{name}",
            "ip": f"192.0.2.{mixed % 250}",
            "outcome": "deny" if mixed % 50 == 0 else "allow",
        }

    def line(self, log: str, number: int) -> bytes:
        call = self.call(log, number)
        context = Context(
            actor=Actor(ActorType.AGENT, call["agent"]),
            tenant="acme",
            environment="prod",
            user_id=call["user"],
            agent_id=call["agent"],
            client_id="cli_1",
            grant_id=call["grant"],
            network=Network(ip=call["ip"], user_agent="agent/1.0"),
            trace=Trace(call["trace"], "0" * 16),
        )
        if number % 2:
            event: Decided | CallCompleted = CallCompleted(
                context=context, decision_id=call["decision"], server=call["server"],
                method="tools/call", name="update", outcome="ok",
            )  # fmt: skip
        else:
            event = Decided(
                context=context, decision_id=call["decision"], server=call["server"],
                method="tools/call", name="update", outcome=call["outcome"], reason="allowed",
                scopes_required=("crm:write",), rules=({"id": "everyone", "effect": "permit"},),
                policy_version="f" * 64, catalog_version="f" * 64,
                input={"to": f"tok1.text.{'a' * 26}"},
            )  # fmt: skip
        moment = Moment.of(self.at(number))
        return seal(
            draft(event, _PRODUCER, moment),
            sequence=number,
            previous="0" * 64,
            observed=rfc3339_ms(self.at(number)),
        )


def postings(made: Made, log: str, first: int) -> list[Posting]:
    """The postings of a block, made of what its records are found by without writing them."""
    fixed = [
        {EVERY, *facets_of(Record(log, n, made.line(log, n)).entry())}
        - {(field, value) for field, value in _own(made, log, n)}
        for n in (0, 1)
    ]
    found: dict[int, array[int]] = {}
    for offset in range(LARGEST):
        number = first + offset
        for facet in fixed[number % 2]:
            found.setdefault(term_of(facet), array("H")).append(offset)
        for facet in _own(made, log, number):
            found.setdefault(term_of(facet), array("H")).append(offset)
    return [Posting("acme", term, places.tobytes()) for term, places in sorted(found.items())]


def _own(made: Made, log: str, number: int) -> Iterator[tuple[str, str]]:
    call = made.call(log, number)
    for field in ("grant", "agent", "user", "server", "trace", "decision", "ip"):
        yield field, call[field]
    yield "actor", call["agent"]
    yield "outcome", "ok" if number % 2 else call["outcome"]


def fill(database: Database, made: Made) -> float:
    """Index all of it; records per second."""
    sample = made.logs()[1]
    block = list(made.read(sample, LARGEST, limit=LARGEST))
    assert index_records(block)[0] == postings(made, sample, LARGEST)
    began = time.perf_counter()
    for log in made.logs():
        database.run_now(lambda tx, log=log: name_log(tx, log, first=0))
    for first in range(0, made.size, LARGEST):
        for log in made.logs():
            _index_block(database, made, log, first)
        if first // LARGEST % 50 == 0:
            _progress(first * LOGS, made.size * LOGS)
    _progress(made.size * LOGS, made.size * LOGS)
    return made.size * LOGS / (time.perf_counter() - began)


def _index_block(database: Database, made: Made, log: str, first: int) -> None:
    known = database.read_now(indexed_logs)[log]
    number = block_number(made.at(first + LARGEST - 1), known.number, after=known.last_block)
    moved = IndexedLog(
        log=log, number=known.number, next=first + LARGEST, last_block=number, reach=60_000
    )
    some = postings(made, log, first)

    def work(tx: Transaction) -> None:
        move_log(tx, known, moved)
        add_block(tx, Block(number, known.number, first, LARGEST), some)

    database.run_now(work)


def measure(index: TrailIndex) -> None:
    """What questions take."""
    pick = random.Random(5)

    def grant() -> int:
        story = story_of(
            index, Subject.GRANT, f"grt_{pick.randrange(GRANTS):026d}", tenants=frozenset({"acme"})
        )
        return len(timeline(index, story, Question(query=Query(), limit=500)).found)

    def one_call() -> int:
        made = index.source
        call = made.call("remit/gateway-2", pick.randrange(made.size))  # type: ignore[attr-defined]
        question = Question(query=Query(decision=call["decision"]), tenants=frozenset({"acme"}))
        return len(search(index, question).found)

    def refused() -> int:
        query = Query(agent=f"agent-{pick.randrange(200)}", outcome="deny")
        return len(search(index, Question(query=query, tenants=frozenset({"acme"}))).found)

    def latest() -> int:
        return len(search(index, Question(query=Query(), tenants=frozenset({"acme"}))).found)

    def nothing() -> int:
        query = Query(agent="agent-1", user="usr_2")
        return len(search(index, Question(query=query, tenants=frozenset({"acme"}))).found)

    print("| question | records | p50 ms | p95 ms |\n|---|---:|---:|---:|")
    for name, ask in (
        ("the story of one grant", grant),
        ("one call by its decision", one_call),
        ("an agent's latest refusals", refused),
        ("the latest hundred", latest),
        ("two frequent words that never meet", nothing),
    ):
        times, counts = [], []
        for _ in range(ASKED):
            began = time.perf_counter()
            counts.append(ask())
            times.append((time.perf_counter() - began) * 1_000)
        p95 = quantiles(times, n=20)[-1]
        print(f"| {name} | {median(counts):.0f} | {median(times):.1f} | {p95:.1f} |", flush=True)


def read_files(folder: Path, made: Made) -> None:
    """What a record takes off a file of a real log, by its number."""
    log, size = made.logs()[0], 60_000
    main = folder / "log"
    main.mkdir()
    key = Ed25519PrivateKey.generate()
    (main / "log.pub").write_text(f"{LocalSigner(log, key).verifier}\n")
    with (main / f"{0:020d}.jsonl").open("wb") as file:
        file.writelines(made.line(log, number) + b"\n" for number in range(size))
    source, pick, times = FileSource(folder), random.Random(3), []
    names = source.logs() or (log,)
    for _ in range(500):
        began = time.perf_counter()
        number = pick.randrange(size)
        (record,) = source.read(names[0], number, limit=1)
        times.append((time.perf_counter() - began) * 1_000)
        assert record.sequence == number
    print(f"\na record by its number off a segment of {size * 1.1 / 1_000:.0f} MB: "
          f"p50 {median(times):.2f} ms, p95 {quantiles(times, n=20)[-1]:.2f} ms")  # fmt: skip


_EXPORT = """
import resource, sys, time
from contextlib import closing
from pathlib import Path
from benchmarks.trail import EXPORTED, Made
from remit.audit import Query
from remit.testing.clock import FixedClock
from remit.trail import Form, Making, Question, TrailIndex, collect, open_index_file
from remit.trail.exporting import write_export
place, records, form = Path(sys.argv[1]), int(sys.argv[2]), Form(sys.argv[3])
with closing(open_index_file(place)) as database:
    index = TrailIndex(database, Made(records), clock=FixedClock())
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    found = collect(index, Question(query=Query()), asked={}, most=EXPORTED)
    made = write_export(form, found, Making(at=0, by="x", producer="x"), proofs=None)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"| {form} | {len(found.records):,} | {made.size / 2**20:,.0f} | {took:.0f} | {before / 1024:.0f} | {after / 1024:.0f} |")
"""
EXPORTED = 500_000


def exports(folder: Path, records: int) -> None:
    """What handing out very many takes."""
    print("\n| export | records | MiB | s | MiB of memory before | at most |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    for form in ("jsonl", "csv"):
        command = [sys.executable, "-c", _EXPORT, str(folder / "trail.sqlite3"), str(records), form]
        subprocess.run(command, check=True)


def main() -> None:
    """Both databases, one after the other."""
    records = int(sys.argv[sys.argv.index("--records") + 1]) if "--records" in sys.argv else RECORDS
    made = Made(records)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with closing(open_index_file(folder / "trail.sqlite3")) as database:
            index = TrailIndex(database, made, clock=FixedClock())
            index.begin()
            print(
                f"SQLite, {made.size * LOGS:,} records: {fill(database, made):,.0f} indexed a second"
            )
            size = (folder / "trail.sqlite3").stat().st_size / 2**20
            print(f"{size:,.0f} MiB, {size * 2**20 / made.size / LOGS:.0f} bytes a record\n")
            measure(index)
            exports(folder, made.size * LOGS)
        if "--sqlite" in sys.argv:
            read_files(folder, made)
            return
        with postgres_server(folder) as server:
            url = server.create("trail")
            migrate(url)
            with closing(Database.open(url)) as database:
                index = TrailIndex(database, made, clock=FixedClock())
                index.begin()
                rate = fill(database, made)
                print(f"\nPostgreSQL, {made.size * LOGS:,} records: {rate:,.0f} indexed a second\n")
                measure(index)
        read_files(folder, made)


def _progress(done: int, whole: int) -> None:
    if sys.stderr.isatty():
        width = 40 * done // whole
        sys.stderr.write(f"\r[{'#' * width:<40}] {done:,} of {whole:,}")
        sys.stderr.write("\n" if done == whole else "")
        sys.stderr.flush()
