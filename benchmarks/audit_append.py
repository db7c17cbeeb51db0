"""The audit log against the bare disk: appends a second, latency, and events verified a second.

The floor is what the log cannot beat: the same bytes, written and `fdatasync`ed by one
bare loop in the same run, one record at a time and 64 at a time. Run on the disk that will
hold the log: `BENCH_DIR=/path python -m benchmarks audit_append`.
"""

import asyncio
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import (
    Actor,
    ActorType,
    Context,
    FileAuditLog,
    Network,
    StreamSettings,
    Trace,
    verify_log,
)
from remit.audit.events import Decided

SECONDS = 3.0
RUNS = 5
VERIFIED = 100_000


def decision() -> Decided:
    """A decision as the gateway records it: about 1.4 KB."""
    return Decided(
        context=Context(
            actor=Actor(ActorType.AGENT, "support-assistant"),
            tenant="acme",
            environment="prod",
            user_id="usr_06h002j3e13x6w1c8ecwbk2pbg",
            agent_id="support-assistant",
            client_id="https://client.example/metadata.json",
            grant_id="gra_06h002j3e13x6w1c8ecwbk2pbg",
            network=Network("192.0.2.7", "example-agent/1.0"),
            trace=Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"),
        ),
        decision_id="dec_06h002j3e13x6w1c8ecwbk2pbg",
        server="crm",
        method="tools/call",
        name="accounts.get",
        outcome="allow",
        reason="allowed",
        operation="read",
        sensitivity="low",
        scopes_required=("crm:accounts.read",),
        scopes_token=("crm:accounts.read", "crm:accounts.write"),
        rules=({"id": "accounts.cedar#0", "effect": "permit"},),
        policy_version="a" * 64,
        catalog_version="b" * 64,
        engine="cedar",
        micros=55,
        claims={"organization_id": "acme", "roles": ["support"]},
        input={"account_id": "tok1.text.ctv5uyf3b4icwgkrumgg42sqv6"},
        input_digest="c" * 64,
        jsonrpc_id="7",
        protocol_version="2025-11-25",
    )


def bare(folder: Path, size: int, batch: int) -> float:
    """Records a second for a bare loop of write and fdatasync, `batch` records at a time."""
    data = (b"x" * (size - 1) + b"\n") * batch
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS / 3:
        os.write(descriptor, data)
        os.fdatasync(descriptor)
        count += batch
    elapsed = time.perf_counter() - begun
    os.close(descriptor)
    (folder / "bare").unlink()
    return count / elapsed


async def appended(log: FileAuditLog, waiters: int) -> tuple[float, list[float]]:
    """Events a second that `waiters` coroutines get acknowledged, and each one's wait in ms."""
    event, waits = decision(), []
    end = time.perf_counter() + SECONDS / 3

    async def write() -> None:
        while (begun := time.perf_counter()) < end:
            await log.append(event)
            waits.append((time.perf_counter() - begun) * 1000)

    begun = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(waiters)))
    return len(waits) / (time.perf_counter() - begun), waits


def main() -> None:
    """Print the tables."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", ".")))
    try:
        _appends(folder)
        _verification(folder)
    finally:
        shutil.rmtree(folder)


def _open(folder: Path) -> FileAuditLog:
    settings = StreamSettings(folder=folder / "audit" / "main", origin="bench/main")
    return FileAuditLog(settings, Ed25519PrivateKey.generate())


def _appends(folder: Path) -> None:
    log = _open(folder)
    asyncio.run(appended(log, 1))
    segment = next((folder / "audit" / "main").glob("*.jsonl"))
    size = segment.stat().st_size // log.status().size
    print(f"record of {size} bytes; medians of {RUNS} runs\n")
    print(
        "| waiters | durable appends/s | p50 ms | p99 ms | bare write+fdatasync of as many/s | of the floor |"
    )
    print("|---|---|---|---|---|---|")
    for waiters in (1, 64, 256):
        floors, rates, p50s, p99s = [], [], [], []
        for _ in range(RUNS):  # alternating, so that both meet the same disk
            floors.append(bare(folder, size, waiters))
            rate, waits = asyncio.run(appended(log, waiters))
            cuts = statistics.quantiles(waits, n=100)
            rates.append(rate)
            p50s.append(cuts[49])
            p99s.append(cuts[98])
        floor, rate = statistics.median(floors), statistics.median(rates)
        p50, p99 = statistics.median(p50s), statistics.median(p99s)
        print(
            f"| {waiters} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {floor:,.0f} | {rate / floor:.0%} |"
        )
    log.close()
    shutil.rmtree(folder / "audit")


def _verification(folder: Path) -> None:
    log, event = _open(folder), decision()
    for _ in range(VERIFIED // 100):
        log.record([event] * 100)
    log.close()
    rates = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        report = verify_log(folder / "audit")
        rates.append(report.streams[0].records / (time.perf_counter() - begun))
        assert report.exit_code == 0
    megabytes = sum(p.stat().st_size for p in (folder / "audit" / "main").iterdir()) / 1e6
    print(
        f"\nverified: {statistics.median(rates):,.0f} events/s"
        f" ({VERIFIED:,} events, {megabytes:.0f} MB; median of {RUNS})"
    )


if __name__ == "__main__":
    main()
