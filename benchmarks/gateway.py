"""Tool calls through the gateway, beside a bare proxy on the same parts and the proxies of others, in one run.

The same 1 KB `tools/call` goes to each: direct to the server behind; through a bare proxy (uvicorn and
our own client, bytes in, bytes out); through one on another client library; through the
gateway alone, whose guard permits everything and keeps nothing; through a whole `remit serve`, with
token, standing, scopes, Cedar, and the decision and the outcome of every call on disk before it
goes on; through FastMCP's proxy, which verifies a JWT itself; and through ContextForge,
where there is a Python that it accepts.
What is measured has the first core to itself; the server behind and the load share the others.

Processor time is that of the whole process, its threads included, from /proc: it is the figure that
another program on the machine disturbs least.

    python -m benchmarks.gateway [--seconds 5] [--connections 16] [--rounds 3] [--streams 1000]
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks import _contextforge, _load, _peers, _whole

ROOT = Path(__file__).resolve().parents[1]
PORTS = {
    "direct": 18761, "bare proxy": 18762, "pyreqwest": 18763, "gateway": 18764, "remit": 18765,
    "fastmcp": 18766, "contextforge": 18767,
}  # fmt: skip
BEHIND = f"http://127.0.0.1:{PORTS['direct']}/mcp"
NAMES = {
    "direct": "direct",
    "bare proxy": "bare proxy (uvicorn, our client)",
    "pyreqwest": "bare proxy (uvicorn, pyreqwest)",
    "gateway": "gateway alone",
    "remit": "whole Remit",
    "fastmcp": "FastMCP proxy, verifies a JWT",
    "contextforge": "ContextForge, verifies a JWT",
}
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Subject:
    """Something that answers calls."""

    name: str
    process: subprocess.Popen
    path: str
    token: str
    tool: str = "find"
    rounds: list[tuple[float, float, float, float]] = field(default_factory=list)

    @property
    def port(self):
        return PORTS[self.name]

    def request(self, **more):
        return _load.request_bytes(self.port, self.path, self.token, tool=self.tool, **more)

    @contextlib.asynccontextmanager
    async def callers(self, connections):
        """Connections that have just answered."""
        callers = await _load.connect(self.port, self.request(), connections)
        try:
            await _load.saturate(callers, 0.5)
            yield callers
        finally:
            for caller in callers:
                caller.transport.close()

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    @property
    def rate(self):
        return statistics.median(one[0] for one in self.rounds)


def pinned(command):
    """`command` on the first core, where there is a second for the load."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", "0", *command] if taskset and (os.cpu_count() or 1) > 1 else command


async def reachable(port, process):
    for _ in range(600):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        if process.poll() is not None:
            break
        await asyncio.sleep(0.1)
    raise SystemExit(f"nothing listens on {port}")


async def started(folder, stack):
    """Every subject that can be had, and answers."""
    found = [
        await _started(
            "direct",
            [sys.executable, "-m", "benchmarks._behind", str(PORTS["direct"])],
            stack,
            pin=False,
        )
    ]
    for name, kind, path in (
        ("bare proxy", "proxy", "/mcp"), ("pyreqwest", "pyreqwest", "/mcp"),
        ("gateway", "gateway", "/mcp/bench"),
    ):  # fmt: skip
        command = [sys.executable, "-m", "benchmarks._front", kind, str(PORTS[name]), BEHIND]
        found.append(await _started(name, command, stack, path=path))
    process = _whole.start(folder, upstream=BEHIND, port=PORTS["remit"], pin=pinned)
    stack.callback(_peers.stop, process)
    found.append(Subject("remit", process, "/mcp/bench", _whole.token(PORTS["remit"])))
    for name, begin in (("fastmcp", _peers.fastmcp), ("contextforge", _contextforge.contextforge)):
        try:
            peer = begin(PORTS[name], BEHIND, pinned)
        except _peers.AbsentError as absent:
            print(f"{NAMES[name]}: absent, {absent}")
            continue
        stack.callback(_peers.stop, peer.process)
        found.append(Subject(name, peer.process, peer.path, peer.token, peer.tool))
    for subject in found:
        await reachable(subject.port, subject.process)
        await _load.answered(subject.port, subject.request())
    return found


async def _started(name, command, stack, *, path="/mcp", pin=True):
    process = subprocess.Popen(  # noqa: ASYNC220  nothing else runs meanwhile
        pinned(command) if pin else command, cwd=ROOT
    )
    stack.callback(_peers.stop, process)
    await reachable(PORTS[name], process)
    return Subject(name, process, path, "dana")


async def saturated(subjects, options):
    """As many calls as each can answer; the rounds alternate, so that all meet the same machine."""
    for _ in range(options.rounds):
        for subject in subjects:
            async with subject.callers(options.connections) as callers:
                before = subject.processor_seconds()
                load = await _load.saturate(callers, options.seconds)
                spent = (subject.processor_seconds() - before) / len(load.waits)
            subject.rounds.append((load.rate, load.quantile(0.5), load.quantile(0.99), spent))
    print("\n| saturated | calls/s | p50 ms | p99 ms | processor µs a call | of the bare proxy |")
    print("|---|---|---|---|---|---|")
    bare = next(one.rate for one in subjects if one.name == "bare proxy")
    for subject in subjects:
        rate, p50, p99, spent = (
            statistics.median(one) for one in zip(*subject.rounds, strict=True)
        )
        print(
            f"| {NAMES[subject.name]} | {rate:,.0f} | {p50 * 1e3:.2f} | {p99 * 1e3:.2f} "
            f"| {spent * 1e6:,.0f} | {rate / bare:.0%} |"
        )
    stages(subjects)
    ours = next(one.rate for one in subjects if one.name == "remit")
    for peer in subjects:
        if peer.name in {"fastmcp", "contextforge"}:
            times = ours / peer.rate
            print(f"\nRemit answers {times:.0f} times as many calls as {NAMES[peer.name]}.")


def stages(subjects):
    """Where the processor time of a call goes, told by what each of the subjects leaves out."""
    spent = {
        one.name: statistics.median(round_[3] for round_ in one.rounds) * 1e6 for one in subjects
    }
    parts = {
        "HTTP on both sides (the bare proxy)": spent["bare proxy"],
        "reading, checking, carrying, writing anew (the gateway alone, less that)": spent["gateway"]
        - spent["bare proxy"],
        "metrics, token, standing, Cedar, two records on disk (whole Remit, less both)": spent[
            "remit"
        ]
        - spent["gateway"],
    }
    print("\n| where the processor time of a call goes | µs | share |\n|---|---|---|")
    for part, micros in parts.items():
        print(f"| {part} | {micros:,.0f} | {micros / spent['remit']:.0%} |")


async def at_half_load(subjects, options):
    """The waits at half the calls a second that Remit can answer, for all of them the same."""
    rate = next(one.rate for one in subjects if one.name == "remit") / 2
    print(
        f"\n| at {rate:,.0f} calls/s | p50 ms | p99 ms | added p50 ms | added p99 ms |\n|---|---|---|---|---|"
    )
    floor = None
    for subject in subjects:
        if subject.rate < rate * 1.5:
            continue
        loads = []
        for _ in range(options.rounds):
            async with subject.callers(options.connections) as callers:
                loads.append(await _load.pace(callers, options.seconds, rate))
        p50, p99 = (statistics.median(load.quantile(q) for load in loads) for q in (0.5, 0.99))
        floor = floor or (p50, p99)
        print(
            f"| {NAMES[subject.name]} | {p50 * 1e3:.2f} | {p99 * 1e3:.2f} "
            f"| {(p50 - floor[0]) * 1e3:.2f} | {(p99 - floor[1]) * 1e3:.2f} |"
        )


async def first_bytes(subjects, times):
    """How long the first event of a stream takes from the server behind to the caller."""
    print("\n| first event of a stream, one at a time | p50 ms | p99 ms |\n|---|---|---|")
    for subject in subjects:
        if subject.name in {"direct", "gateway", "remit"}:
            waits = await _load.first_bytes(subject.port, subject.request(query="stream"), times)
            print(
                f"| {NAMES[subject.name]} | {statistics.median(waits) * 1e3:.2f} "
                f"| {waits[int(len(waits) * 0.99)] * 1e3:.2f} |"
            )


async def held(subjects, streams):
    """The memory of a process that holds so many streams open, and after them."""
    print(
        f"\n| {streams} open streams | MB before | MB with them | MB after | KB a stream |\n|---|---|---|---|---|"
    )
    for subject in subjects:
        if subject.name not in {"gateway", "remit"}:
            continue
        before = subject.resident_megabytes()
        opened = await _load.hold(subject.port, subject.request(query="hold"), streams)
        most = subject.resident_megabytes()
        for _, writer in opened:
            writer.close()
        await asyncio.sleep(3)
        print(
            f"| {NAMES[subject.name]} | {before:.0f} | {most:.0f} | {subject.resident_megabytes():.0f} "
            f"| {(most - before) * 1024 / streams:.0f} |"
        )


async def run(options, folder):
    with contextlib.ExitStack() as stack:
        subjects = await started(folder, stack)
        await saturated(subjects, options)
        await at_half_load(subjects, options)
        await first_bytes(subjects, options.times)
        await held(subjects, options.streams)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--times", type=int, default=300)
    direct = Path(sys.argv[0]).stem == "gateway"
    options = parser.parse_args(sys.argv[1:] if direct else [])
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(1, os.cpu_count() or 1))
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        uvloop.run(run(options, Path(folder)))


if __name__ == "__main__":
    main()
