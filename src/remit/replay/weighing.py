"""Whether another value of one property lets somebody do more: one small judgement for each sort of property.

A judgement is handed the value as it is and the value as it would be, which differ. What has no judgement of
its own counts as one that may widen: a property that is new to the model is not waved through.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final, TypeAlias, get_args

from remit.clock import Seconds
from remit.model import CallLimits
from remit.replay.difference import Area, Change, Effect, Kind

__all__ = [
    "Judgement",
    "Properties",
    "call_limits",
    "fewer_is_wider",
    "higher_is_wider",
    "listed",
    "lower_is_wider",
    "more_is_wider",
    "ordered",
    "said",
    "unlimited_if_none",
    "words",
]

Judgement: TypeAlias = Callable[[Any, Any], Effect]

_LONGEST: Final = 200
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))


def words(old: Any, new: Any) -> Effect:
    """Said to people; decides nothing."""
    del old, new
    return Effect.NEITHER


def more_is_wider(old: Any, new: Any) -> Effect:
    """A set of what is admitted: whatever comes in widens."""
    gained, lost = set(new) - set(old), set(old) - set(new)
    if gained:
        return Effect.WIDENS
    return Effect.NARROWS if lost else Effect.NEITHER


def fewer_is_wider(old: Any, new: Any) -> Effect:
    """A set of what is demanded or kept out: whatever goes widens."""
    return more_is_wider(new, old)


def listed(old: Any, new: Any) -> Effect:
    """A set of what is admitted, where none named is all."""
    if not new:
        return Effect.WIDENS
    return Effect.NARROWS if not old else more_is_wider(old, new)


def higher_is_wider(old: Any, new: Any) -> Effect:
    """A number, a truth value, or a level with a rank."""
    return Effect.WIDENS if _rank(new) > _rank(old) else Effect.NARROWS


def lower_is_wider(old: Any, new: Any) -> Effect:
    """A number, a truth value, or a level with a rank, the other way round."""
    return higher_is_wider(new, old)


def unlimited_if_none(old: Any, new: Any) -> Effect:
    """A limit, where none is no limit."""
    if new is None:
        return Effect.WIDENS
    return Effect.NARROWS if old is None else higher_is_wider(old, new)


def call_limits(old: CallLimits, new: CallLimits) -> Effect:
    """How much may be asked: it widens if either number does."""
    pairs = (
        (old.calls_per_minute, new.calls_per_minute),
        (old.concurrent_calls, new.concurrent_calls),
    )
    effects = [unlimited_if_none(was, would) for was, would in pairs if was != would]
    return Effect.WIDENS if Effect.WIDENS in effects else Effect.NARROWS


def ordered(*strictest_first: str) -> Judgement:
    """A word of a scale."""

    def judged(old: Any, new: Any) -> Effect:
        places = [strictest_first.index(str(one)) for one in (old, new)]
        return Effect.WIDENS if places[1] > places[0] else Effect.NARROWS

    return judged


class Properties:
    """Compares two things of one class, property by property."""

    __slots__ = ("_area", "_judgements", "_skipped")

    def __init__(
        self, area: Area, judgements: Mapping[str, Judgement], *, skipped: Sequence[str] = ()
    ) -> None:
        """`skipped` are the properties that somebody else compares."""
        self._area = area
        self._judgements = judgements
        self._skipped = frozenset(skipped)

    def changes(self, name: str, old: Any, new: Any, *, privileged: bool) -> list[Change]:
        """What differs. `privileged`: to let somebody do more with this thing is a matter for two people."""
        found: list[Change] = []
        for one in fields(old):
            before, after = getattr(old, one.name), getattr(new, one.name)
            if one.name in self._skipped or before == after:
                continue
            judged = self._judgements.get(one.name)
            effect = Effect.MAY_WIDEN if judged is None else judged(before, after)
            before, after = _in_units(before, one.type), _in_units(after, one.type)
            part = one.name.replace("_", " ")
            found.append(
                Change(
                    area=self._area,
                    kind=Kind.CHANGED,
                    name=name,
                    part=part,
                    what=f"{part} of {self._area.value} `{name}`: {_from_to(before, after)}",
                    effect=effect,
                    before=said(before),
                    after=said(after),
                    privileged=privileged and effect.is_widening,
                )
            )
        return found


def said(value: Any) -> str:
    """A value of the model in few words."""
    text = _said(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_said(one)}" for key, one in sorted(value.items(), key=str))
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(_said(one) for one in value))
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        held = ((one.name, _in_units(getattr(value, one.name), one.type)) for one in fields(value))
        return ", ".join(f"{name} {_said(one)}" for name, one in held if one not in (None, (), ""))
    return str(value)


def _in_units(value: Any, declared: Any) -> Any:
    """`value`; of what is declared to be seconds, as one writes it in the repository: `10m`."""
    if value is None or (declared is not Seconds and Seconds not in get_args(declared)):
        return value
    for length, unit in _UNITS:
        if value and value % length == 0:
            return f"{value // length}{unit}"
    return f"{value}s"


def _from_to(before: Any, after: Any) -> str:
    if isinstance(before, list | tuple | frozenset) and isinstance(after, list | tuple | frozenset):
        was, would = [_said(one) for one in before], [_said(one) for one in after]
        gained, lost = (
            [one for one in would if one not in was],
            [one for one in was if one not in would],
        )
        parts = [*(f"+ {one}" for one in gained), *(f"- {one}" for one in lost)]
        return said(", ".join(parts)) if parts else "in another order"
    return f"{said(before) or 'nothing'} → {said(after) or 'nothing'}"


def _rank(value: Any) -> int:
    rank = getattr(value, "rank", None)
    return int(value) if rank is None else int(rank)
