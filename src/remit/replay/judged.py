"""One recorded decision before two repositories: as it was, as it would be now, as the candidate would have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from remit.replay.court import Court, Ruling, Unknown
from remit.replay.rebuilt import Rebuilder, Rebuilt
from remit.replay.report import Shift
from remit.replay.same_ground import SameGround
from remit.replay.skipped import Skipped, skipped_for

__all__ = ["ALIKE", "Alike", "Judge", "Judged"]

_EQUAL: Final = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of it. Without a `shift` both decide alike, in every respect.

    `ours`: the bundle in force had decided it; `verified`: and decides it so again.
    """

    rebuilt: Rebuilt
    shift: Shift | None
    ours: bool
    verified: bool
    before: Ruling | Unknown
    after: Ruling | Unknown
    because: str = _EQUAL


class Alike(Enum):
    """What came of most: decided by the bundle in force, decided so again, and no otherwise by the candidate."""

    ALIKE = "alike"


ALIKE: Final = Alike.ALIKE


class Judge:
    """Hears every call twice. For one thread."""

    __slots__ = ("_common", "new", "old", "rebuilder")

    def __init__(self, old: Court, new: Court, rebuilder: Rebuilder) -> None:
        self.old = old
        self.new = new
        self.rebuilder = rebuilder
        self._common = SameGround(old, new)

    def judge(self, entry: Mapping[str, Any]) -> Judged | Alike | Skipped:
        """Decide `entry` again under both; or why it is not decided again."""
        try:
            skipped = skipped_for(entry, entry["body"])
            rebuilt = skipped or self.rebuilder.rebuild(entry)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            # A record of an earlier version, or none of ours: whatever it lacks, it cannot be asked again.
            return Skipped.UNREADABLE
        if isinstance(rebuilt, Skipped):
            return rebuilt
        before, verified = self.old.hear(rebuilt), False
        body = entry["body"]
        ours = (body["policy_version"], body["catalog_version"]) == self.old.versions
        if ours:
            verified = isinstance(before, Ruling)
            if not (isinstance(before, Ruling) and _is_recorded(before, body)):
                recorded = _recorded(body)
                if isinstance(before, Ruling) and before != recorded:
                    return self._drifted(rebuilt, recorded, before)
                # What cannot be decided again was decided: the record says how.
                before = recorded
        # Where nothing differs that a decision can come from, the ruling is the same, known or not.
        after = before if self._common.holds(rebuilt) else self.new.hear(rebuilt)
        shift, because = _shift(before, after)
        if shift is None and verified:
            return ALIKE
        return Judged(rebuilt, shift, ours, verified, before, after, because)

    def _drifted(self, rebuilt: Rebuilt, recorded: Ruling, again: Ruling) -> Judged:
        candidate = self.new.hear(rebuilt)
        would = candidate.words if isinstance(candidate, Ruling) else "not known"
        because = f"recorded as `{recorded.words}`; the candidate: {would}"
        return Judged(rebuilt, Shift.DRIFT, True, False, recorded, again, because)


def _is_recorded(ruling: Ruling, body: Mapping[str, Any]) -> bool:
    """Whether the record plainly says what `ruling` does. If not, it may do so in other words."""
    return (
        ruling.outcome == body["outcome"]
        and ruling.reason == body["reason"]
        and ruling.rules == tuple([rule["id"] for rule in body["rules"]])
        and ruling.missing == tuple(body["scopes_missing"])
        and not (ruling.observed or ruling.obligations)
        and not (body.get("observed") or body.get("obligations"))
    )


def _recorded(body: Mapping[str, Any]) -> Ruling:
    """What the log says was decided."""
    return Ruling(
        outcome=body["outcome"],
        reason=body["reason"],
        rules=tuple([rule["id"] for rule in body["rules"]]),
        missing=tuple(body["scopes_missing"]),
        observed=tuple([rule["id"] for rule in body.get("observed") or ()]),
        obligations=tuple(
            [(one["kind"], one["value"], one["rule"]) for one in body.get("obligations") or ()]
        ),
    )


def _shift(before: Ruling | Unknown, after: Ruling | Unknown) -> tuple[Shift | None, str]:
    if before is after or (before == after and isinstance(after, Ruling)):
        return None, _EQUAL
    if isinstance(after, Unknown):
        return Shift.UNDECIDED, f"under the candidate {after.because}"
    if isinstance(before, Unknown):
        return Shift.UNDECIDED, f"as it is now {before.because}"
    was, would = before.outcome == "allow", after.outcome == "allow"
    if would and not was:
        return Shift.NEWLY_ALLOWED, _EQUAL
    if was and not would:
        return Shift.NEWLY_REFUSED, _EQUAL
    if not would and (before.outcome != after.outcome or before.missing != after.missing):
        return Shift.CHALLENGE, _EQUAL
    if would and set(after.observed) - set(before.observed):
        return Shift.OBSERVED, _EQUAL
    return Shift.RULES, _EQUAL
