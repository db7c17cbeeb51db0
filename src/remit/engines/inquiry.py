"""Asking external engines beforehand, for people who want to know who can: few questions, slowly, and no answer is a permission.

An engine is another system, which answers calls meanwhile. So one inquiry goes on at a time, each has so many
questions and so many seconds, all of them together so many questions a minute; an engine that fails once is not asked
further. Whatever is no clear answer, is late, or was not asked is `UNKNOWN`.

Source: docs/guides/who-can.md.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from remit.clock import Clock
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason
from remit.policy.decision_point import DecisionPoint
from remit.policy.evaluation import Evaluation, ResourceFacts
from remit.policy.port import Elsewhere

__all__ = ["MOST_QUESTIONS", "EngineInquiry", "EngineWord", "Word"]

MOST_QUESTIONS: Final = 200
"""In one inquiry; what is asked beyond is unknown."""
_A_MINUTE: Final = 600
_BATCH: Final = 20
_PATIENCE: Final = 10.0
"""Seconds for a whole inquiry, waiting for others included."""
_TOO_MANY: Final = f"not asked: an inquiry has {MOST_QUESTIONS} questions at most"
_TOO_OFTEN: Final = "not asked: engines were asked enough for this minute"
_TOO_LONG: Final = "not asked: the inquiry took too long"
_FAILED_BEFORE: Final = "not asked: the engine had just failed"


class Word(StrEnum):
    """`YES` is what the engine says of this very question, and allows nothing."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineWord:
    """What an engine said of one question. `why`: why it is unknown; `needs`: what it asks for besides."""

    word: Word
    rules: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    why: str | None = None


class EngineInquiry:
    """One for the whole process."""

    def __init__(self, elsewhere: Elsewhere, clock: Clock) -> None:
        self._decisions = DecisionPoint(_NoVeto(), clock, elsewhere)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._since = clock.monotonic()
        self._asked = 0

    async def ask(self, questions: Sequence[Evaluation]) -> list[EngineWord]:
        """A word to each, in the order given; each question names its engine. Never raises for an engine."""
        words = [_unknown(_TOO_LONG if place < MOST_QUESTIONS else _TOO_MANY)
                 for place in range(len(questions))]  # fmt: skip
        try:
            async with asyncio.timeout(_PATIENCE), self._turn:
                await self._fill(words, questions[:MOST_QUESTIONS])
        except TimeoutError:
            pass  # what was not come to says so already
        return words

    async def _fill(self, words: list[EngineWord], questions: Sequence[Evaluation]) -> None:
        failed: set[str] = set()
        for name, places in _by_engine(questions).items():
            for start in range(0, len(places), _BATCH):
                batch = places[start : start + _BATCH]
                if name in failed or not self._has_room(len(batch)):
                    why = _FAILED_BEFORE if name in failed else _TOO_OFTEN
                    for place in batch:
                        words[place] = _unknown(why)
                    continue
                decided = await self._decisions.adjudicate_all([questions[one] for one in batch])
                for place, decision in zip(batch, decided, strict=True):
                    words[place] = _word(decision)
                    if words[place].word is Word.UNKNOWN:
                        failed.add(name)

    def _has_room(self, count: int) -> bool:
        now = self._clock.monotonic()
        if now - self._since >= 60:
            self._since, self._asked = now, 0
        if self._asked + count > _A_MINUTE:
            return False
        self._asked += count
        return True


class _NoVeto:
    """The policies of the repository, which were asked before with everything open: nothing more is to be said."""

    version = ""

    def evaluate(self, evaluation: Evaluation) -> Decision:
        """Neither permit nor forbid."""
        del evaluation
        return Decision(
            outcome=DecisionOutcome.DENY,
            reason=DecisionReason.NO_PERMIT,
            rules=(),
            policy_version=self.version,
            engine="inquiry",
        )

    def history_read(self, resource: ResourceFacts) -> frozenset[str]:
        """None: what was done before is among what nobody knows beforehand."""
        del resource
        return frozenset()


def _by_engine(questions: Sequence[Evaluation]) -> dict[str, list[int]]:
    """The places of the questions to each engine. One that names none would be answered by nobody."""
    found: dict[str, list[int]] = {}
    for place, one in enumerate(questions):
        if one.engine is None:
            raise ValueError("a question to an engine names it")
        found.setdefault(one.engine.name, []).append(place)
    return found


def _word(decision: Decision) -> EngineWord:
    if decision.reason is DecisionReason.ENGINE_ERROR:
        return _unknown("; ".join(decision.errors) or "the engine failed")
    return EngineWord(
        word=Word.YES if decision.allowed else Word.NO,
        rules=tuple(rule.id for rule in decision.rules),
        needs=tuple(f"{one.kind.value} {one.value}" for one in decision.obligations),
    )


def _unknown(why: str) -> EngineWord:
    return EngineWord(word=Word.UNKNOWN, why=why)
