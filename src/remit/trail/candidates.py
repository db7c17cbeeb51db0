"""Where the index says that something may be found: blocks, the last one first, with the records to look at in each.

It begins with the condition that few records meet, and asks for the others only in the blocks where that one is met.

Source: AUDIT §1.7.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from remit.db import Database, Transaction
from remit.trail.blocks import Block, block_number, places_in, time_of
from remit.trail.index_store import PostingRow, blocks, driving_postings, postings_in, tenants
from remit.trail.question import Question
from remit.trail.terms import EVERY, Condition, conditions_of, terms_of

__all__ = ["Candidate", "Candidates"]

_ROWS: Final = 50_000
"""So many rows of the index are read for one answer."""
_FIRST: Final = 64
_MOST: Final = 4_096
_AT_ONCE: Final = 200
_SHORTEST: Final = "0000-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block, and the ascending numbers of the records in it that may be what is looked for."""

    block: Block
    numbers: list[int]


class Candidates:
    """The blocks below `bound` for one question; `reach` is how much later than a record its block may be."""

    def __init__(self, database: Database, question: Question, *, bound: int, reach: int) -> None:
        self._database = database
        self._tenants = question.tenants
        self._whose: list[str] | None = None
        self._conditions: list[Condition] = [*question.conditions, *conditions_of(question.query)]
        if not self._conditions:
            self._conditions = [frozenset({EVERY})]
        self._since = _instant(question.query.since)
        self._rows = _FIRST
        self._left = _ROWS
        until = _instant(question.query.until)
        if until is not None:
            bound = min(bound, block_number(max(0, until + reach + 1), 0, after=-1))
        self.bound = bound if all(self._conditions) else 0
        self._end_early()

    @property
    def is_spent(self) -> bool:
        """Whether so much was read for one answer that no more should be."""
        return self._left <= 0

    def take(self) -> list[Candidate]:
        """The next of them, the last block first; `bound` is then the lowest that was looked at, or 0 at the end."""
        return self._database.read_now(self._take)

    def reopen(self, numbers: list[int]) -> list[Candidate]:
        """Those of these blocks, which were taken before, the last one first."""

        def work(tx: Transaction) -> list[Candidate]:
            whose = self._organisations(tx)
            wanted = {term for one in self._conditions for term in terms_of(one)}
            rows: list[PostingRow] = []
            for some in _chunks(numbers):
                rows += postings_in(tx, whose, wanted, some)
            return self._candidates(tx, rows, numbers)

        return self._database.read_now(work) if numbers and all(self._conditions) else []

    def _take(self, tx: Transaction) -> list[Candidate]:
        whose = self._organisations(tx)
        rows = self._driving(tx, whose) if whose else []
        self._left -= max(1, len(rows))
        if len(rows) < self._rows:
            self.bound = 0
        else:
            rows = rows[: -_of_last_block(rows)]
            self.bound = rows[-1].block
        self._rows = min(_MOST, self._rows * 2)
        self._end_early()
        numbers = list(dict.fromkeys(row.block for row in rows))
        rows += self._others(tx, whose, numbers)
        return self._candidates(tx, rows, numbers)

    def _driving(self, tx: Transaction, whose: list[str]) -> list[PostingRow]:
        """Rows of the first condition; if there are more, then of two blocks at least."""
        wanted = terms_of(self._conditions[0])
        while True:
            rows = driving_postings(tx, whose, wanted, below=self.bound, limit=self._rows)
            if len(rows) < self._rows or rows[0].block != rows[-1].block:
                return rows
            self._rows *= 2

    def _others(
        self, tx: Transaction, whose: Collection[str], numbers: list[int]
    ) -> Iterator[PostingRow]:
        wanted = {term for one in self._conditions[1:] for term in terms_of(one)}
        wanted -= set(terms_of(self._conditions[0]))
        if wanted:
            for some in _chunks(numbers):
                yield from postings_in(tx, whose, wanted, some)

    def _candidates(
        self, tx: Transaction, rows: list[PostingRow], numbers: list[int]
    ) -> list[Candidate]:
        known: dict[int, Block] = {}
        for some in _chunks(numbers):
            known |= blocks(tx, some)
        rows.sort(key=lambda row: -row.block)
        found: list[Candidate] = []
        for number, of_block in groupby(rows, key=lambda row: row.block):
            block = known.get(number)
            if block is None:
                continue
            places = places_in([row.posting for row in of_block], self._conditions)
            offsets = sorted(offset for some in places.values() for offset in some)
            if offsets:
                found.append(Candidate(block, [block.first + offset for offset in offsets]))
        return found

    def _organisations(self, tx: Transaction) -> list[str]:
        if self._whose is None:
            known = tenants(tx)
            self._whose = [one for one in known if self._tenants is None or one in self._tenants]
        return self._whose

    def _end_early(self) -> None:
        """Nothing in a block is younger than the block."""
        if self._since is not None and time_of(self.bound) < self._since:
            self.bound = 0


def _of_last_block(rows: list[PostingRow]) -> int:
    """How many of the last rows are of one block, of which there may be more."""
    last = rows[-1].block
    return sum(1 for row in rows if row.block == last)


def _chunks(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield numbers[start : start + _AT_ONCE]


def _instant(text: str | None) -> int | None:
    """The first instant, in epoch milliseconds, that RFC 3339 in UTC or a beginning of it names; `None` where unsure."""
    if text is None:
        return None
    whole = text.removesuffix("Z")
    whole += _SHORTEST[len(whole) :]
    try:
        parsed = datetime.fromisoformat(whole)
    except ValueError:
        return None
    return int(parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp() * 1_000)
