"""Asking an engine in another process, and believing only what is an answer to the question in time.

Refused: whatever it raises, an answer after its time, one that is missing or too many, one about another
question, one that is neither yes nor no, one that allows what it says is forbidden, an obligation that cannot be read. An engine that does not
let itself be cancelled is not waited for.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from remit.errors import Error
from remit.model import ExternalEngine
from remit.policy.decision import MatchedRule, RuleEffect
from remit.policy.duties import is_readable
from remit.policy.evaluation import Evaluation
from remit.policy.obligation import Obligation, ObligationKind
from remit.policy.port import Answer, EngineUnavailableError, ExternalPolicyEngine

__all__ = ["Inquired", "Inquiries", "Nowhere", "described", "failure_of", "nobody_hears"]

_MAX_RULES = 32
_MAX_TEXT = 256


class Nowhere:
    """No engine is to be asked here: whatever needs one is refused."""

    def find(self, declared: ExternalEngine) -> ExternalPolicyEngine:
        """Raise; see `Elsewhere`."""
        raise EngineUnavailableError("no engine outside this process can be asked here")


class Inquiries:
    """Puts questions to engines elsewhere, and keeps hold of those that it gave up."""

    __slots__ = ("_abandoned",)

    def __init__(self) -> None:
        self._abandoned: set[asyncio.Future[Sequence[Answer]]] = set()

    async def answers(
        self, engine: ExternalPolicyEngine, asked: Sequence[Evaluation], *, seconds: float
    ) -> tuple[Answer, ...]:
        """One answer to each question.

        Raises:
            EngineUnavailableError: what came is not that, or nothing came in time.
            Exception: whatever the engine raised.
        """
        task: asyncio.Future[Sequence[Answer]] = asyncio.ensure_future(engine.evaluate_all(asked))
        try:
            # Not `timeout`: an engine that swallows its cancellation would be late and yet believed.
            done, _ = await asyncio.wait({task}, timeout=seconds)
        except BaseException:
            self._give_up(task)
            raise
        if not done:
            self._give_up(task)
            raise EngineUnavailableError(
                f"no answer within {round(seconds * 1000)} ms", cause=TimeoutError()
            )
        if task.cancelled():
            raise EngineUnavailableError("the engine gave up")
        return _checked(task.result(), asked)

    def _give_up(self, task: asyncio.Future[Sequence[Answer]]) -> None:
        """Nobody hears it any more, and it is not waited for."""
        self._abandoned.add(task)
        task.add_done_callback(self._forget)
        task.cancel()

    def _forget(self, task: asyncio.Future[Sequence[Answer]]) -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()


class Inquired(Protocol):
    """Hears what came of asking an engine: of so many questions, in so long. Waits for nothing, and never raises.

    `outcomes`: for each question `allow`, `deny`, `late` or `error`.
    """

    def __call__(self, engine: str, outcomes: Sequence[str], *, seconds: float) -> None: ...


def nobody_hears(engine: str, outcomes: Sequence[str], *, seconds: float) -> None:
    """Nobody counts."""
    del engine, outcomes, seconds


def failure_of(error: Exception) -> str:
    """`late` for an answer that did not come in time, by our clock or the adapter's; else `error`."""
    cause = error.cause if isinstance(error, Error) else None
    return "late" if isinstance(error, TimeoutError) or isinstance(cause, TimeoutError) else "error"


def described(error: Exception) -> str:
    """An engine's failure in words; ours are made for the log, others' may have a secret or an argument in them."""
    name = type(error).__name__
    return f"{name}: {error.detail}" if isinstance(error, Error) else name


def _checked(answers: object, asked: Sequence[Evaluation]) -> tuple[Answer, ...]:
    if not isinstance(answers, list | tuple):
        raise EngineUnavailableError("the engine returned no list of answers")
    if len(answers) != len(asked):
        raise EngineUnavailableError(f"{len(answers)} answers to {len(asked)} questions")
    return tuple(_answer(one, question) for one, question in zip(answers, asked, strict=True))


def _answer(answer: object, question: Evaluation) -> Answer:
    if not isinstance(answer, Answer):
        raise EngineUnavailableError("something that is no answer is among the answers")
    if answer.question is not question:
        raise EngineUnavailableError("an answer is about another question")
    if answer.allowed is not True and answer.allowed is not False:
        raise EngineUnavailableError("an answer is neither yes nor no")
    if not _is_tuple_of(answer.rules, MatchedRule) or not _is_tuple_of(
        answer.obligations, Obligation
    ):
        raise EngineUnavailableError("the rules or obligations of an answer are none")
    if not all(_is_obligation(one) for one in answer.obligations):
        # One that cannot be read asks for something that nobody would do: a limit that is none.
        raise EngineUnavailableError("an obligation of an answer cannot be read")
    if not all(_is_text(rule.id) and _may_be_said(rule.message) for rule in answer.rules):
        raise EngineUnavailableError("a rule of an answer has no name of printable text")
    if answer.allowed and any(rule.effect is RuleEffect.FORBID for rule in answer.rules):
        raise EngineUnavailableError("the engine allows what it says one of its policies forbids")
    return answer


def _is_tuple_of(values: object, kind: type) -> bool:
    return (
        isinstance(values, tuple)
        and len(values) <= _MAX_RULES
        and all(isinstance(one, kind) for one in values)
    )


def _is_obligation(one: Obligation) -> bool:
    kind: object = one.kind
    return isinstance(kind, ObligationKind) and _is_text(one.value) and is_readable(one)


def _is_text(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _MAX_TEXT and text.isprintable()


def _may_be_said(text: object) -> bool:
    return text is None or _is_text(text)
