"""Where the index says that something may be found: blocks, the last one first, with the records to look at in each.

It begins with the condition that few records meet, and asks for the others only in the blocks where that one is met.

Source: AUDIT §1.7.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from remit.db import Database, Transaction
from remit.trail.blocks import Block, Posting, block_number, places_in, time_of
from remit.trail.index_store import PostingRow, blocks, postings_of, spans_so_far, tenants
from remit.trail.question import Question
from remit.trail.terms import EVERY, Condition, conditions_of, terms_of

__all__ = ["Candidate", "Candidates"]

_ROWS: Final = 50_000
"""So many rows of the index are read for one answer."""
_FIRST: Final = 1
_MOST: Final = 64
"""So many spans at a time."""
_CHUNK: Final = 200
_SHORTEST: Final = "0000-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block in which something may be, and what stands in it of the words that are asked for."""

    block: Block
    postings: Sequence[Posting]
    conditions: Sequence[Condition]

    def numbers(self) -> list[int]:
        """The ascending numbers of the records that may be what is looked for; it takes a look at the whole block."""
        places = places_in(self.postings, self.conditions)
        return sorted(self.block.first + offset for some in places.values() for offset in some)


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
        self._spans: list[tuple[int, int]] | None = None
        self._at_once = _FIRST
        self._held: list[PostingRow] = []
        self._left = _ROWS
        until = _instant(question.query.until)
        if until is not None:
            bound = min(bound, block_number(max(0, until + reach + 1), 0, after=-1))
        self.bound = bound if all(self._conditions) else 0
        self._end_early()
        self._began = self.bound

    @property
    def is_spent(self) -> bool:
        """Whether so much was read for one answer that no more should be. Never before there is less left to read."""
        return self._left <= 0 and self.bound < self._began

    def take(self) -> list[Candidate]:
        """The next of them, the last block first; `bound` is then the lowest that was looked at, or 0 at the end."""
        return self._database.read_now(self._take)

    def reopen(self, numbers: list[int]) -> list[Candidate]:
        """Those of these blocks, which were taken before, the last one first."""

        def work(tx: Transaction) -> list[Candidate]:
            known = self._known(tx, numbers)
            wanted = {term for one in self._conditions for term in terms_of(one)}
            whose = self._organisations(tx)
            rows = list(
                self._rows_in(tx, whose, wanted, [(b.span, b.number) for b in known.values()])
            )
            return self._candidates(tx, rows, numbers)

        return self._database.read_now(work) if numbers and all(self._conditions) else []

    def _take(self, tx: Transaction) -> list[Candidate]:
        """Some spans more; of what they have only what is above everything in the others."""
        whose, spans = self._organisations(tx), self._spans_left(tx)
        some, self._spans = spans[: self._at_once], spans[self._at_once :]
        self._at_once = min(_MOST, self._at_once * 2)
        if whose and some:
            wanted = terms_of(self._conditions[0])
            within = [span for span, _ in some]
            self._held += postings_of(tx, whose, wanted, within)
        below = self.bound
        self.bound = min(below, self._spans[0][1] + 1) if self._spans and whose else 0
        rows = [row for row in self._held if self.bound <= row.block < below]
        self._held = [row for row in self._held if row.block < self.bound]
        self._left -= len(rows) + len(some)
        self._end_early()
        places = list(dict.fromkeys((row.span, row.block) for row in rows))
        others = {term for one in self._conditions[1:] for term in terms_of(one)}
        others -= set(terms_of(self._conditions[0]))
        if others:
            rows += self._rows_in(tx, whose, others, places)
        return self._candidates(tx, rows, [block for _, block in places])

    def _rows_in(
        self,
        tx: Transaction,
        whose: Collection[str],
        wanted: Collection[int],
        places: Sequence[tuple[int, int]],
    ) -> Iterator[PostingRow]:
        """What is in certain blocks, each of which is in a span."""
        if not whose:
            return
        for start in range(0, len(places), _CHUNK):
            some = places[start : start + _CHUNK]
            within, only = {span for span, _ in some}, {block for _, block in some}
            yield from postings_of(tx, whose, wanted, within, only=only)

    def _spans_left(self, tx: Transaction) -> list[tuple[int, int]]:
        """The spans that were not looked at yet, the highest first."""
        return spans_so_far(tx, below=self.bound) if self._spans is None else self._spans

    def _candidates(
        self, tx: Transaction, rows: list[PostingRow], numbers: list[int]
    ) -> list[Candidate]:
        known = self._known(tx, numbers)
        rows.sort(key=lambda row: -row.block)
        found: list[Candidate] = []
        for number, of_block in groupby(rows, key=lambda row: row.block):
            block = known.get(number)
            if block is None:
                continue
            postings = [row.posting for row in of_block]
            found.append(Candidate(block, postings, self._conditions))
        return found

    def _known(self, tx: Transaction, numbers: list[int]) -> dict[int, Block]:
        found: dict[int, Block] = {}
        for start in range(0, len(numbers), _CHUNK):
            found |= blocks(tx, numbers[start : start + _CHUNK])
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
