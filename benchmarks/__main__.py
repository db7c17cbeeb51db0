"""Run every benchmark, or those named: `python -m benchmarks [name …]`.

Each module has `main()`, which prints its own table. The machine and the date are
printed first, because a figure without them means nothing.
"""

import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """Every benchmark: the modules of this folder that are not private."""
    return sorted(p.stem for p in HERE.glob("*.py") if not p.stem.startswith("_"))


def main() -> None:
    """Run the benchmarks named on the command line, or all of them."""
    # What begins with a dash is for the benchmark itself.
    chosen = [one for one in sys.argv[1:] if not one.startswith("-")] or names()
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        raise SystemExit(f"no benchmark named {', '.join(unknown)}; there are {', '.join(names())}")
    print(
        f"{datetime.now(tz=UTC):%Y-%m-%d} · Python {platform.python_version()} · "
        f"{platform.machine()} · {os.cpu_count()} cores · {platform.system()}"
    )
    for name in chosen:
        print(f"\n## {name}\n", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
