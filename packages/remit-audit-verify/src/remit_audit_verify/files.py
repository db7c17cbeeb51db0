"""Files that somebody else made, read so that no kind of file can hold the reader up or fill its memory.

Of a log's folder only regular files are opened: a pipe would be waited for, and a device never ends. What is handed
over by itself may be a pipe, and is read up to a length that is ample for what it is.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from remit_audit_verify.errors import VerifyError

__all__ = ["OverlongFileError", "open_file", "read_file", "read_given"]

_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


class OverlongFileError(VerifyError):
    """A file that was handed over is longer than such a thing can be."""


def open_file(path: Path) -> BinaryIO:
    """The regular file at `path`, to be read.

    Raises:
        OSError: it cannot be opened, or is none.
    """
    descriptor = os.open(path, _FLAGS)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb", buffering=1 << 16)


def read_file(path: Path, limit: int) -> bytes:
    """What is in the regular file at `path`, up to one byte more than `limit`, which tells that it is too long.

    Raises:
        OSError: it cannot be read, or is none.
    """
    with open_file(path) as file:
        return file.read(limit + 1)


def read_given(path: Path, limit: int) -> bytes:
    """What is at `path`, of whatever kind.

    Raises:
        OverlongFileError: it has more than `limit` bytes.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OverlongFileError(f"{path}: longer than {limit} bytes")
    return content
