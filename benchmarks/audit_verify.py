"""Verification: records a second, hashed and in full, in one process and in one for each core, and a proof of one record.

The floor is what no verifier can beat: SHA-256 over the same lines, in one process and in the same run. Records are decisions as
the gateway records them. `BENCH_RECORDS` says how many (300,000).
"""

import os
import shutil
import statistics
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.audit_append import decision
from remit.audit import FileAuditLog, StreamSettings
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.proof import prove
from remit_audit_verify.verify import verify_log

RECORDS = int(os.environ.get("BENCH_RECORDS", "300000"))
RUNS = 3


def main() -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", ".")))
    try:
        _verification(folder / "main")
    finally:
        shutil.rmtree(folder)


def _verification(folder: Path) -> None:
    log = FileAuditLog(
        StreamSettings(folder=folder, origin="bench/main"), Ed25519PrivateKey.generate()
    )
    events = [decision()] * 500
    for _ in range(RECORDS // 500):
        log.record(events)
    log.close()
    segments = sorted(folder.glob("*.jsonl"))
    size = sum(path.stat().st_size for path in segments)
    print(f"{RECORDS:,} records of {size // RECORDS:,} bytes; medians of {RUNS} runs\n")
    print("| | records/s | MB/s | of the floor |")
    print("|---|---|---|---|")
    cores = os.cpu_count() or 1
    readings = {
        "SHA-256 over the same lines, 1 process (floor)": lambda: _bare(segments),
        "hashed, 1 process": lambda: _verified(folder, workers=1),
        f"hashed, {cores} processes": lambda: _verified(folder, workers=cores),
        "in full, 1 process": lambda: _verified(folder, workers=1, full=True),
        f"in full, {cores} processes": lambda: _verified(folder, workers=cores, full=True),
    }
    times: dict[str, list[float]] = {name: [] for name in readings}
    for _ in range(RUNS):  # in turns, so that all meet the same machine
        for name, read in readings.items():
            begun = time.perf_counter()
            read()
            times[name].append(time.perf_counter() - begun)
    floor = statistics.median(times["SHA-256 over the same lines, 1 process (floor)"])
    for name, seconds in times.items():
        took = statistics.median(seconds)
        print(f"| {name} | {RECORDS / took:,.0f} | {size / took / 1e6:,.0f} | {floor / took:.0%} |")
    begun = time.perf_counter()
    prove(folder, RECORDS // 3)
    print(f"\none proof without tiles: {time.perf_counter() - begun:.2f} s")


def _bare(segments: list[Path]) -> None:
    for path in segments:
        for line in path.read_bytes().split(b"\n"):
            sha256(b"\0" + line).digest()


def _verified(folder: Path, *, workers: int, full: bool = False) -> None:
    report = verify_log(folder, evidence=Evidence(workers=workers, full=full))
    assert report.exit_code == 0
    assert report.streams[0].proven == report.streams[0].records


if __name__ == "__main__":
    main()
