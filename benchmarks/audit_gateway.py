"""The audit log under a running gateway: durable events a second, and what waiting for the disk adds to a call.

A whole `remit serve` answers tool calls; each is two events, the decision on stable storage before it goes on, the outcome
before its caller is answered. Once with the data folder on the disk, once in memory: what the disk adds is the difference,
at the same even rate of calls. Then one process holds the gateway's guard and, beside its calls, other events come as fast as
the log takes them: what the log keeps then, all of it durable, and what that does to the calls.

    BENCH_DIR=/path python -m benchmarks audit_gateway
"""

import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import _load, _peers, _whole
from benchmarks.audit_append import decision
from benchmarks.gateway import ROOT, reachable
from benchmarks.protected_call import GENERAL, MEMORY, Desk, opened
from remit.policy import CedarEngine, PolicySource
from remit.testing.catalog import small_catalog

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
BEHIND, FRONT = 18781, 18782
CONNECTIONS = 16
SHARE = 0.5
BESIDE = 64
"""Events that wait beside the calls, at any time."""


def main() -> None:
    """Print both tables."""
    disk = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", ".")))
    memory = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    try:
        asyncio.run(_served(disk, memory))
        asyncio.run(_beside(disk))
    finally:
        shutil.rmtree(disk, ignore_errors=True)
        shutil.rmtree(memory, ignore_errors=True)


async def _served(disk: Path, memory: Path) -> None:
    """A whole Remit, saturated, then at half of that on the disk and in memory."""
    with contextlib.ExitStack() as stack:
        behind = subprocess.Popen(  # noqa: ASYNC220  nothing else runs meanwhile
            [sys.executable, "-m", "benchmarks._behind", str(BEHIND)], cwd=ROOT
        )
        stack.callback(_peers.stop, behind)
        await reachable(BEHIND, behind)
        rate = None
        found = {}
        for name, folder in (("disk", disk), ("memory", memory)):
            found[name] = await _at(folder, rate)
            rate = rate or found[name][2]
    calls, events, half, p50, p99 = found["disk"]
    _, _, _, floor50, floor99 = found["memory"]
    print(f"saturated: {calls:,.0f} calls/s, {events:,.0f} durable events/s\n")
    print(f"| at {half:,.0f} calls/s | p50 ms | p99 ms |\n|---|---|---|")
    print(f"| log on the disk | {p50:.2f} | {p99:.2f} |")
    print(f"| log in memory | {floor50:.2f} | {floor99:.2f} |")
    print(f"| the disk adds | {p50 - floor50:.2f} | {p99 - floor99:.2f} |\n")


async def _at(folder: Path, rate: float | None) -> tuple[float, float, float, float, float]:
    """Calls and events a second when saturated; the rate of the even load, and its p50 and p99 in ms."""
    process = _whole.start(folder, upstream=f"http://127.0.0.1:{BEHIND}/mcp", port=FRONT)
    try:
        request = _load.request_bytes(FRONT, "/mcp/bench", _whole.token(FRONT))
        callers = await _load.connect(FRONT, request, CONNECTIONS)
        await _load.saturate(callers, 0.5)
        before = _records(folder)
        load = await _load.saturate(callers, SECONDS)
        events = (_records(folder) - before) / load.seconds
        half = rate or load.rate * SHARE
        loads = [await _load.pace(callers, SECONDS, half) for _ in range(3)]
        p50, p99 = (
            statistics.median(one.quantile(share) for one in loads) * 1e3 for share in (0.5, 0.99)
        )
        for caller in callers:
            caller.transport.close()
        return load.rate, events, half, p50, p99
    finally:
        _peers.stop(process)


async def _beside(folder: Path) -> None:
    """The guard's own calls, with and without other events that come as fast as the log takes them."""
    engine = CedarEngine.load((PolicySource(GENERAL, "all.cedar"),), small_catalog())
    rows = []
    for beside in (0, BESIDE):
        log = opened(folder)
        try:
            rows.append(await _called(Desk(engine, log), log, beside))
        finally:
            log.close()
    print("| the guard's calls | calls/s | p50 ms | p99 ms | durable events/s in all |")
    print("|---|---|---|---|---|")
    for name, (calls, p50, p99, events) in zip(("alone", "beside other events"), rows, strict=True):
        print(f"| {name} | {calls:,.0f} | {p50:.2f} | {p99:.2f} | {events:,.0f} |")


async def _called(desk: Desk, log, beside: int) -> tuple[float, float, float, float]:
    event, waits, ended = decision(), [], False

    async def others() -> None:
        while not ended:
            await log.append(event)

    async def caller(number: int) -> None:
        made = 0
        while time.perf_counter() < end:
            call = desk.call(number * 1_000_000 + made)
            begun = time.perf_counter()
            await desk.one(call)
            waits.append(time.perf_counter() - begun)
            made += 1

    desk.snapshots.renew()
    began = time.perf_counter()
    end = began + SECONDS
    before = log.status().size
    tasks = [asyncio.create_task(others()) for _ in range(beside)]
    await asyncio.gather(*(caller(number) for number in range(8)))
    took = time.perf_counter() - began
    ended = True
    events = (log.status().size - before) / took
    await asyncio.gather(*tasks)
    waits.sort()
    p50, p99 = (waits[int(len(waits) * share)] * 1e3 for share in (0.5, 0.99))
    return len(waits) / took, p50, p99, events


def _records(folder: Path) -> int:
    """Records that are in the files of the log."""
    count = 0
    for path in (folder / "data" / "audit").rglob("*.jsonl"):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                count += block.count(b"\n")
    return count
