"""What people, clients and servers say in their own words, before it stands in an event.

Decisions and outcomes are looked through where they are made (`guard`), since every call makes two. In the text of
every other event what looks like a secret, a card or an account becomes the name of its class; in reasons, errors and other prose
an address or a telephone number does, too, and in what a client says that it is called and reached at. Other names stay: an
administrator's account may well be an address.

Source: AUDIT §1.6.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from remit.audit.detectors import MAX_SCANNED, scrubbed

__all__ = ["said", "spoken_name"]

_PROSE: Final = frozenset(
    {
        "basis", "cause", "client_name", "comment", "description", "detail", "error", "errors", "justification", "lift_reason", "message",
        "note", "query", "reason", "redirect_uris", "text", "why", "words",
    }
)  # fmt: skip
_OF_NAMES: Final = frozenset({"email", "phone"})
_DEEPEST: Final = 32
_SHORTEST: Final = 8


def said(body: Mapping[str, object]) -> dict[str, object]:
    """What an event of other kinds says, as the log may have it."""
    return {name: _looked_through(value, name in _PROSE, 0) for name, value in body.items()}


@lru_cache(maxsize=1_024)
def spoken_name(text: str | None) -> str | None:
    """What somebody calls themselves, such as a program its name and version."""
    return None if text is None else scrubbed(text)


def _looked_through(value: object, prose: bool, depth: int) -> object:  # noqa: FBT001  passed on for each value
    if type(value) is str:
        # What is longer than it may be is written as its size and digest, and never as it is.
        if len(value) < _SHORTEST or len(value) > MAX_SCANNED:
            return value
        return scrubbed(value) if prose else _name(value)
    if depth > _DEEPEST:
        return value  # refused where it is written
    if isinstance(value, tuple | list):
        return [_looked_through(one, prose, depth + 1) for one in value]
    if isinstance(value, Mapping):
        return {
            name: _looked_through(one, prose or name in _PROSE, depth + 1)
            for name, one in value.items()
        }
    return value


@lru_cache(maxsize=8_192)
def _name(text: str) -> str:
    return scrubbed(text, off=_OF_NAMES)
