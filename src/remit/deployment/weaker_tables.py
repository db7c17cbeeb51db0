"""Which expectations of the decision tables in force a proposal no longer holds: taken away, or made weaker.

A table keeps what somebody once decided must stay so. Whoever may change it and the policies in one step could
otherwise turn round what it says, and have it pass. So every case in force has to be found again: the very same
question, expected to come out at least as strictly, in every stage that it is for. What a case is called, and where it
stands, does not matter.

At least as strictly: every word of the old expectation again, or a refusal in place of a permit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from remit.canonical import canonical_text
from remit.casebook import Case, Expected, Outcome, Question, Table

__all__ = ["weakened"]


def weakened(before: Iterable[Table], after: Iterable[Table]) -> tuple[str, ...]:
    """A sentence for each case of `before` that is not in `after`, or expects less there; in the order of `before`."""
    asked: dict[str, list[Case]] = {}
    for table in after:
        for case in table.cases:
            asked.setdefault(case.question.thing, []).append(case)
    return tuple(_told(before, asked))


def _told(before: Iterable[Table], asked: dict[str, list[Case]]) -> Iterator[str]:
    for table in before:
        for case in table.cases:
            alike = _alike(case, asked)
            if not alike:
                yield f"{case.file}, `{case.title}`: nothing asks it any more"
            elif not any(_is_as_strict(case.expected, one.expected) for one in alike):
                yield (
                    f"{case.file}, `{case.title}`: expected {_said(case.expected)}, "
                    f"now {_said(alike[0].expected)}"
                )


def _alike(case: Case, asked: dict[str, list[Case]]) -> list[Case]:
    return [
        one
        for one in asked.get(case.question.thing, ())
        if _is_same(one.question, case.question) and _is_for(one, case.stages)
    ]


def _is_same(one: Question, other: Question) -> bool:
    # In Python `1 == True`; in a policy they are two types, and one of them may match nothing.
    return one == other and _spelt(one) == _spelt(other)


def _spelt(question: Question) -> tuple[str, str]:
    return canonical_text(question.arguments), repr(sorted(question.history.items()))


def _is_for(case: Case, stages: tuple[str, ...]) -> bool:
    """Whether it is asked wherever one for `stages` was; none named: everywhere."""
    return not case.stages or (bool(stages) and set(stages) <= set(case.stages))


def _is_as_strict(before: Expected, after: Expected) -> bool:
    if before.outcome is Outcome.ALLOW and after.outcome not in {None, Outcome.ALLOW}:
        return True
    return all(
        was is None or was == getattr(after, one.name)
        for one in fields(Expected)
        for was in (getattr(before, one.name),)
    )


def _said(expected: Expected) -> str:
    """What it says, in few words."""
    told = [
        f"{one.name} {_word(value)}"
        for one in fields(Expected)
        if (value := getattr(expected, one.name)) is not None
    ]
    return "; ".join(told).removeprefix("outcome ")[:200] or "anything"


def _word(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_word(one)}" for name, one in sorted(value.items()))
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(map(str, value))) or "none"
    return str(value)
