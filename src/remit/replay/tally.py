"""The sum of what was judged: bounded, however long the log is, and able to be added to another."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from remit.clock import EpochSeconds, rfc3339_ms
from remit.replay.court import Ruling, Unknown
from remit.replay.judged import Judged
from remit.replay.records import Records
from remit.replay.report import MAX_EXAMPLES, Day, Example, Group, ReplayReport, Shift
from remit.replay.skipped import WHY, Skipped

__all__ = ["Tally"]

_MOST_KEPT: Final = 20_000
"""Groups that are counted apart; calls of further ones are counted by their shift alone."""
_MOST_SHOWN: Final = 500
"""Groups of each shift in a report."""

_Key: TypeAlias = tuple[str, ...]
_Sorter: TypeAlias = Callable[[Judged], tuple[tuple[str, ...], bool]]


@dataclass(slots=True)
class _Kept:
    """One group while it grows."""

    count: int
    rules_before: tuple[str, ...]
    rules_after: tuple[str, ...]
    scopes: tuple[str, ...]
    privileged: bool
    examples: list[Example]


@dataclass(slots=True)
class Tally:
    """What a part of the log came to."""

    decided: int = 0
    verified: int = 0
    equal: int = 0
    other_bundle: int = 0
    damaged: int = 0
    unsealed: int = 0
    privileged_newly_allowed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    beyond: Counter[str] = field(default_factory=Counter)
    days: dict[str, list[int]] = field(default_factory=dict)
    groups: dict[_Key, _Kept] = field(default_factory=dict)

    @property
    def recorded(self) -> int:
        """All the decisions that were read."""
        return self.decided + self.skipped.total()

    def skip(self, why: Skipped) -> None:
        """Count one that is not decided again."""
        self.skipped[why.value] += 1

    def add_alike(self, entry: Mapping[str, Any]) -> None:
        """Count one that both decide as it was recorded."""
        self.decided += 1
        self.verified += 1
        self.equal += 1
        self._day(entry)[0] += 1

    def add(self, entry: Mapping[str, Any], judged: Judged, scopes_of: _Sorter) -> None:
        """Count any other. `scopes_of` tells what it takes, and whether that is privileged."""
        self.decided += 1
        self.verified += judged.verified
        self.other_bundle += not judged.ours
        day = self._day(entry)
        day[0] += 1
        shift = judged.shift
        if shift is None:
            self.equal += 1
            return
        self.counts[shift.value] += 1
        day[1] += shift is Shift.NEWLY_ALLOWED
        day[2] += shift is Shift.NEWLY_REFUSED
        scopes, privileged = scopes_of(judged)
        if shift is Shift.NEWLY_ALLOWED:
            self.privileged_newly_allowed += privileged
        key = _key(entry, judged, shift)
        kept = self.groups.get(key)
        if kept is None:
            if len(self.groups) >= _MOST_KEPT:
                self.beyond[shift.value] += 1
                return
            rules = _rules(judged.before), _rules(judged.after)
            kept = self.groups[key] = _Kept(0, *rules, scopes, privileged, [])
        kept.count += 1
        kept.privileged = kept.privileged or privileged
        body = entry["body"]
        kept.examples.append(
            Example(decision_id=body["decision_id"], time=entry["time"], input=body["input"])
        )
        if len(kept.examples) > MAX_EXAMPLES:
            kept.examples.pop(0)

    def _day(self, entry: Mapping[str, Any]) -> list[int]:
        day = entry["time"][:10]
        found = self.days.get(day)
        if found is None:
            found = self.days[day] = [0, 0, 0]
        return found

    def merge(self, other: "Tally") -> None:
        """Add what another part of the log came to."""
        self.decided += other.decided
        self.verified += other.verified
        self.equal += other.equal
        self.other_bundle += other.other_bundle
        self.damaged += other.damaged
        self.unsealed += other.unsealed
        self.privileged_newly_allowed += other.privileged_newly_allowed
        for mine, theirs in (
            (self.skipped, other.skipped),
            (self.counts, other.counts),
            (self.beyond, other.beyond),
        ):
            mine.update(theirs)
        for day, numbers in other.days.items():
            held = self.days.setdefault(day, [0, 0, 0])
            self.days[day] = [a + b for a, b in zip(held, numbers, strict=True)]
        for key, group in other.groups.items():
            self._take(key, group)

    def _take(self, key: _Key, group: _Kept) -> None:
        held = self.groups.get(key)
        if held is None and len(self.groups) >= _MOST_KEPT:
            self.beyond[key[0]] += group.count
        elif held is None:
            self.groups[key] = group
        else:
            held.count += group.count
            held.privileged = held.privileged or group.privileged
            latest = sorted([*held.examples, *group.examples], key=_age)
            held.examples = latest[-MAX_EXAMPLES:]

    def report(self, records: Records, notes: tuple[str, ...] = ()) -> ReplayReport:
        """The sum, as it is told."""
        groups, left_out = self._shown()
        return ReplayReport(
            since=_instant(records.since),
            until=_instant(records.until),
            tenant=records.tenant,
            recorded=self.recorded,
            decided=self.decided,
            verified=self.verified,
            other_bundle=self.other_bundle,
            equal=self.equal,
            counts={one.value: self.counts[one.value] for one in Shift if self.counts[one.value]},
            privileged_newly_allowed=self.privileged_newly_allowed,
            skipped={name: self.skipped[name] for name in WHY if self.skipped[name]},
            groups=groups,
            left_out=left_out,
            days=tuple(
                Day(day=day, decided=n[0], newly_allowed=n[1], newly_refused=n[2])
                for day, n in sorted(self.days.items())
            ),
            notes=notes,
            damaged=self.damaged,
            unsealed=self.unsealed,
        )

    def _shown(self) -> tuple[tuple[Group, ...], Mapping[str, int]]:
        """The largest groups of each shift, privileged ones first; and how many calls the others hold."""
        order = list(Shift)
        ranked = sorted(
            self.groups.items(),
            key=lambda one: (
                order.index(Shift(one[0][0])),
                not one[1].privileged,
                -one[1].count,
                one[0],
            ),
        )
        shown: list[Group] = []
        taken: Counter[str] = Counter()
        left_out = Counter(self.beyond)
        for key, kept in ranked:
            taken[key[0]] += 1
            if taken[key[0]] > _MOST_SHOWN:
                left_out[key[0]] += kept.count
            else:
                shown.append(_group(key, kept))
        return tuple(shown), dict(left_out)


def _key(entry: Mapping[str, Any], judged: Judged, shift: Shift) -> _Key:
    """What a group has in common."""
    call = judged.rebuilt
    before, after = judged.before, judged.after
    return (
        shift.value,
        entry["tenant"],
        entry["user"] or "",
        entry["agent"],
        call.server,
        call.name or call.method,
        before.words if isinstance(before, Ruling) else "not known",
        after.words if isinstance(after, Ruling) else "not known",
        judged.because,
        " ".join(_rules(before)),
        " ".join(_rules(after)),
    )


def _group(key: _Key, kept: _Kept) -> Group:
    return Group(
        shift=Shift(key[0]),
        tenant=key[1],
        user=key[2],
        agent=key[3],
        server=key[4],
        name=key[5],
        before=key[6],
        after=key[7],
        because=key[8],
        count=kept.count,
        rules_before=kept.rules_before,
        rules_after=kept.rules_after,
        scopes=kept.scopes,
        privileged=kept.privileged,
        examples=tuple(reversed(kept.examples)),
    )


def _rules(ruling: Ruling | Unknown) -> tuple[str, ...]:
    """The rules that decided; where none did, those that would have."""
    return (ruling.rules or ruling.observed) if isinstance(ruling, Ruling) else ()


def _age(example: Example) -> tuple[str, str]:
    return example.time, example.decision_id


def _instant(seconds: EpochSeconds) -> str:
    return rfc3339_ms(seconds * 1_000)
