"""Which records the holds that stand cover: of these none is removed, nor, since a log is removed from its beginning, any after them.

A record is covered when it is of the organisation and, where the hold is about somebody, when they are named in it: as whoever
acted, for whom, through whom, or in what it says. A record of no organisation is covered when it names the organisation or them.

Source: AUDIT §1.6; FRCP 37(e).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from remit.clock import EpochSeconds
from remit.custody.hold_store import Hold
from remit.custody.holding import covering
from remit.db import Transaction

__all__ = ["StandingHolds", "standing_holds"]

_LONGEST: Final = 64
"""Characters of a name; what is longer names nobody."""
_MOST_NAMES: Final = 65_536


@dataclass(frozen=True, slots=True)
class StandingHolds:
    """Those that stood when it was looked; `names` says whether a text names whom the hold with that number is about."""

    holds: tuple[Hold, ...]
    names: Callable[[int, str], bool]

    def cover(self, entry: dict[str, Any]) -> bool:
        """Whether one of them covers the record `entry`."""
        if not self.holds:
            return False
        tenant = entry["tenant"]
        texts: frozenset[str] | None = None
        for number, hold in enumerate(self.holds):
            if tenant not in {None, hold.tenant}:
                continue
            if tenant is not None and hold.subject is None:
                return True
            texts = texts or frozenset(_texts(entry))
            if any(self.names(number, one) for one in texts):
                return True
        return False

    def are_all(self, tx: Transaction, now: EpochSeconds) -> bool:
        """Whether no other stands by now: one that came since may cover what nobody looked for."""
        known = {hold.id for hold in self.holds}
        return all(hold.id in known for hold in covering(tx, tenant=None, subject=None, now=now))


def standing_holds(
    tx: Transaction, *, digest: Callable[[str, str], str], now: EpochSeconds
) -> StandingHolds:
    """Those of every organisation; `digest` makes the name of a subject of a tenant."""
    holds = tuple(covering(tx, tenant=None, subject=None, now=now))

    @lru_cache(maxsize=_MOST_NAMES)
    def names(number: int, text: str) -> bool:
        hold = holds[number]
        if hold.subject is None:
            return text == hold.tenant
        return digest(hold.tenant, text) == hold.subject

    return StandingHolds(holds, names)


def _texts(entry: dict[str, Any]) -> Iterator[str]:
    """The texts in a record that may be the name of somebody, or of an organisation."""
    waiting: list[Any] = [
        entry["user"], entry["agent"], entry["actor"], entry["act"], entry["client"], entry["body"]
    ]  # fmt: skip
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if 0 < len(value) <= _LONGEST:
                yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
