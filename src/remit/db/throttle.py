"""How often something was tried of late: the counters behind every limit on guessing.

A window starts with the first attempt and counts until it is over; the attempt
after that starts the next. Keys are the caller's: what is tried, and from where.

Source: O21 §2.4.1; RFC 6749 §10.10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    Table,
    Text,
    bindparam,
    case,
    delete,
    select,
    update,
)

from remit.clock import EpochSeconds, Seconds
from remit.db.metadata import metadata
from remit.db.prepared import Prepared
from remit.db.transaction import Transaction
from remit.db.upsert import conflict_insert

__all__ = [
    "Attempts",
    "attempts_of",
    "count_attempt",
    "forget_attempts",
    "network_of",
    "purge_attempts",
    "take_back_attempt",
    "throttle",
]

throttle = Table(
    "throttle",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_start", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
)


# At every token of a client with a secret.
_COUNTED = Prepared(
    select(throttle.c.count, throttle.c.window_start).where(
        throttle.c.key == bindparam("wanted"), throttle.c.window_start > bindparam("after")
    )
)


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many in the present window, and when that window started."""

    count: int
    window_start: EpochSeconds

    def wait(self, now: EpochSeconds, window: Seconds) -> Seconds:
        """How long until the window is over; at least one second."""
        return Seconds(max(1, self.window_start + window - now))


def attempts_of(tx: Transaction, key: str, *, now: EpochSeconds, window: Seconds) -> Attempts:
    """What was counted for `key` in the window that holds `now`."""
    row = _COUNTED.one_or_none(tx, wanted=key, after=now - window)
    return Attempts(0, now) if row is None else _attempts(row)


def count_attempt(tx: Transaction, key: str, *, now: EpochSeconds, window: Seconds) -> Attempts:
    """Count one more for `key`, and say how many that makes; of two that race, both are counted."""
    row = conflict_insert(tx, throttle).values(key=key, window_start=now, count=1)
    over = throttle.c.window_start <= now - window
    counted = row.on_conflict_do_update(
        index_elements=[throttle.c.key],
        set_={
            "count": case((over, 1), else_=throttle.c.count + 1),
            "window_start": case((over, now), else_=throttle.c.window_start),
        },
    ).returning(throttle.c.count, throttle.c.window_start)
    return _attempts(tx.connection.execute(counted).one())


def take_back_attempt(tx: Transaction, key: str) -> None:
    """Undo one `count_attempt` that turned out not to be a failure."""
    tx.connection.execute(
        update(throttle)
        .where(throttle.c.key == key, throttle.c.count > 0)
        .values(count=throttle.c.count - 1)
    )


def forget_attempts(tx: Transaction, key: str) -> None:
    """Start `key` anew, as after a success."""
    tx.connection.execute(delete(throttle).where(throttle.c.key == key))


def purge_attempts(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete the counters whose window started before that; how many."""
    return tx.connection.execute(delete(throttle).where(throttle.c.window_start < before)).rowcount


@lru_cache(maxsize=1_024)
def network_of(ip: str | None) -> str:
    """The address as a limit counts it: IPv6 by its /64, since one host has all of that."""
    if ip is None:
        return "unknown"
    try:
        address = ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> 64 << 64)) + "/64"
    return str(address)


def _attempts(row: Sequence[int]) -> Attempts:
    count, window_start = row  # by position: a row, being a tuple, has a method `count`
    return Attempts(count, EpochSeconds(window_start))
