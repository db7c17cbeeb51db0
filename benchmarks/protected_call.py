"""One protected call in process: token, ladder, Cedar, and both records on disk, whole.

What is timed is `Guard.decide` and `Guard.complete` around nothing: the decision is on stable
storage before the first returns, the outcome before the second does. The floor, in the same
run, is a remembered token and the bare call of the Cedar binding with every handle parsed.

*Fresh* asks under policies that read an argument, and each call brings another, so that every
call is put to Cedar. *Reused* asks under policies that read roles, the agent and the hour. A tenth
of the policies are about the tool that is called, as in `benchmarks.decision`. Times are of the
processor, all threads counted, in the best of the rounds; `--profile` says where they go.

`BENCH_DIR=/path` is where the log is kept; it should be the disk that will hold logs.
"""

import asyncio
import cProfile
import os
import pstats
import shutil
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.decision import TOOLS, URL, evaluation, floors, micros, token_of
from remit.audit import Context, FileAuditLog, Network, StreamSettings, Trace
from remit.audit.redact import Redactor
from remit.clock import Seconds, SystemClock
from remit.guard import Call, CallResult, Guard, GuardSettings, Permit, Standing
from remit.guard.definitions import NO_DEFINITIONS
from remit.policy import CedarEngine, DecisionPoint, PolicySource, ResourceKind
from remit.testing.catalog import CRM, small_catalog
from remit.tokens import audience_of

COUNTS = (10, 100, 1_000, 10_000)
ROUNDS = 4
CALLS = 640
AT_ONCE = (1, 64)
MEMORY = Path("/dev/shm")
RESULT = CallResult(
    outcome="ok", upstream_status=200, size=2_048, output_digest="d" * 64, micros=900
)

GENERAL = """
@id("everyone") permit(principal, action in Remit::Action::"call", resource);
@id("night") @refusal("not at night") forbid(principal, action, resource)
  when { context.time.hour < 0 && resource.sensitivity_rank > 2 };
@id("strangers") @refusal("not this agent") forbid(principal, action, resource)
  when { context.agent.class == "unregistered" && resource.sensitivity_rank > 1 };
@id("suspects") forbid(principal, action, resource) when { principal.roles.contains("suspect") };
"""
BY_ARGUMENT = """
@id("own") @refusal("not this account")
forbid(principal, action == Remit::Action::"crm/get_account", resource)
  when { context.arguments.account == "acc_forbidden" };
"""


def policies(count: int, *, by_argument: bool) -> str:
    """Rules for everybody, and for each of many roles; a tenth of them about the tool that is called."""
    lines = [GENERAL, *([BY_ARGUMENT] if by_argument else [])]
    for n in range(count - 4 - by_argument):
        tool = TOOLS[0] if n % 10 == 0 else TOOLS[1 + n % 3]
        lines.append(
            f'@id("rule-{n}") @refusal("not now") '
            f'forbid(principal, action == Remit::Action::"crm/{tool}", resource) '
            f'when {{ context.time.hour > 23 && principal.roles.contains("role-{n}") }};'
        )
    return "\n".join(lines)


class Snapshots:
    """The small catalog, and nobody stopped; standing is read anew as the server does."""

    def __init__(self, clock: SystemClock) -> None:
        self.catalog = small_catalog()
        self.definitions = NO_DEFINITIONS
        self._clock = clock
        self.standing = Standing(as_of=clock.now())

    def renew(self) -> None:
        self.standing = Standing(as_of=self._clock.now())


class Desk:
    """A guard over some policies and a log, and the calls that are put to it."""

    def __init__(self, engine: CedarEngine, log: FileAuditLog) -> None:
        clock = SystemClock()
        verifier, raw = token_of(clock)
        self._authorization = (f"Bearer {raw}",)
        self.snapshots = Snapshots(clock)
        self.guard = Guard(
            verifier,
            self.snapshots,
            decisions=DecisionPoint(engine, clock),
            audit=log,
            redactor=Redactor(b"k" * 32),
            # A machine that is busy with other work must not be refused for it.
            settings=GuardSettings(public_url=URL, standing_max_age=Seconds(3_600)),
        )

    def call(self, number: int) -> Call:
        """A call as a door hands it over: arguments of 1 KB, an account of its own."""
        return Call(
            server=CRM,
            method="tools/call",
            authorization=self._authorization,
            context=Context(
                network=Network("192.0.2.1", "example-agent/1.0"),
                trace=Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"),
            ),
            kind=ResourceKind.TOOL,
            name=TOOLS[0],
            arguments={
                "account": f"acc_{number}",
                "fields": ["name", "balance", "owner"],
                "limit": 20,
                "note": "x" * 900,
            },
            jsonrpc_id=number,
            protocol_version="2026-07-28",
        )

    async def one(self, call: Call) -> None:
        """Decide one call and record what became of it."""
        permit = await self.guard.decide(call)
        assert isinstance(permit, Permit), permit
        await self.guard.complete(permit, call, result=RESULT)

    async def many(self, callers: int, calls: int) -> tuple[float, float]:
        """Processor and wall µs of each of `calls`, made by so many at once."""
        share = calls // callers
        asked = [[self.call(n * share + m) for m in range(share)] for n in range(callers)]

        async def caller(mine: list[Call]) -> None:
            for call in mine:
                await self.one(call)

        self.snapshots.renew()
        wall, processor = time.perf_counter(), time.process_time()
        await asyncio.gather(*(caller(mine) for mine in asked))
        processor, wall = time.process_time() - processor, time.perf_counter() - wall
        return processor / (callers * share) * 1e6, wall / (callers * share) * 1e6


def opened(folder: Path) -> FileAuditLog:
    """A log of its own in `folder`."""
    name = folder / f"log-{time.perf_counter_ns()}" / "main"
    settings = StreamSettings(folder=name, origin="bench/main")
    return FileAuditLog(settings, Ed25519PrivateKey.generate())


def measure(engine: CedarEngine, folder: Path, *, callers: int) -> tuple[float, float]:
    """The best round: processor and wall µs a call."""
    log = opened(folder)
    try:
        desk = Desk(engine, log)
        rounds = [asyncio.run(desk.many(callers, CALLS)) for _ in range(ROUNDS + 1)][1:]
        return min(cpu for cpu, _ in rounds), min(wall for _, wall in rounds)
    finally:
        log.close()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)


def floor() -> tuple[float, float]:
    """What neither could do without: a token's verdict looked up, Cedar's own call over ten policies."""
    clock = SystemClock()
    verifier, raw = token_of(clock)
    audience = audience_of(URL, CRM)
    cedar, _ = floors(policies(10, by_argument=True), evaluation(clock))
    return micros(lambda: verifier.verify(raw, audience=audience)), cedar


def main() -> None:
    """Print the table, or with `--profile` where the time goes."""
    disk = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", ".")))
    memory = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    try:
        if "--profile" in sys.argv:
            profile(disk)
        else:
            table(memory, disk)
    finally:
        shutil.rmtree(disk)
        shutil.rmtree(memory)


def table(memory: Path, disk: Path) -> None:
    """Every number of policies, fresh and reused, log in memory and on disk, one caller and many."""
    token, cedar = floor()
    print(f"floor: token {token:.1f} µs, bare Cedar call {cedar:.0f} µs")
    print("a call, µs of processor (µs on the wall):\n")
    heads = [f"{where}, {n} at once" for where in ("memory", "disk") for n in AT_ONCE]
    print("| policies | decision | " + " | ".join(heads) + " |")
    print("|---|---|" + "---|" * len(heads))
    for count in COUNTS:
        for by_argument in (True, False):
            engine = engine_of(count, by_argument=by_argument)
            cells = []
            for folder in (memory, disk):
                for callers in AT_ONCE:
                    cpu, wall = measure(engine, folder, callers=callers)
                    cells.append(f"{cpu:,.0f} ({wall:,.0f})")
            kind = "fresh" if by_argument else "reused"
            print(f"| {count:,} | {kind} | " + " | ".join(cells) + " |", flush=True)


def engine_of(count: int, *, by_argument: bool) -> CedarEngine:
    """An engine that holds so many policies."""
    text = policies(count, by_argument=by_argument)
    return CedarEngine.load([PolicySource(text, "bench.cedar")], small_catalog())


def profile(folder: Path) -> None:
    """Where the time of the caller's thread goes, with 100 policies: shares, for a profiler is slow itself."""
    for by_argument in (True, False):
        log = opened(folder)
        desk = Desk(engine_of(100, by_argument=by_argument), log)
        asyncio.run(desk.many(64, CALLS))
        profiler = cProfile.Profile()
        profiler.enable()
        asyncio.run(desk.many(64, CALLS))
        profiler.disable()
        log.close()
        print(f"\n### {'fresh' if by_argument else 'reused'}\n")
        pstats.Stats(profiler).sort_stats("tottime").print_stats(28)


if __name__ == "__main__":
    main()
