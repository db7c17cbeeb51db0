"""Under which name a ruling can be remembered: everything that it depends on, and nothing else.

A recorded call is decided by who calls, by what it calls, by the repository, and by what only this very call brings:
its arguments, its time, its address, a justification, the past that was told. The name has the thing, the
sort of caller before it (`sorts`), and of the rest whatever policies that can matter look at (`looks`), as
`policy.reads` finds it in their trees. What may be looked at by anything else (details of the token, an argument
that is not of its type) has no name, and is decided each time.

INVARIANT: a fact that is not named here as following from token and repository is in the name, or there is none.

Source: docs/adr/0012-reused-decisions.md, docs/adr/0022-replay.md.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.guard.rehearing import Rehearing
from remit.guard.target import Target, find_target
from remit.model import Catalog
from remit.policy import ResourceKind
from remit.policy.check import CheckedPolicy
from remit.policy.engines.cedar_held import held
from remit.policy.evaluation import ResourceFacts
from remit.replay.looks import Circumstances, Looks, looks_at
from remit.replay.rebuilt import Rebuilt, completed
from remit.replay.sorts import Sorts

__all__ = ["Place", "Precedents"]

_LATEST: Final = 2**32
_MOST: Final = 16_384
_NOTHING: Final = Looks()

_PlaceName: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A thing as it is called, by its number. Without a `target` there is none; without `looks` nothing is remembered."""

    number: int
    target: Target | None
    looks: Looks | None


class Precedents:
    """Names rulings under one repository. For one thread."""

    __slots__ = (
        "_catalog",
        "_circumstances",
        "_looks",
        "_next",
        "_nowhere",
        "_places",
        "_policies",
        "_sorts",
    )

    def __init__(
        self, policies: Sequence[CheckedPolicy], catalog: Catalog, rehearing: Rehearing
    ) -> None:
        self._catalog = catalog
        self._policies = held(policies)
        self._circumstances = Circumstances(catalog)
        self._sorts = Sorts(rehearing)
        self._looks: dict[ResourceFacts, Looks | None] = {}
        self._places: dict[_PlaceName, Place] = {}
        self._nowhere: dict[_PlaceName, Place] = {}
        self._next = 0

    def place(self, rebuilt: Rebuilt) -> Place:
        """What is called, as this repository declares it."""
        name = (rebuilt.server, rebuilt.method, rebuilt.name, rebuilt.kind, rebuilt.task_of is None)
        place = self._places.get(name)
        if place is None:
            if len(self._places) >= _MOST:
                self._places, self._nowhere = {}, {}
            place = self._places[name] = self._found(rebuilt)
        return place

    def name(self, rebuilt: Rebuilt, place: Place) -> Hashable | None:
        """The name of the ruling on `rebuilt`, which is about `place`; `None` when there is none."""
        looks = place.looks
        # What people said of one call is no precedent for another.
        if looks is None or rebuilt.elevated is not None or not 0 <= rebuilt.now < _LATEST:
            return None
        sort = self._sorts.of(rebuilt, place.number, place.target, looks.tellers)
        if sort is None:
            return None
        if sort.is_stopped:
            return place.number, sort.number
        told: tuple[Hashable, ...] | None = ()
        missing: tuple[str, ...] = ()
        if rebuilt.kind is ResourceKind.TOOL and looks.form is not None:
            told = looks.form.read(rebuilt)
            if told is None:
                call, missing = completed(rebuilt, place.target)
                declared = () if place.target is None else place.target.arguments
                try:
                    told = looks.form.told(typed_arguments(call.arguments, declared), rebuilt.token)
                except InvalidArgumentError:
                    return None
        if sort.lacks_scopes:
            told = None
        return (
            place.number,
            sort.number,
            told,
            missing,
            self._circumstances.told(rebuilt, looks),
        )

    def _found(self, rebuilt: Rebuilt) -> Place:
        server = self._catalog.server_named(rebuilt.server)
        target = None if server is None else find_target(server, rebuilt.kind, rebuilt.name)
        if target is not None:
            return self._numbered(target, self._looks_at(target))
        # Of what there is not the name does not matter, and there is no end of names.
        name = (rebuilt.server, rebuilt.method, rebuilt.kind, rebuilt.task_of is None)
        nothing = self._nowhere.get(name)
        if nothing is None:
            nothing = self._nowhere[name] = self._numbered(None, _NOTHING)
        return nothing

    def _numbered(self, target: Target | None, looks: Looks | None) -> Place:
        """A place of its own. Numbers are not given twice, so that what is forgotten is not taken for another."""
        self._next += 1
        return Place(self._next, target, looks)

    def _looks_at(self, target: Target) -> Looks | None:
        facts = target.facts
        if facts not in self._looks:
            if len(self._looks) >= _MOST:
                self._looks = {}
            self._looks[facts] = looks_at(target, self._policies, self._catalog)
        return self._looks[facts]
