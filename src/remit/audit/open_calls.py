"""Which calls a log has the beginning of, and not the end: what a process that dies leaves behind.

The beginning is a `decision` that allows; the end is the `call.completed` of the same `decision_id`. What was shown in a list
never ends, since nothing was called; what guards inside servers decide ends with them, and is told by them.

This is what a writer keeps in hand, so that whoever goes on with its log need not read it from its beginning.
What is to be said of calls that were left is `audit.reconcile`'s.

Source: AUDIT §1.3 (`unknown` if we died between); §1.10, check 7.
"""

from collections.abc import Iterable, Mapping
from struct import iter_unpack, pack
from typing import Final

import orjson

from remit.audit.events import CallCompleted, Decided

__all__ = ["MOST_LISTED", "CallsUnderWay", "listed", "listing"]

MOST_LISTED: Final = 4_096
"""So many are listed with a checkpoint. Where there are more, all records after the last that is listed have to be read."""

_NEVER_ENDS: Final = "listed"
_BEGINS: Final = f'"kind":"{Decided.kind}"'.encode()
_ENDS: Final = f'"kind":"{CallCompleted.kind}"'.encode()
_ALLOWED: Final = b'"outcome":"allow"'


class CallsUnderWay:
    """The calls that have begun and not ended, by what was seen of a log so far. Not safe for several threads."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._begun)

    def see(self, sequence: int, line: bytes) -> None:
        """Take note of what record `sequence` begins or ends. What is no record does neither."""
        begins = _BEGINS in line and _ALLOWED in line
        if not begins and _ENDS not in line:
            return
        try:
            entry = orjson.loads(line)
            kind, body = entry["kind"], entry["body"]
            decision = body["decision_id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        if not isinstance(decision, str) or body.get("guard"):
            return
        if kind == CallCompleted.kind:
            self._begun.pop(decision, None)
        elif kind == Decided.kind and _is_call(body):
            self._begun[decision] = sequence

    def forget_before(self, sequence: int) -> None:
        """Others have said what became of those that begin before record `sequence`."""
        self._begun = {one: begun for one, begun in self._begun.items() if begun >= sequence}

    def sequences(self) -> tuple[int, ...]:
        """The numbers of the records that they begin with, in order."""
        return tuple(self._begun.values())


def _is_call(body: Mapping[str, object]) -> bool:
    return body.get("outcome") == "allow" and body.get("reason") != _NEVER_ENDS


def listing(calls: CallsUnderWay) -> bytes:
    """The first `MOST_LISTED` of `calls`, to be kept beside a checkpoint."""
    numbers = calls.sequences()[:MOST_LISTED]
    return pack(f">{len(numbers)}Q", *numbers)


def listed(kept: bytes) -> Iterable[int]:
    """The numbers in what `listing` made.

    Raises:
        struct.error: it is nothing that `listing` makes.
    """
    return (number for (number,) in iter_unpack(">Q", kept))
