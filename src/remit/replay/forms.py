"""What a record tells of a call's arguments, read straight from it where it says all of them.

The short way, for what most records are: every argument stands by itself, in the log or under the seal. Whatever
is otherwise (an argument in another, one that is not known or not of its type, a name that looks like a declared one,
a record that was cut) is left to the long way, which `rebuilt.completed` and `guard.facts` are.

INVARIANT: what is told the short way is what the long way tells.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from remit.canonical import Json, JsonObject
from remit.guard.facts import InvalidArgumentError, refuse_look_alikes, typed_argument
from remit.model import Argument, AuditTreatment
from remit.policy.evaluation import ArgumentValue
from remit.replay.cuts import Line, Path, Ranges, told
from remit.replay.rebuilt import Rebuilt, is_partial, is_whole
from remit.tokens.access_token import AccessToken

__all__ = ["Form", "Told"]

_MOST: Final = 4_096


@dataclass(frozen=True, slots=True)
class Told:
    """How one argument is told: by the lines through its parts, without any as it is.

    `ties`: what of a token it is held against besides, for being the same.
    """

    lines: tuple[tuple[Path, Line | Ranges], ...] = ()
    ties: tuple[Callable[[AccessToken], Hashable], ...] = ()

    def of(self, value: ArgumentValue | None, token: AccessToken) -> Hashable:
        """What is told of `value`, given by the holder of `token`."""
        if value is None or not self.lines:
            return value
        places = told(value, self.lines)
        return (
            (places, *[value == said_in(token) for said_in in self.ties]) if self.ties else places
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one argument stands."""

    argument: Argument
    key: str
    currency_key: str | None
    is_kept_nowhere: bool
    told: Told | None


class Form:
    """The arguments of one thing. For one thread."""

    __slots__ = ("_declared", "_keys", "_known", "_places", "_told")

    def __init__(self, declared: Sequence[Argument], telling: Mapping[str, Told]) -> None:
        """`telling`: the arguments to tell, by name."""
        self._declared = declared
        pointers = [
            one for each in declared for one in (each.pointer, each.currency_pointer) if one
        ]
        self._keys = {one: one[1:] for one in pointers}
        places = [_place(one, telling) for one in declared]
        self._told = [(one.argument.name, one.told) for one in places if one.told is not None]
        flat = all(one.count("/") == 1 and "~" not in one for one in pointers)
        self._places = places if flat else None
        self._known: dict[tuple[str, ...], bool] = {}

    def told(self, given: Mapping[str, ArgumentValue], token: AccessToken) -> tuple[Hashable, ...]:
        """What is told of `given`; of an argument that is not there, that."""
        return tuple([how.of(given.get(name), token) for name, how in self._told])

    def read(self, rebuilt: Rebuilt) -> tuple[Hashable, ...] | None:
        """The same of what a record holds; `None` where it has to be looked at the long way."""
        kept, values, places = rebuilt.kept, rebuilt.values, self._places
        if places is None or not isinstance(kept, dict):
            return None
        if values:
            if not values.keys() <= self._keys.keys():
                return None
            kept = kept.copy()
            for pointer, value in values.items():
                kept[self._keys[pointer]] = value
        if not self._is_plain(kept):
            return None
        found: list[Hashable] = []
        for place in places:
            value = kept.get(place.key)
            if place.argument.pointer not in values and not _is_known(place, value, rebuilt.unsaid):
                return None
            typed: ArgumentValue | None = None
            if value is not None:
                if not _is_currency_known(place, kept, values):
                    return None
                try:
                    typed = typed_argument(place.argument, value, kept)
                except InvalidArgumentError:
                    return None
            elif place.argument.required:
                return None
            if place.told is not None:
                found.append(place.told.of(typed, rebuilt.token))
        return tuple(found)

    def _is_plain(self, kept: JsonObject) -> bool:
        """Whether no name in `kept` is hidden, or almost a declared one."""
        names = tuple(kept)
        known = self._known.get(names)
        if known is None:
            if len(self._known) >= _MOST:
                self._known = {}
            try:
                refuse_look_alikes(kept, self._declared)
                known = not is_partial(kept)
            except InvalidArgumentError:
                known = False
            self._known[names] = known
        return known


def _place(argument: Argument, telling: Mapping[str, Told]) -> _Place:
    currency = argument.currency_pointer
    return _Place(
        argument=argument,
        key=argument.pointer[1:],
        currency_key=None if currency is None else currency[1:],
        is_kept_nowhere=argument.audit is AuditTreatment.DROP,
        told=telling.get(argument.name),
    )


def _is_known(place: _Place, value: Json, unsaid: Collection[str]) -> bool:
    """Whether what stands there openly, or does not, is what was given."""
    if place.is_kept_nowhere or (unsaid and place.argument.name in unsaid):
        return False
    return value is None or is_whole(value)


def _is_currency_known(place: _Place, kept: JsonObject, values: Mapping[str, Json]) -> bool:
    key = place.currency_key
    return key is None or f"/{key}" in values or is_whole(kept.get(key))
