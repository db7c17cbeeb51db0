"""Which known word a mistaken one was meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches

from remit.documents.problem import quoted

__all__ = ["did_you_mean", "one_of"]

_MOST_LISTED = 16


def did_you_mean(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """`; did you mean … ?` to end a message with, or nothing when no known word is near.

    `likeness` is how near, from 0 to 1, where 1 is the word itself.
    """
    near = get_close_matches(word, sorted(known), n=1, cutoff=likeness)
    return f"; did you mean {quoted(near[0])}?" if near else ""


def one_of(known: Iterable[str]) -> str:
    """The known words as a phrase: `` `a`, `b` or `c` ``; long lists are cut."""
    words = [quoted(word) for word in sorted(known)]
    if len(words) > _MOST_LISTED:
        words = [*words[:_MOST_LISTED], f"{len(words) - _MOST_LISTED} others"]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
