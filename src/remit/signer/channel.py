"""The way to a signer: a child of this process, or a socket on which one listens.

`open` may be called again whenever a connection is lost. A child is then ended first, however it hangs, and another
is started; what it signed is on its disk, so the next goes on where it was.
"""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from remit.signer.wire import WireError, receive, send

__all__ = ["Channel", "ChildChannel", "SocketChannel"]

_PATIENCE: Final = 5.0
"""Seconds after which an answer is no longer waited for, and the connection given up."""
_NEEDED: Final = frozenset({"PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "LANG", "TZ"})
_BEGINNING: Final = 30.0
"""So many a child may take to be there, on a machine that is busy."""


class Channel(Protocol):
    """Used by one thread at a time; every method blocks."""

    def open(self) -> socket.socket:
        """A new connection.

        Raises:
            WireError, OSError: there is none to be had at the moment.
        """
        ...

    def close(self) -> None:
        """End what `open` began; idempotent."""
        ...


class SocketChannel:
    """To the signer that listens at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end: socket.socket | None = None

    def open(self) -> socket.socket:
        self.close()
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._end = end
        end.settimeout(_PATIENCE)
        end.connect(str(self._path))
        return end

    def close(self) -> None:
        if self._end is not None:
            self._end.close()
            self._end = None


class ChildChannel:
    """To a signer of one's own, which keeps its state in `folder` and its keys sealed under `seal`."""

    def __init__(self, folder: Path, *, seal: bytes) -> None:
        self._folder = folder
        self._seal = seal
        self._child: subprocess.Popen[bytes] | None = None
        self._end: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, while there is one."""
        return None if self._child is None else self._child.pid

    def open(self) -> socket.socket:
        self._stop(now=True)
        end, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._end = end
        with other:
            # -P: nothing is imported from the folder in which somebody happens to stand.
            command = [sys.executable, "-P", "-m", "remit.signer", str(self._folder)]
            self._child = subprocess.Popen(  # noqa: S603  our own interpreter and module
                command, stdin=other.fileno(), stdout=subprocess.DEVNULL, env=_environment()
            )
        end.settimeout(_BEGINNING)
        send(end, {"seal": self._seal.hex()})
        if receive(end) is None:
            raise WireError("the signer ended as it began")
        end.settimeout(_PATIENCE)
        return end

    def close(self) -> None:
        self._stop(now=False)

    def _stop(self, *, now: bool) -> None:
        if self._end is not None:
            self._end.close()
            self._end = None
        child, self._child = self._child, None
        if child is None:
            return
        if now:
            child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_PATIENCE)
            return
        child.kill()
        child.wait()


def _environment() -> dict[str, str]:
    """What an interpreter needs of ours, and no secret that is kept there."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PYTHON") or name in _NEEDED
    }
