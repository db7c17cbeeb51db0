"""Records found by what they say, the newest first, over all logs at once.

What the index has come to is found by its words; the rest of each log, which is short, is read, and of a long one the
newest; what is between is a gap in the answer, and said. Every record is asked itself before it is shown: whether it meets the question, and whether it belongs to whom it may be shown to. So an index
that is wrong can hide a record, until it is made anew, and show none to the wrong people.

An answer ends when it has what was asked for, and also when much was looked at in vain; then it says where to go on.

Source: AUDIT §1.7.
"""

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.audit.facets import facets_of
from remit.db import DatabaseUnavailableError
from remit.errors import NotFoundError
from remit.trail.blocks import milliseconds, time_of
from remit.trail.candidates import Candidate, Candidates
from remit.trail.index import TrailIndex
from remit.trail.index_store import IndexedLog, indexed_logs
from remit.trail.question import Answer, Cursor, CursorLostError, Found, Looked, Question, Rest
from remit.trail.reading import Budget, backwards, read_range

__all__ = ["search"]

_RECORDS: Final = 20_000
"""So many are looked at for one answer."""
_SECONDS: Final = 5.0
"""And so long: a machine that is busy answers with fewer, and says where to go on."""
_REST: Final = 20_000
"""So many that are not indexed yet are read for one answer: the newest of each log."""
_ATTEMPTS: Final = 3
_ALL: Final = 2**63 - 1


def search(index: TrailIndex, question: Question) -> Answer:
    """The answer to `question`. Blocks; call it in a thread.

    Raises:
        CursorLostError: the cursor is none of this index.
        DatabaseUnavailableError, OSError: the index or a log cannot be read.
    """
    if question.cursor is not None and question.cursor.asked != question.asked:
        raise CursorLostError("the `cursor` goes on with another question")
    for _ in range(_ATTEMPTS):
        database = index.database
        try:
            answer = _answer(index, question)
        except DatabaseUnavailableError as error:
            if not index.heal(database, error):
                raise
        else:
            if answer is not None:
                return answer
    raise CursorLostError("the index was made anew; ask again")


def _answer(index: TrailIndex, question: Question) -> Answer | None:
    """The answer; `None` where the index was made anew in the midst of it, which would let things be missed."""
    epoch = index.begin()
    if question.cursor is not None and question.cursor.epoch != epoch:
        raise CursorLostError("the index was made anew since this `cursor` was given; ask again")
    run = _Search(index, question, epoch)
    found = run.page()
    if index.begin() != epoch:
        return None
    return Answer(found=tuple(found), next=run.cursor(), looked=tuple(run.looked()))


@dataclass(slots=True)
class _Run:
    """Records of one log from `first` on and below `below`, of which `next` comes next; `block` is where they are indexed."""

    first: int
    below: int
    block: int | None
    records: Iterator[Found | int]
    next: Found | None = None


class _Search:
    """One search, going backwards."""

    def __init__(self, index: TrailIndex, question: Question, epoch: str) -> None:
        self._index = index
        self._question = question
        self._epoch = epoch
        self._budget = Budget(_RECORDS, seconds=_SECONDS)
        self._stopped = False
        self._runs: dict[str, deque[_Run]] = {}
        self._heads: list[tuple[int, str]] = []
        known = index.database.read_now(indexed_logs)
        self._names = {one.number: one.log for one in known.values()}
        cursor = question.cursor
        self._sizes = self._sizes_now() if cursor is None else dict(cursor.sizes)
        self._gaps: dict[str, tuple[int, int]] = {} if cursor is None else dict(cursor.gaps)
        if cursor is None:
            self._below = {one.number: one.next for one in known.values()}
            bound = max((one.last_block for one in known.values()), default=-1) + 1
            rests = list(self._rests(known))
        else:
            self._below, bound = dict(cursor.below), cursor.bound
            rests = _believed(cursor.rest)
        self._candidates = Candidates(
            index.database, question, bound=bound, reach=max((k.reach for k in known.values()), default=0)
        )  # fmt: skip
        for rest in rests:
            self._add(rest.log, _Run(rest.first, rest.below, None, self._rest_of(rest)))
        if cursor is not None:
            self._open(self._candidates.reopen(list(cursor.opened)), cursor.opened)

    def page(self) -> list[Found]:
        """The records of this answer."""
        found: list[Found] = []
        while len(found) < self._question.limit and not self._stopped:
            if self._is_block_due():
                if self._candidates.is_spent:
                    break
                self._open(self._candidates.take(), {})
            elif self._heads:
                _, log = heapq.heappop(self._heads)
                run = self._runs[log][0]
                if run.next is not None:
                    found.append(run.next)
                    run.below, run.next = run.next.record.sequence, None
                self._raise_head(log)
            else:
                break
        return found

    def cursor(self) -> Cursor | None:
        """Where to go on; `None` where there is nothing more."""
        left = [(log, run) for log, runs in self._runs.items() for run in runs]
        if not left and self._candidates.bound <= 0:
            return None
        return Cursor(
            epoch=self._epoch,
            asked=self._question.asked,
            bound=self._candidates.bound,
            opened={run.block: run.below for _, run in left if run.block is not None},
            rest=tuple(Rest(log, run.first, run.below) for log, run in left if run.block is None),
            below=self._below,
            sizes=self._sizes,
            gaps=self._gaps,
        )

    def looked(self) -> Iterator[Looked]:
        """What the answer is given over."""
        source = self._index.source
        for log, size in sorted(self._sizes.items()):
            try:
                first, _ = source.bounds(log)
                yield Looked(
                    log=log, first=first, to=size, checkpoint=source.checkpoint(log), gap=self._gaps.get(log)
                )  # fmt: skip
            except NotFoundError:
                continue

    def _is_block_due(self) -> bool:
        bound = self._candidates.bound
        return bound > 0 and (not self._heads or -self._heads[0][0] < time_of(bound))

    def _open(self, candidates: list[Candidate], opened: Mapping[int, int]) -> None:
        """Take up blocks in which there may be something; of those that were `opened` what was left of them."""
        for candidate in candidates:
            block = candidate.block
            # A log that was not known when the first page was given has nothing in it.
            below = min(self._below.get(block.log, 0), opened.get(block.number, _ALL))
            if below <= block.first or block.log not in self._names:
                continue
            log = self._names[block.log]
            records = self._read(log, candidate, below)
            self._add(log, _Run(block.first, below, block.number, records))

    def _read(self, log: str, candidate: Candidate, below: int) -> Iterator[Found | int]:
        """What of a block is wanted, the last first; nothing is looked at before it is its turn."""
        numbers = [one for one in candidate.numbers() if one < below]
        source = self._index.source
        yield from backwards(source, log, numbers, wanted=self._wants, budget=self._budget)

    def _add(self, log: str, run: _Run) -> None:
        runs = self._runs.setdefault(log, deque())
        runs.append(run)
        if len(runs) == 1:
            self._raise_head(log)

    def _raise_head(self, log: str) -> None:
        """Have the next record of `log` at hand, if there is one."""
        runs = self._runs[log]
        while runs:
            run = runs[0]
            found = next(run.records, None)
            if isinstance(found, Found):
                run.next = found
                written = milliseconds(found.entry.get("observed"))
                heapq.heappush(self._heads, (-written, log))
                return
            if found is not None:  # nothing more is looked at for this answer
                run.below, self._stopped = found, True
                return
            runs.popleft()

    def _wants(self, found: Found) -> bool:
        entry, question = found.entry, self._question
        tenant = entry.get("tenant")
        # INVARIANT: asked of the record and not of the index, whatever led to it.
        if question.tenants is not None and (tenant or "") not in question.tenants:
            return False
        if not question.query.matches(entry):
            return False
        if not question.conditions:
            return True
        held = facets_of(entry)
        return not any(condition.isdisjoint(held) for condition in question.conditions)

    def _sizes_now(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for log in self._index.source.logs():
            try:
                found[log] = self._index.source.bounds(log)[1]
            except NotFoundError:
                continue
        return found

    def _rests(self, known: dict[str, IndexedLog]) -> Iterator[Rest]:
        """What of each log is not indexed; of what is too much the newest, and the rest of it is a gap."""
        begins = {
            log: known[log].next if log in known else self._index.source.bounds(log)[0]
            for log in self._sizes
        }
        left = _REST
        # Those with little first, so that one that is far behind leaves the others theirs.
        order = sorted(begins, key=lambda log: (self._sizes[log] - begins[log], log))
        for place, log in enumerate(order):
            size, first = self._sizes[log], begins[log]
            start = max(first, size - left // (len(order) - place))
            if start > first:
                self._gaps[log] = (first, start)
            if size > start:
                left -= size - start
                yield Rest(log, start, size)

    def _rest_of(self, rest: Rest) -> Iterator[Found | int]:
        if rest.log not in self._index.source.logs():  # a cursor may say anything
            return iter(())
        found = read_range(self._index.source, rest.log, rest.first, rest.below)
        return iter([one for one in found if self._wants(one)][::-1])


def _believed(rest: Sequence[Rest]) -> list[Rest]:
    """What a cursor says is left of logs, which no cursor of ours says more of than is read for one answer.

    Raises:
        CursorLostError: it is none of ours.
    """
    logs = {one.log for one in rest}
    if len(logs) < len(rest) or sum(max(0, one.below - one.first) for one in rest) > _REST:
        raise CursorLostError("the `cursor` is none that was given")
    return list(rest)
