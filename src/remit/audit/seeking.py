"""Where in a segment a record is, found by halves: each line says its own number.

What a line says is not believed. A place is only given where whole lines around it agree; else whoever asks counts lines.

Source: AUDIT §1.7.
"""

import re
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["seek_record"]

# The number stands after everything that an event says for itself; a quotation mark within a text is escaped.
_NAME: Final = b',"seq":'
_NUMBER: Final = re.compile(rb"\d{1,16}")
_CLOSE: Final = 64 * 1024
_PIECE: Final = 40 * 1024  # the rest of one line and the whole of another


def seek_record(path: Path, wanted: int, *, first: int) -> tuple[int, int] | None:
    """A record of the segment not after `wanted`, and the byte at which it begins, at most 64 KiB before it.

    `first` is the number of the segment's first record. `None` where the lines do not say.

    Raises:
        OSError: the segment cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        number, low, high = first, 0, file.seek(0, 2)
        while high - low > _CLOSE:
            middle = (low + high) // 2
            found = _next_line(file, middle)
            if found is None:
                return None
            there, offset = found
            if offset >= high:
                break
            if not number < there <= first + offset:  # lines are longer than a byte
                return None
            if there <= wanted:
                number, low = there, offset
            else:
                high = middle
        return number, low


def _next_line(file: BinaryIO, place: int) -> tuple[int, int] | None:
    """The number of the first record that begins after `place`, and where it does."""
    file.seek(place)
    piece = file.read(_PIECE)
    begin = piece.find(b"\n") + 1
    end = piece.find(b"\n", begin)
    if begin == 0 or end < 0:
        return None
    name = piece.rfind(_NAME, begin, end)
    match = None if name < 0 else _NUMBER.match(piece, name + len(_NAME), end)
    return None if match is None else (int(match[0]), place + begin)
