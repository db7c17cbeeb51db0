"""A gateway that is killed a hundred times under load: what its callers were told, against what is in its log.

`python -m benchmarks audit_kills`; `KILLS` says how many, `BENCH_DIR` on which disk. Sixteen callers call a server
that counts; the gateway gets SIGKILL with all its children, and is started again on what it left. Whoever was answered
has to be in the log, whatever reached the server has to have a record of intent, and the log has to verify.
"""

import asyncio
import os
import random
import shutil
import statistics
import tempfile
from pathlib import Path

from rich.progress import Progress

from remit.audit import read_events
from tests.e2e.durability import Account, House, house_in, kill_under_load

KILLS = int(os.environ.get("KILLS", "100"))


async def _killed(house: House) -> list[float]:
    chance, starts = random.Random(7), list[float]()
    with Progress() as progress:
        bar = progress.add_task("killing", total=KILLS)
        for number in range(KILLS):
            starts += await kill_under_load(house, kills=1, chance=chance, name=f"k{number}")
            progress.advance(bar)
    return starts


async def _run(folder: Path) -> None:
    async with house_in(folder) as house:
        starts = await _killed(house)
        await house.stop()
        account = Account.of(house)
        told, executed = house.told, set(house.executed())
        torn = [
            entry["body"]["repaired_bytes"]
            for entry in read_events(house.data / "audit" / "main")
            if entry["kind"] == "audit.started"
        ]
        print("| | |\n|---|---|")
        print(f"| kills | {KILLS} |")
        print(f"| calls | {told.asked:,} |")
        print(f"| answered | {len(told.allowed):,} |")
        print(f"| answered, and no outcome in the log | {len(told.allowed - account.answered)} |")
        print(f"| reached the server | {len(executed):,} |")
        print(
            f"| reached the server, and no intent in the log | {len(executed - account.decided)} |"
        )
        print(f"| ended as `unknown` | {account.outcomes['unknown']} |")
        print(f"| starts that cut off a torn record | {sum(1 for one in torn if one)} |")
        print(f"| ready again, median | {statistics.median(starts):.1f} s |")
        print(f"| ready again, longest | {max(starts):.1f} s |")
        print(f"| verification | exit {account.exit_code} |")
        account.check(house)


def main() -> None:
    """Kill, and print the table."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCH_DIR", ".")))
    try:
        asyncio.run(_run(folder))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
