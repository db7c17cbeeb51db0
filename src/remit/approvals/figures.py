"""How people answer: how many, how fast. A yes within seconds of seeing the words is a rubber stamp.

Source: MISSION C3 (fatigue is measured and shown).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from remit.approvals.request import Answer, Request, RequestState, Verdict
from remit.ids import UserId

__all__ = ["HASTY", "Figures", "figures_of"]

HASTY: Final = 5
"""Seconds: sooner than this nobody has read what they say yes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one person, or of one rule, over a while. `person` and `rule` are `None` where it is over all of them."""

    person: UserId | None = None
    rule: str | None = None
    approved: int = 0
    refused: int = 0
    expired: int = 0
    """Requests, of a rule or of all, that nobody answered in time."""
    median_seconds: int | None = None
    """Between seeing the words and saying yes to them; `None` without a yes."""
    hasty: int = 0
    """How many were approved sooner than anybody reads."""


def figures_of(requests: Sequence[Request]) -> tuple[Figures, ...]:
    """Over all first, then by person, then by rule, each in the order of their names."""
    answers = [one for request in requests for one in request.answers]
    people = sorted({one.person for one in answers})
    rules = sorted({part.rule for request in requests for part in request.parts if part.rule})
    return (
        _figures(answers, requests),
        *(
            _figures([one for one in answers if one.person == who], (), person=who)
            for who in people
        ),
        *(_of_rule(rule, requests) for rule in rules),
    )


def _of_rule(rule: str, requests: Sequence[Request]) -> Figures:
    theirs = [one for one in requests if any(part.rule == rule for part in one.parts)]
    answers = [
        answer
        for request in theirs
        for answer in request.answers
        if any(request.parts[place].rule == rule for place in answer.counts_for)
    ]
    return _figures(answers, theirs, rule=rule)


def _figures(
    answers: Iterable[Answer],
    requests: Sequence[Request],
    *,
    person: UserId | None = None,
    rule: str | None = None,
) -> Figures:
    given = list(answers)
    took = [one.at - one.shown_at for one in given if one.verdict is not Verdict.REFUSED]
    return Figures(
        person=person,
        rule=rule,
        approved=len(took),
        refused=len(given) - len(took),
        expired=sum(one.state is RequestState.EXPIRED for one in requests),
        median_seconds=median_low(took) if took else None,
        hasty=sum(one < HASTY for one in took),
    )
