"""How much a server's process may take, and who belongs to it.

Memory, processor time and open files are held by the kernel, for each process of it. How many
processes it is, Remit counts, for the kernel only knows how many a user has.

Source: POSIX setrlimit; Linux proc(5).
"""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NO_PROCESS_LIMITS", "ProcessLimits", "family_of", "kill_family"]

_PROC = Path("/proc")
_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """`None` is no limit. `cpu_seconds` is over the life of a process."""

    memory_bytes: int | None = None
    cpu_seconds: int | None = None
    open_files: int | None = None
    processes: int | None = None

    def words(self) -> str:
        """What `launcher` is told."""
        said = {
            "files": self.open_files,
            "processes": self.processes,
            "cpu": self.cpu_seconds,
            "memory": self.memory_bytes,  # last: it may leave little for what follows
        }
        return ",".join(f"{name}={int(most)}" for name, most in said.items() if most is not None)


NO_PROCESS_LIMITS = ProcessLimits()


def family_of(leader: int) -> frozenset[int]:
    """The processes of the session that `leader` leads, and all that descend from it, `leader` included while it is there.

    Where the system does not tell (no `/proc`), `leader` alone.
    """
    parents: dict[int, int] = {}
    found: set[int] = set()
    try:
        names = [one.name for one in _PROC.iterdir() if one.name.isdigit()]
    except OSError:
        return frozenset({leader})
    for name in names:
        with suppress(OSError, ValueError, IndexError):
            stat = (_PROC / name / "stat").read_bytes()
            # The name in brackets may hold anything, brackets too; what follows the last may not.
            state, parent, _, session = stat[stat.rindex(b")") + 2 :].split()[:4]
            if state == b"Z":
                continue
            parents[int(name)] = int(parent)
            if int(session) == leader or int(name) == leader:
                found.add(int(name))
    grown = True
    while grown:
        more = {
            pid for pid, parent in parents.items() if parent in found or parent == leader
        } - found
        found |= more
        grown = bool(more)
    return frozenset(found)


def kill_family(leader: int) -> None:
    """End all of them at once, and those that came into being meanwhile.

    A family that multiplies is stopped before it is ended, so that nobody is left who could go on.
    """
    for _ in range(_ROUNDS):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
        family = family_of(leader)
        if not family:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in family:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
