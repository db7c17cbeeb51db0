"""Print where Chromium is, installing one if need be; fail with the mend if that cannot be done.

In order: `REMIT_CHROMIUM`, one on the machine, one that Playwright has or can
download, one from apt when we are root. The tests ask `tests/chromium.py`, which
looks in the same places; so a test run never goes without a browser unnoticed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.chromium import find_chromium


def main() -> int:
    """Return 0 and print the path, or 1 and print what to do."""
    found = find_chromium() or _from_playwright() or _from_apt()
    if found is None:
        print(
            "No Chromium was found and none could be installed.\n"
            "Install one (Debian: apt-get install chromium) or set REMIT_CHROMIUM=/path/to/chromium.",
            file=sys.stderr,
        )
        return 1
    print(f"browser: {found}")
    return 0


def _from_playwright() -> str | None:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(
        command, check=False, timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return find_chromium()


def _from_apt() -> str | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "chromium"]):
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
    return find_chromium()


if __name__ == "__main__":
    raise SystemExit(main())
