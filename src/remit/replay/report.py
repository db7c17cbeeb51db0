"""What came of deciding recorded calls again: which of them another repository decides otherwise, and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from remit.canonical import Json, JsonObject

__all__ = [
    "MAX_EXAMPLES",
    "Day",
    "Example",
    "Group",
    "ReplayReport",
    "Shift",
    "report_of",
]

MAX_EXAMPLES = 5
"""Of each group."""

_NOTHING: Mapping[str, int] = MappingProxyType({})


class Shift(StrEnum):
    """What becomes of a call under the candidate, beside what becomes of it now."""

    NEWLY_ALLOWED = "newly_allowed"
    NEWLY_REFUSED = "newly_refused"
    CHALLENGE = "challenge_changed"
    """Not allowed either way; but whether, or for which scopes, the client is sent to step up is another."""
    RULES = "rules_changed"
    """The same outcome, by other rules, for another reason, or with other obligations."""
    OBSERVED = "newly_observed"
    """Allowed as before, but rules in observe mode would refuse it."""
    UNDECIDED = "undecided"
    """The candidate looks at something that was not recorded, or asks an engine that was not asked."""
    DRIFT = "drift"
    """Decided again by the very bundle that decided it, it comes out otherwise: something that mattered is not in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One recorded call. `input` is what the log has of its arguments: redacted as it is there."""

    decision_id: str
    time: str
    input: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))

    def as_json(self) -> JsonObject:
        """The example for programs."""
        return {"decision": self.decision_id, "time": self.time, "input": dict(self.input)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Calls of one person through one agent of one thing, of which the same became another.

    `user` is empty for an agent that acts for itself. `before` and `after` are such as `allow permitted`
    and `deny forbidden`; the rules are those that decided. `because`: of an undecided call what is
    missing, of a drift what was recorded.
    """

    shift: Shift
    tenant: str
    user: str
    agent: str
    server: str
    name: str
    count: int
    before: str
    after: str
    rules_before: tuple[str, ...] = ()
    rules_after: tuple[str, ...] = ()
    because: str = ""
    scopes: tuple[str, ...] = ()
    """What the thing takes under the candidate, or took."""
    privileged: bool = False
    """Whether one of `scopes` is sensitive, by the repository in force or by the candidate."""
    examples: tuple[Example, ...] = ()

    def as_json(self) -> JsonObject:
        """The group for programs."""
        examples: list[Json] = [one.as_json() for one in self.examples]
        return {
            "shift": self.shift.value,
            "tenant": self.tenant,
            "user": self.user or None,
            "agent": self.agent,
            "server": self.server,
            "name": self.name,
            "count": self.count,
            "before": self.before,
            "after": self.after,
            "rules_before": list(self.rules_before),
            "rules_after": list(self.rules_after),
            "because": self.because or None,
            "scopes": list(self.scopes),
            "privileged": self.privileged,
            "examples": examples,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Of one day (UTC, `2026-11-22`), how many calls were decided again and how many would be decided otherwise."""

    day: str
    decided: int
    newly_allowed: int
    newly_refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What a replay found. `skipped` counts what was not decided again, by the reason.

    `recorded` are all the decisions that were read; `recorded == decided + the sum of skipped`.
    `verified` of the decided ones came out as they were recorded under the bundle in force, which had decided
    them; `other_bundle` had been decided by another, so that there is nothing to hold them to. `groups` are the largest
    of each shift first; of those left out to keep it short, `left_out` counts the calls by shift.
    """

    since: str
    until: str
    tenant: str | None
    recorded: int
    decided: int
    verified: int
    other_bundle: int
    equal: int
    """Decided as before in every respect."""
    counts: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """Calls by shift; a shift that did not occur is left out."""
    privileged_newly_allowed: int = 0
    skipped: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    groups: tuple[Group, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    days: tuple[Day, ...] = ()
    notes: tuple[str, ...] = ()
    damaged: int = 0
    """Lines that are no records; `remit audit verify` tells more."""
    unsealed: int = 0
    """Records whose sealed part did not open: another key, or changed."""

    def count(self, shift: Shift) -> int:
        """How many calls shifted so."""
        return self.counts.get(shift.value, 0)

    @property
    def newly_allowed(self) -> int:
        """Calls that are refused now and would be allowed."""
        return self.count(Shift.NEWLY_ALLOWED)

    @property
    def newly_refused(self) -> int:
        """Calls that are allowed now and would be refused."""
        return self.count(Shift.NEWLY_REFUSED)

    @property
    def undecided(self) -> int:
        """Calls of which it cannot be told."""
        return self.count(Shift.UNDECIDED)

    @property
    def drifted(self) -> int:
        """Calls that cannot be decided again as they were."""
        return self.count(Shift.DRIFT)

    def of(self, shift: Shift) -> tuple[Group, ...]:
        """The groups that shifted so, the largest first."""
        return tuple(one for one in self.groups if one.shift is shift)

    def as_json(self) -> JsonObject:
        """The report for programs."""
        groups: list[Json] = [one.as_json() for one in self.groups]
        days: list[Json] = [
            {
                "day": one.day,
                "decided": one.decided,
                "newly_allowed": one.newly_allowed,
                "newly_refused": one.newly_refused,
            }
            for one in self.days
        ]
        return {
            "since": self.since,
            "until": self.until,
            "tenant": self.tenant,
            "recorded": self.recorded,
            "decided": self.decided,
            "verified": self.verified,
            "other_bundle": self.other_bundle,
            "equal": self.equal,
            "counts": dict(self.counts),
            "privileged_newly_allowed": self.privileged_newly_allowed,
            "skipped": dict(self.skipped),
            "groups": groups,
            "left_out": dict(self.left_out),
            "days": days,
            "notes": list(self.notes),
            "damaged": self.damaged,
            "unsealed": self.unsealed,
        }


def report_of(said: Mapping[str, Json]) -> ReplayReport:
    """What `ReplayReport.as_json` said.

    Raises:
        KeyError, TypeError, ValueError: it is nothing of the sort.
    """
    found: Any = said
    return ReplayReport(
        since=found["since"],
        until=found["until"],
        tenant=found["tenant"],
        recorded=found["recorded"],
        decided=found["decided"],
        verified=found["verified"],
        other_bundle=found["other_bundle"],
        equal=found["equal"],
        counts=found["counts"],
        privileged_newly_allowed=found["privileged_newly_allowed"],
        skipped=found["skipped"],
        groups=tuple(_group_of(one) for one in found["groups"]),
        left_out=found["left_out"],
        days=tuple(Day(**one) for one in found["days"]),
        notes=tuple(found["notes"]),
        damaged=found["damaged"],
        unsealed=found["unsealed"],
    )


def _group_of(said: Any) -> Group:
    return Group(
        shift=Shift(said["shift"]),
        tenant=said["tenant"],
        user=said["user"] or "",
        agent=said["agent"],
        server=said["server"],
        name=said["name"],
        count=said["count"],
        before=said["before"],
        after=said["after"],
        rules_before=tuple(said["rules_before"]),
        rules_after=tuple(said["rules_after"]),
        because=said["because"] or "",
        scopes=tuple(said["scopes"]),
        privileged=said["privileged"],
        examples=tuple(
            Example(decision_id=one["decision"], time=one["time"], input=one["input"])
            for one in said["examples"]
        ),
    )
