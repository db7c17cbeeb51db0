"""Whether a call would be allowed if nothing had been done before it: what waiting, or another consent, would change.

Each fact that policies were told is taken, one by one, for what this call alone would come to.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial

from remit.canonical import Json
from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.guard.nearest import Change
from remit.guard.reconsider import Scenario
from remit.guard.target import Target
from remit.guard.use import Entry, amount_in, entries_of
from remit.model import HistoryFact, HistoryMeasure, HistoryOf
from remit.policy.evaluation import ResourceKind
from remit.policy.history import HistoryValue
from remit.policy.vocabulary import URI_ARGUMENT

__all__ = ["less_past"]

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def less_past(
    scenario: Scenario, target: Target, *, allows: Callable[[Scenario], bool]
) -> tuple[list[Change], int]:
    """The facts of history without whose past `allows` says yes, and how many were tried."""
    found: list[Change] = []
    tried = 0
    for entry, alone in _alone(scenario, target):
        name = entry.fact.name
        if scenario.history[name] == alone:
            continue  # nothing was done before that could be less
        tried += 1
        if allows(replace(scenario, history={**scenario.history, name: alone})):
            what = f"nothing had been done before this call that `{name}` counts"
            found.append(Change("history", what, _how(entry.fact)))
    return found, tried


def _alone(scenario: Scenario, target: Target) -> Iterator[tuple[Entry, HistoryValue]]:
    """Each fact that was told, and what it comes to if this call is the first."""
    try:
        call = scenario.call
        is_read = call.kind is ResourceKind.RESOURCE
        given: Json = {URI_ARGUMENT.name: call.name} if is_read else call.arguments
        arguments = typed_arguments(given, target.arguments)
        entries = entries_of(
            scenario.token,
            target,
            history=scenario.catalog.history,
            reads=scenario.history.keys(),
            amount_of=partial(amount_in, arguments),
        )
    except InvalidArgumentError:
        return  # what it would add up is not known, and not guessed
    for entry in entries:
        if entry.told:
            yield entry, _value(entry)


def _value(entry: Entry) -> HistoryValue:
    match entry.fact.measure:
        case HistoryMeasure.COUNT:
            return int(entry.counted)
        case HistoryMeasure.SUM:
            return entry.amount if entry.counted else Decimal(0)
        case HistoryMeasure.EVER:
            return entry.counted
        case _:
            return frozenset(entry.members) if entry.counted else frozenset()


def _how(fact: HistoryFact) -> str:
    if fact.window is not None:
        return f"wait until it is longer ago than {_length(fact.window)}, and call again"
    if fact.of is HistoryOf.GRANT:
        return "the client authorizes anew, and the person consents again"
    return "an administrator forgets it, and says why: remit history forget"


def _length(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"
