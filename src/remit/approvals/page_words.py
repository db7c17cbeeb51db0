"""Foreign words on a page: every character of them can be seen, and none moves another.

What an agent, a client or a server wrote is cut into pieces: text, and signs that stand for a character nobody
could see or that would turn the others round. A letter with a heap of marks on it loses itself in signs as well.

Source: Unicode TR36 §2, UAX #9 (bidirectional text), UTS #39; RFC 9396 §11.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from unicodedata import category

__all__ = ["Piece", "pieces", "plain"]

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
_MOST_MARKS: Final = 2
# They have a category of something that can be seen, and cannot (UTS #39, default ignorable; braille blank).
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(code) for first, last in ((0xFE00, 0xFE0F), (0x180B, 0x180F)) for code in range(first, last + 1)
)  # fmt: skip
_SELECTORS: Final = range(0xE0100, 0xE01F0)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text as it is, or a `sign`: the name of a character, shown as such."""

    text: str
    sign: bool = False


def pieces(text: str, *, lines: bool = False) -> tuple[Piece, ...]:
    """`text`, cut. `lines`: line feeds may stay; blanks at an end are signs either way."""
    return tuple(_joined(_cut(text, lines=lines)))


def plain(text: str) -> str:
    """`text` on one line as plain words, for a title: signs in brackets."""
    return "".join(f"[{one.text}]" if one.sign else one.text for one in pieces(text))


def _cut(text: str, *, lines: bool) -> Iterator[Piece]:
    inner = range(len(text) - len(text.lstrip(" ")), len(text.rstrip(" ")))
    marks = 0
    for at, one in enumerate(text):
        marks = marks + 1 if category(one) in _MARKS else 0
        if one == " ":
            yield Piece(" ") if at in inner else Piece("space", sign=True)
        elif one == "\n" and lines and 0 < at < len(text) - 1:
            yield Piece(one)
        elif one in "\n\t":
            yield Piece("line break" if one == "\n" else "tab", sign=True)
        elif marks > _MOST_MARKS or _is_unseen(one):
            yield Piece(f"U+{ord(one):04X}", sign=True)
        else:
            yield Piece(one)


def _is_unseen(one: str) -> bool:
    return category(one) in _UNSEEN or one in _BLANK or ord(one) in _SELECTORS


def _joined(cut: Iterator[Piece]) -> Iterator[Piece]:
    """Text in one piece, and a row of equal signs as one that says how many."""
    for piece, row in groupby(cut, key=lambda one: one if one.sign else None):
        if piece is None:
            yield Piece("".join(one.text for one in row))
        else:
            count = sum(1 for _ in row)
            yield piece if count == 1 else Piece(f"{piece.text} × {count}", sign=True)  # noqa: RUF001
