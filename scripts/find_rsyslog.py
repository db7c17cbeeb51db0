"""Print where rsyslog is, installing it if need be; fail with the mend if that cannot be done.

In order: `REMIT_RSYSLOG`, one on the machine, one from apt when we are root. The tests ask `tests/rsyslog.py`, which
looks in the same places.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.rsyslog import find_rsyslog

_PACKAGES = ("rsyslog", "rsyslog-openssl")


def main() -> int:
    """Return 0 and print the path, or 1 and print what to do."""
    found = find_rsyslog() or _from_apt()
    if found is None:
        print(
            "No rsyslog with TLS was found and none could be installed.\n"
            f"Install it (Debian: apt-get install {' '.join(_PACKAGES)}) or set REMIT_RSYSLOG=/path/to/rsyslogd.",
            file=sys.stderr,
        )
        return 1
    print(f"rsyslog: {found}")
    return 0


def _from_apt() -> str | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *_PACKAGES]
    for command in (["apt-get", "update", "-q"], install):
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
    return find_rsyslog()


if __name__ == "__main__":
    raise SystemExit(main())
