# ruff: noqa: RUF001  the letters that are not what they look like are what this is about
"""Whether a name could be taken for another: a skeleton that names which look alike share.

Case, compatibility forms and marks go, and so does what has no width; letters of other alphabets
become the Latin ones that they look like. Two different names of one skeleton are confusable:
a model, a person or a lenient server takes one for the other.

The letters are those of Unicode's table of confusables that look like a Latin letter or a digit
in the usual fonts, not the whole table: rare scripts, and `m` for `rn`, are left to the reviewer.

Source: UTS #39 §4 (confusable detection), UAX #15 (NFKC), Unicode 15.0 §5.21 (default ignorable).
"""

from types import MappingProxyType
from typing import Final
from unicodedata import category, combining, normalize

__all__ = ["skeleton"]

_LOOKS_LIKE: Final = MappingProxyType(
    {
        # Cyrillic
        "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "һ": "h", "н": "h", "і": "i", "ј": "j",
        "к": "k", "ӏ": "l", "м": "m", "о": "o", "р": "p", "ԛ": "q", "г": "r", "ѕ": "s", "т": "t",
        "ѵ": "v", "ԝ": "w", "х": "x", "у": "y", "ү": "y", "з": "3", "б": "6",
        # Greek
        "α": "a", "β": "b", "ϲ": "c", "ε": "e", "η": "n", "ι": "i", "κ": "k", "μ": "u", "ν": "v",
        "ο": "o", "ρ": "p", "σ": "o", "ς": "c", "τ": "t", "υ": "u", "χ": "x", "γ": "y", "ω": "w",
        # Armenian, Hebrew, Georgian and Cherokee, in lower case
        "ա": "w", "օ": "o", "ո": "n", "ս": "u", "հ": "h", "ց": "g", "զ": "q", "յ": "j", "ס": "o", "ꭰ": "d",
        # Latin beyond ASCII that no normal form takes back
        "ı": "i", "ɑ": "a", "ɡ": "g", "ɩ": "i", "ʋ": "u", "ƅ": "b", "ƨ": "s", "ø": "o", "đ": "d", "ł": "l",
        # Digits and strokes
        "0": "o", "1": "l", "|": "l", "ǀ": "l", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
    }
)  # fmt: skip
_IGNORED: Final = frozenset({"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"})
_FILLERS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def skeleton(name: str) -> str:
    """What `name` has in common with every name that looks like it."""
    if name.isascii():
        folded = name.lower()
    else:
        decomposed = normalize("NFKD", normalize("NFKC", name).casefold())
        folded = "".join(
            one
            for one in decomposed
            if not combining(one) and category(one) not in _IGNORED and one not in _FILLERS
        )
    seen = "".join(_LOOKS_LIKE.get(one, one) for one in folded)
    return "".join(seen.split())
