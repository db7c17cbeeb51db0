"""Whether a name is almost another: equal once case, compatibility forms and blank ends are gone.

That is as far as lenient servers go when they look for an argument; letters of
other alphabets that merely look the same are different to every one of them.

Source: Unicode 15.0 §3.13 (caseless matching), UAX #15 (NFKC).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from unicodedata import normalize

__all__ = ["look_alike"]

# Controls, blanks, and what has no width: everything that trimming could take away.
_BLANK: Final = "".join(
    chr(code)
    for first, last in (
        (0x00, 0x20),
        (0x7F, 0xA0),
        (0xAD, 0xAD),
        (0x1680, 0x1680),
        (0x180E, 0x180E),
        (0x2000, 0x200F),
        (0x2028, 0x202F),
        (0x205F, 0x206F),
        (0x3000, 0x3000),
        (0xFEFF, 0xFEFF),
    )
    for code in range(first, last + 1)
)
# Three characters make one at most (a Hangul syllable); four leaves room.
_MOST_TO_ONE: Final = 4


def look_alike(others: Iterable[str], names: Iterable[str]) -> str | None:
    """The one of `names` that one of `others`, none of which is among them, is almost."""
    folded = {_folded(name): name for name in names}
    longest = _MOST_TO_ONE * max(map(len, folded), default=0)
    for other in others:
        trimmed = other.strip(_BLANK)
        # A name of a megabyte is not worth normalizing.
        if len(trimmed) <= longest and (name := folded.get(_folded(trimmed))) is not None:
            return name
    return None


@lru_cache(maxsize=4_096)
def _folded(name: str) -> str:
    if name.isascii():
        return name.lower().strip(_BLANK)
    # Folding can undo the normal form, and the other way round; the second time nothing changes.
    once = normalize("NFKC", normalize("NFKC", name).casefold())
    return normalize("NFKC", once.casefold()).strip(_BLANK)
