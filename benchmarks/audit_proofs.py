"""How long proofs take in a long log, from its tiles on disk, with nothing of them in memory.

    python -m benchmarks.audit_proofs [--records 10000000] [--folder DIR]

Writes the tiles of a log of made-up leaves, and asks for inclusion and consistency proofs of it at random; each inclusion
proof is verified. Prints median and 99th percentile. Goal: 10 ms at ten million records (AUDIT §1.8).
"""

import argparse
import hashlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from remit.audit.tile_writer import TileWriter
from remit.audit.tiles import Tiles
from remit_audit_verify.tree import verify_inclusion

ASKED = 300
AT_A_TIME = 65_536


def leaf(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


def leaves(first: int, last: int) -> list[bytes]:
    return [leaf(number) for number in range(first, last)]


def write(folder: Path, records: int) -> None:
    writer, began = TileWriter(folder), time.perf_counter()
    while records - writer.covered >= 256:
        writer.extend(leaves(writer.covered, min(records, writer.covered + AT_A_TIME)))
        sys.stderr.write(f"\r{writer.covered:,} of {records:,} records in tiles")
    seconds = time.perf_counter() - began
    sys.stderr.write("\n")
    print(f"tiles written: {writer.covered / seconds:,.0f} records/s")


def timed(name: str, ask: Callable[[], object]) -> None:
    taken = []
    for _ in range(ASKED):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1_000)
    taken.sort()
    print(f"{name}: p50 {taken[ASKED // 2]:.1f} ms, p99 {taken[ASKED * 99 // 100]:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=asked.folder))
    try:
        size: int = asked.records
        write(folder, size)
        root = Tiles(folder, leaves).root(size)

        def inclusion() -> None:
            sequence = random.randrange(size)
            proof = Tiles(folder, leaves).inclusion(sequence, size)
            assert verify_inclusion(leaf(sequence), sequence, size, proof=proof, root=root)

        timed("inclusion", inclusion)
        timed(
            "consistency",
            lambda: Tiles(folder, leaves).consistency(random.randrange(1, size), size),
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
