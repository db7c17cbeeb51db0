"""A plan: what another repository changes, as it declares it and on the calls that really came."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from remit.canonical import Json, JsonObject
from remit.replay.difference import Difference
from remit.replay.report import ReplayReport, report_of

__all__ = ["FailOn", "Plan", "plan_of"]


class FailOn(StrEnum):
    """What makes a plan one that must not pass by itself."""

    WIDENING = "widening"
    """Something declared lets somebody do more, or may."""
    PRIVILEGED = "privileged"
    """It does so with something privileged."""
    NEWLY_ALLOWED = "newly-allowed"
    NEWLY_REFUSED = "newly-refused"
    ANY = "any"
    """Any of these, or a call that would be decided otherwise in whatever way, or of which it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was found. `difference` is `None` for those who may see one organisation alone; `replay`, without a log.

    `made_at` is RFC 3339. `stage` is empty for none.
    """

    made_at: str
    stage: str
    old: str
    new: str
    difference: Difference | None
    replay: ReplayReport | None

    def reasons(self, fail_on: FailOn) -> tuple[str, ...]:
        """Why it does not pass, in words; nothing when it does."""
        found: list[str] = []
        asked = set(FailOn) if fail_on is FailOn.ANY else {fail_on}
        if self.difference is not None:
            widening, privileged = len(self.difference.widening), len(self.difference.privileged)
            if FailOn.WIDENING in asked and widening:
                found.append(f"{widening} declared changes let somebody do more, or may")
            elif FailOn.PRIVILEGED in asked and privileged:
                found.append(
                    f"{privileged} declared changes let somebody do more that is privileged"
                )
        replayed = self.replay
        if replayed is None:
            return tuple(found)
        if FailOn.NEWLY_ALLOWED in asked and replayed.newly_allowed:
            found.append(f"{replayed.newly_allowed:,} recorded calls would be newly allowed")
        if FailOn.NEWLY_REFUSED in asked and replayed.newly_refused:
            found.append(f"{replayed.newly_refused:,} recorded calls would be newly refused")
        if fail_on is FailOn.ANY:
            others = sum(replayed.counts.values()) - replayed.newly_allowed - replayed.newly_refused
            if others:
                found.append(f"{others:,} recorded calls differ otherwise, or cannot be told")
        return tuple(found)

    def as_json(self) -> JsonObject:
        """The plan for programs."""
        return {
            "made_at": self.made_at,
            "stage": self.stage,
            "old": self.old,
            "new": self.new,
            "difference": None if self.difference is None else self.difference.as_json(),
            "replay": None if self.replay is None else self.replay.as_json(),
        }


def plan_of(said: Mapping[str, Json]) -> Plan:
    """What `Plan.as_json` said.

    Raises:
        KeyError, TypeError, ValueError: it is nothing of the sort.
    """
    difference, replayed = said["difference"], said["replay"]
    return Plan(
        made_at=str(said["made_at"]),
        stage=str(said["stage"]),
        old=str(said["old"]),
        new=str(said["new"]),
        difference=Difference.of_json(difference) if isinstance(difference, dict) else None,
        replay=report_of(replayed) if isinstance(replayed, dict) else None,
    )
