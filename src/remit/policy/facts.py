"""The facts of a question, one by one: what each is called in policies, and what it is in this question.

A fact that policies can read and that is not here could not be told apart from another; a
test holds this table against the schema.
"""

from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from remit.clock import EpochSeconds
from remit.policy.evaluation import Evaluation

__all__ = [
    "ARGUMENTS_FACT",
    "FACTS",
    "HISTORY_FACT",
    "JUSTIFICATION_FACT",
    "OPEN_FACTS",
    "PRINCIPAL",
    "TAGS",
    "TOLD_FACT",
    "Fact",
    "Getter",
    "age_at",
    "age_of_authentication",
    "age_of_confirmation",
    "facts_below",
    "local_time",
]

Fact = tuple[str, ...]
"""A path, as policies write it: `("context", "time", "hour")`."""

Getter = Callable[[Evaluation], Hashable]
"""What a fact is in a question."""

PRINCIPAL: Final[Fact] = ("principal",)
"""Who it is. Of which type is known with every question."""
TAGS: Final[Fact] = ("principal", "()")
"""All of the principal's tags, which are read by a call and not by a path."""
ARGUMENTS_FACT: Final[Fact] = ("context", "arguments")
HISTORY_FACT: Final[Fact] = ("context", "history")
JUSTIFICATION_FACT: Final[Fact] = ("context", "justification")
TOLD_FACT: Final[Fact] = ("context", "told")
OPEN_FACTS: Final[frozenset[Fact]] = frozenset(
    {ARGUMENTS_FACT, HISTORY_FACT, JUSTIFICATION_FACT, TOLD_FACT}
)
"""What only a call brings. No decision that reads one of these is kept, so nobody's data is either."""

_SKEW: Final = 60
"""Seconds by which whoever saw the person log in may be ahead of us."""
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=64)
def local_time(now: EpochSeconds, zone: str) -> Mapping[str, str | int]:
    """The attributes of `context.time`: an instant as a clock on the wall of `zone` shows it.

    Raises:
        ZoneInfoNotFoundError: nobody knows that zone.
    """
    local = datetime.fromtimestamp(now, tz=UTC).astimezone(ZoneInfo(zone))
    return MappingProxyType(
        {
            "epoch": now,
            "zone": zone,
            "hour": local.hour,
            "minute": local.minute,
            "weekday": _WEEKDAYS[local.weekday()],
            "date": local.date().isoformat(),
        }
    )


def _of_time(name: str) -> Getter:
    def value(evaluation: Evaluation) -> Hashable:
        context = evaluation.context
        return local_time(context.now, context.time_zone)[name]

    return value


def age_of_authentication(evaluation: Evaluation) -> int | None:
    """How many seconds ago the person proved who they are; `None` for whoever did not, or will have one day.

    A time to come would be fresh until then: it is no proof of anything.
    """
    return age_at(evaluation.token.auth_time, evaluation.context.now)


def age_of_confirmation(evaluation: Evaluation) -> int | None:
    """How many seconds ago the person confirmed this very call; `None` for one that nobody confirmed."""
    return age_at(evaluation.context.elevation.confirmed_at, evaluation.context.now)


def age_at(auth_time: EpochSeconds | None, now: EpochSeconds) -> int | None:
    """How many seconds before `now` that was; `None` for no time, and for one that is still to come."""
    return None if auth_time is None or auth_time > now + _SKEW else max(0, now - auth_time)


def _history(evaluation: Evaluation) -> Hashable:
    known = evaluation.context.history
    if known is None:
        return None
    return frozenset((name, type(value), value) for name, value in known.items())


def _arguments(evaluation: Evaluation) -> Hashable:
    # A number and a truth value may be equal in Python, and are not in a policy.
    given = evaluation.context.arguments
    if given is None:
        return None
    return frozenset((name, type(value), value) for name, value in given.items())


def _told(evaluation: Evaluation) -> Hashable:
    told = evaluation.context.told
    return None if told is None else frozenset(told.items())


FACTS: Final[Mapping[Fact, Getter]] = MappingProxyType(
    {
        PRINCIPAL: lambda one: one.subject.id,
        ("principal", "id"): lambda one: one.subject.id,
        ("principal", "tenant"): lambda one: one.subject.tenant,
        ("principal", "roles"): lambda one: one.subject.roles,
        TAGS: lambda one: frozenset(one.subject.attributes.items()),
        ("context", "agent", "id"): lambda one: one.agent.id,
        ("context", "agent", "class"): lambda one: one.agent.agent_class,
        ("context", "agent", "owner"): lambda one: one.agent.owner,
        ("context", "token", "client_id"): lambda one: one.token.client_id,
        ("context", "token", "scopes"): lambda one: one.token.scopes,
        ("context", "token", "acr"): lambda one: one.token.acr,
        ("context", "token", "amr"): lambda one: one.token.amr,
        ("context", "token", "auth_time"): lambda one: one.token.auth_time,
        ("context", "token", "purpose"): lambda one: one.token.purpose,
        ("context", "authentication", "acr"): lambda one: one.token.acr,
        ("context", "authentication", "amr"): lambda one: one.token.amr,
        ("context", "authentication", "auth_time"): lambda one: one.token.auth_time,
        ("context", "authentication", "age_seconds"): age_of_authentication,
        ("context", "time", "epoch"): lambda one: one.context.now,
        ("context", "time", "zone"): lambda one: one.context.time_zone,
        ("context", "time", "hour"): _of_time("hour"),
        ("context", "time", "minute"): _of_time("minute"),
        ("context", "time", "weekday"): _of_time("weekday"),
        ("context", "time", "date"): _of_time("date"),
        ("context", "ip"): lambda one: one.context.ip,
        ("context", "networks"): lambda one: one.context.networks,
        ("context", "environment"): lambda one: one.resource.environment,
        ("context", "elevation", "roles"): lambda one: one.context.elevation.roles,
        ("context", "elevation", "acr"): lambda one: one.context.elevation.acr,
        ("context", "elevation", "age_seconds"): age_of_confirmation,
        ("context", "elevation", "scopes"): lambda one: one.context.elevation.scopes,
        ARGUMENTS_FACT: _arguments,
        HISTORY_FACT: _history,
        JUSTIFICATION_FACT: lambda one: one.context.justification,
        TOLD_FACT: _told,
    }
)
"""Each fact with its value in a question, as something that can be compared."""


def facts_below(path: tuple[str, ...]) -> frozenset[Fact]:
    """The fact at `path`, or all those under it; none when no question has it."""
    if path in FACTS:
        return frozenset({path})
    return frozenset(fact for fact in FACTS if len(path) > 1 and fact[: len(path)] == path)
