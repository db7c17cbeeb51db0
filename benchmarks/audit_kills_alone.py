"""A log that is killed a hundred times while it writes as fast as it can: every record that it acknowledged is there.

`python -m benchmarks audit_kills_alone`; `KILLS` says how many, `BENCH_DIR` on which disk. A process appends with 64
coroutines and says of each receipt where the record stands, into a pipe; it gets SIGKILL at some moment, and the next
one goes on with what it left.
"""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.progress import Progress

from benchmarks.audit_append import decision
from remit.audit import FileAuditLog, StreamSettings, read_events, verify_log
from remit_audit_verify.stream_files import list_segments, read_lines
from remit_audit_verify.tree import leaf_hash

KILLS = int(os.environ.get("KILLS", "100"))
WRITERS = 64
KEY = bytes(range(32))


def _write(folder: Path) -> None:
    settings = StreamSettings(folder=folder, origin="bench/main", reserve_bytes=64 * 1024 * 1024)
    log = FileAuditLog(settings, Ed25519PrivateKey.from_private_bytes(KEY))

    async def write() -> None:
        event = decision()
        while True:
            receipt = await log.append(event)
            os.write(1, f"{receipt.sequence} {receipt.leaf}\n".encode())

    async def run() -> None:
        await asyncio.gather(*(write() for _ in range(WRITERS)))

    asyncio.run(run())


def _killed(folder: Path, chance: random.Random) -> list[tuple[int, str]]:
    """What a writer acknowledged before it was killed."""
    command = [sys.executable, "-m", "benchmarks.audit_kills_alone", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        end = time.monotonic() + chance.uniform(0.02, 0.4)
        while time.monotonic() < end:
            said += os.read(process.stdout.fileno(), 1 << 20)
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read()
    lines = said.decode().splitlines()
    return [
        (int(n), leaf) for n, _, leaf in (line.partition(" ") for line in lines) if len(leaf) == 64
    ]


def main() -> None:
    """Kill, and print the table."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", ".")))
    stream, chance = folder / "main", random.Random(11)
    acknowledged: dict[int, str] = {}
    try:
        with Progress() as progress:
            for _ in progress.track(range(KILLS), description="killing"):
                acknowledged.update(_killed(stream, chance))
        leaves = [
            leaf_hash(line.content).hex()
            for segment in list_segments(stream)[0]
            for line in read_lines(segment.path)
            if line.complete
        ]
        lost = sum(n >= len(leaves) or leaves[n] != leaf for n, leaf in acknowledged.items())
        torn = sum(
            1
            for entry in read_events(stream)
            if entry["kind"] == "audit.started" and entry["body"]["repaired_bytes"]
        )
        print("| | |\n|---|---|")
        print(f"| kills | {KILLS} |")
        print(f"| acknowledged | {len(acknowledged):,} |")
        print(f"| acknowledged and not in the log | {lost} |")
        print(f"| starts that cut off a torn record | {torn} |")
        print(f"| verification | exit {verify_log(stream).exit_code} |")
        assert lost == 0
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
