"""Whether the machine under Remit is as it should be: the data folder, the disk, the clock, the user."""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from remit.audit import newest
from remit.cli.checkup.exposure import is_production
from remit.cli.checkup.finding import Finding, fine, note, unsafe
from remit.clock import Clock
from remit.settings import Settings

__all__ = ["examine_clock", "examine_disk", "examine_folder", "examine_master_key", "examine_user"]

_LITTLE_BYTES = 1_000_000_000
_LITTLE_SHARE = 0.05
_CLOCK_LEEWAY = 2.0


def examine_folder(data: Path) -> Iterator[Finding]:
    """Whether the data folder, and everything in it, is its owner's alone."""
    if not data.is_dir():
        yield note("data", f"`{data}` is not there yet", mend="remit serve makes it")
        return
    exposed = [path for path in (data, *sorted(data.rglob("*"))) if _others_may(path)]
    # What stands in a folder that nobody else may enter is out of reach, whatever its own mode.
    if not _others_may(data):
        exposed = []
    if exposed:
        names = ", ".join(f"`{path}`" for path in exposed[:3])
        more = f" and {len(exposed) - 3} more" if len(exposed) > 3 else ""
        yield unsafe(
            "data", f"others on this machine may read {names}{more}", mend=f"chmod 700 {data}"
        )
    else:
        yield fine("data", f"`{data}` is closed to others")
    found = data.stat()
    if found.st_uid != os.geteuid():
        yield note(
            "data",
            f"`{data}` belongs to another user than the one who asks",
            mend="run the doctor as the user that remit runs as",
        )


def examine_master_key(
    settings: Settings, environ: Mapping[str, str], *, server_runs: bool = False
) -> Iterator[Finding]:
    """Where the key that seals all others is kept.

    The environment of a server that runs is not ours; but without the file, the key came from there.
    """
    in_folder = (settings.data / "master.key").exists()
    if environ.get("REMIT_MASTER_KEY"):
        yield fine("master key", "comes from REMIT_MASTER_KEY")
        if in_folder:
            yield note(
                "master key",
                f"`{settings.data / 'master.key'}` is there too, and is not used",
                mend="remove it, once you are sure that nothing was sealed with it",
            )
    elif server_runs and not in_folder:
        yield fine("master key", "comes from the server's REMIT_MASTER_KEY")
    elif not settings.is_sqlite:
        yield unsafe(
            "master key",
            "is in the data folder, while the database is one that other processes may share",
            mend="give all of them the same REMIT_MASTER_KEY, from your secret store",
        )
    elif is_production(settings):
        yield unsafe(
            "master key",
            "lies beside what it seals: whoever gets a copy of the data folder can open it",
            mend="move it to your secret store and pass it as REMIT_MASTER_KEY",
        )
    else:
        yield fine("master key", "is in the data folder, which is good enough on one's own machine")


def examine_disk(data: Path) -> Iterator[Finding]:
    """Whether there is room: without it the audit log takes nothing, and every call is refused."""
    usage = shutil.disk_usage(_existing(data))
    text = f"{usage.free / 1e9:,.1f} GB free of {usage.total / 1e9:,.0f} GB"
    if usage.free < _LITTLE_BYTES or usage.free < _LITTLE_SHARE * usage.total:
        yield unsafe(
            "disk",
            f"{text}; when it is full, every call is refused",
            mend="make room, or move the data folder to a larger disk",
        )
    else:
        yield fine("disk", text)


def examine_clock(data: Path, clock: Clock) -> Iterator[Finding]:
    """Whether the clock stands before what the audit log has already seen."""
    audit = data / "audit"
    latest = newest(audit, 1) if audit.is_dir() else []
    if not latest:
        return
    observed = datetime.fromisoformat(str(latest[-1].get("observed")))
    behind = observed.timestamp() - clock.now_ms() / 1000
    if behind > _CLOCK_LEEWAY:
        yield unsafe(
            "clock",
            f"is {behind:,.0f} s behind the last audit record: it was set back",
            mend="let NTP set it; until then tokens live too long",
        )
    else:
        yield fine("clock", "is not behind the audit log")


def examine_user() -> Iterator[Finding]:
    """Whether Remit would run with more rights than it needs."""
    if os.geteuid() == 0:
        yield note(
            "user",
            "you are root; Remit needs no privilege",
            mend="run it as a user of its own that owns nothing but the data folder",
        )


def _others_may(path: Path) -> bool:
    return bool(stat.S_IMODE(path.lstat().st_mode) & 0o077) and not path.is_symlink()


def _existing(path: Path) -> Path:
    """`path`, or the nearest folder above it that is there."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
