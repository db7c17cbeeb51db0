"""What runs between Remit and a server's program: limits are set, ties are cut, and the program takes its place.

Run as a file, by an interpreter that reads nothing of its surroundings, in the process that becomes
the server: what is set here holds from the program's first instruction, and no code of Remit's runs
between fork and exec. The program dies with Remit, whatever becomes of Remit; it has no open file
but its three streams. Imports nothing but the standard library.

Source: POSIX setrlimit; Linux prctl(2) PR_SET_PDEATHSIG, execve(2).
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1
_FIRST_OWN_FILE = 3
_MOST_FILES = 1 << 20
_KINDS = {
    "memory": resource.RLIMIT_AS,
    "cpu": resource.RLIMIT_CPU,
    "files": resource.RLIMIT_NOFILE,
    "processes": resource.RLIMIT_NPROC,
}


def main(words: list[str]) -> None:
    """Become the program: `words` are Remit's process id, the limits, the path, and the program's own words.

    Among the limits stands `locale` where one was given; else the program gets none.
    """
    parent, limits, path, *argv = words
    _die_with(int(parent))
    os.closerange(_FIRST_OWN_FILE, _MOST_FILES)
    # This interpreter ignores them, and what is ignored stays so in the program.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    environment = dict(os.environ)
    if "locale" not in limits:
        environment.pop("LC_CTYPE", None)  # this interpreter may have given itself one
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold its secrets
    for one in limits.split(","):
        if "=" in one:
            _limit(one)
    os.execve(path, argv, environment)  # noqa: S606  no shell is what is wanted


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it went before it could be said
        os._exit(1)


def _limit(one: str) -> None:
    name, _, number = one.partition("=")
    kind, most = _KINDS[name], int(number)
    if name == "processes":
        if os.geteuid() == 0:
            return  # The kernel counts none of root's; who started it counts them.
        # The kernel counts all that the user has, threads too, whoever started them.
        most += _tasks_of(os.getuid())
    _, ceiling = resource.getrlimit(kind)
    hard = most + 1 if name == "cpu" else most
    if ceiling != resource.RLIM_INFINITY:
        most, hard = min(most, ceiling), min(hard, ceiling)
    resource.setrlimit(kind, (most, hard))


def _tasks_of(user: int) -> int:
    count = 0
    with os.scandir("/proc") as entries:
        for one in entries:
            with contextlib.suppress(OSError):
                if one.name.isdigit() and one.stat().st_uid == user:
                    with os.scandir(f"{one.path}/task") as tasks:
                        count += sum(1 for _ in tasks)
    return count


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, ValueError) as error:
        # Goes to the operator's log, with everything else the program would have said there.
        sys.stderr.write(f"the program cannot be started: {type(error).__name__}\n")
        os._exit(127)
