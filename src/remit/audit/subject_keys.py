"""The keys that this process seals with: one for each tenant, subject and month, random, and of this process alone.

So that what was sealed about somebody can be made unreadable by destroying a few keys, and nothing else suffers. The hot
path takes a key from a stock that lies in the database already, and tells nobody; who belongs to which key is
written beside it (`custody`), within about a second. Where the stock is empty a key is made, which is lost if the
process dies before it is kept. No two processes share a key, so counting is enough to never use a nonce twice.

Source: AUDIT §1.6; NIST SP 800-38D §8.2.1; NIST SP 800-88 §2.5 (cryptographic erase).
"""

import itertools
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from remit.clock import Clock, EpochSeconds

__all__ = ["KeyOwner", "NewKey", "SubjectKeys", "SubjectWriter", "month_of"]

_MOST_WRITERS: Final = 65_536
_MAX_SEALS: Final = 2**32


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """Whom a key is about, and the month of what it seals (`2026-11`, UTC)."""

    tenant: str
    subject: str
    month: str


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that somebody has been given, and when. `id` is 32 hexadecimal characters; `is_kept`: it lies in the database already."""

    id: str
    owner: KeyOwner
    key: bytes = field(repr=False)
    is_kept: bool
    at: EpochSeconds


class SubjectWriter:
    """One key, and the nonces that are left of it. INVARIANT: `numbers` gives each to one caller alone."""

    __slots__ = ("cipher", "id", "numbers", "owner")

    def __init__(self, key_id: bytes, key: bytes, owner: KeyOwner) -> None:
        self.id = key_id
        self.cipher = AESGCM(key)
        self.numbers = itertools.count(1)
        self.owner = owner


class SubjectKeys:
    """Those in use. Safe for several threads."""

    __slots__ = ("_clock", "_given", "_lock", "_month", "_month_ends", "_stock", "_writers")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._writers: dict[tuple[str, str], SubjectWriter] = {}
        self._stock: list[tuple[bytes, bytes]] = []
        self._given: list[NewKey] = []
        self._month = ""
        self._month_ends = EpochSeconds(0)

    @property
    def stock(self) -> int:
        """How many keys lie ready."""
        return len(self._stock)

    def writer(self, tenant: str, subject: str) -> tuple[SubjectWriter, int]:
        """What to seal with about `subject`, and a nonce of its own."""
        if self._clock.now() >= self._month_ends:
            self._turn_the_month()
        writer = self._writers.get((tenant, subject))
        number = _MAX_SEALS if writer is None else next(writer.numbers)
        if writer is None or number >= _MAX_SEALS:
            writer = self._new_writer(tenant, subject)
            number = next(writer.numbers)
        return writer, number

    def put_in_stock(self, keys: Iterable[tuple[str, bytes]]) -> None:
        """Let these be given out, which are kept in the database."""
        with self._lock:
            self._stock += [(bytes.fromhex(name), key) for name, key in keys]

    def take_given(self) -> list[NewKey]:
        """The keys that were given out since this was asked last: whoever asks has to keep them."""
        with self._lock:
            given, self._given = self._given, []
        return given

    def waiting(self) -> list[NewKey]:
        """The keys that were given out and not taken yet."""
        with self._lock:
            return list(self._given)

    def give_back(self, given: list[NewKey]) -> None:
        """They could not be kept: they are told again."""
        with self._lock:
            self._given = given + self._given

    def take_stock(self) -> list[str]:
        """The ids of what lies ready, which is given to nobody any more."""
        with self._lock:
            stock, self._stock = self._stock, []
        return [key_id.hex() for key_id, _ in stock]

    def part_with(self, tenant: str, subject: str) -> None:
        """Seal nothing more about `subject` with the key that they have."""
        with self._lock:
            self._writers.pop((tenant, subject), None)

    def drop(self, ids: Iterable[str]) -> None:
        """Seal nothing more with these, which were destroyed: whoever had one has another from now on."""
        gone = set(ids)
        with self._lock:
            for name, writer in tuple(self._writers.items()):
                if writer.id.hex() in gone:
                    del self._writers[name]
            self._stock = [one for one in self._stock if one[0].hex() not in gone]

    def ids(self) -> list[str]:
        """Of the keys in use."""
        with self._lock:
            return [writer.id.hex() for writer in self._writers.values()]

    def _new_writer(self, tenant: str, subject: str) -> SubjectWriter:
        with self._lock:
            if len(self._writers) >= _MOST_WRITERS:
                self._writers = {}
            kept = bool(self._stock)
            key_id, key = self._stock.pop() if kept else (os.urandom(16), os.urandom(32))
            owner = KeyOwner(tenant, subject, self._month)
            self._given.append(NewKey(key_id.hex(), owner, key, kept, self._clock.now()))
            writer = SubjectWriter(key_id, key, owner)
            self._writers[tenant, subject] = writer
            return writer

    def _turn_the_month(self) -> None:
        now = self._clock.now()
        with self._lock:
            self._month, self._month_ends = month_of(now)
            self._writers = {}


def month_of(now: EpochSeconds) -> tuple[str, EpochSeconds]:
    """The month that `now` is in, and when it ends."""
    moment = datetime.fromtimestamp(now, UTC)
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    ends = datetime(year, month, 1, tzinfo=UTC)
    return f"{moment.year:04d}-{moment.month:02d}", EpochSeconds(int(ends.timestamp()))
