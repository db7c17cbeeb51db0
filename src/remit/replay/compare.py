"""What another policy repository declares otherwise, and what that does to what may be done."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from remit.model import HistoryMeasure
from remit.policy.check import checked_policies
from remit.replay.difference import Change, Difference, Effect
from remit.replay.people_compared import people_changes
from remit.replay.policies_compared import policy_changes, roles_watched
from remit.replay.rules_compared import rule_changes
from remit.replay.servers_compared import server_changes
from remit.repository import LoadedRepository

__all__ = ["compare"]

_ORDER: Final = (Effect.WIDENS, Effect.MAY_WIDEN, Effect.NARROWS, Effect.NEITHER)
_READ_AS: Final[Mapping[str, str]] = MappingProxyType(
    {"owner": "owner", "purpose": "purpose", "data categories": "data_categories"}
)


def compare(old: LoadedRepository, new: LoadedRepository) -> Difference:
    """Every change from `old` to `new`; those that widen first, privileged ones before the rest.

    Privileged is what `old` declares so, and what `new` does: a change cannot take away its own mark.
    """
    catalogs = (old.catalog, new.catalog)
    changes = [
        *policy_changes(old, new),
        *people_changes(*catalogs, watched=roles_watched(old, new)),
        *server_changes(*catalogs),
        *rule_changes(*catalogs),
    ]
    read = _attributes_read(old) | _attributes_read(new)
    changes = [_if_read(one, read) for one in changes]
    return Difference(
        old=old.catalog.version, new=new.catalog.version, changes=tuple(sorted(changes, key=_rank))
    )


def _attributes_read(repository: LoadedRepository) -> frozenset[str]:
    """Of the attributes in `_READ_AS` those that a decision may depend on.

    An engine elsewhere is told all of them, and what is done with kinds of data may be counted. Of policies the tree is
    looked at: their text can spell a name in more than one way.
    """
    catalog, every = repository.catalog, frozenset(_READ_AS.values())
    if catalog.engines:
        return every
    kinds = HistoryMeasure.DATA_CATEGORIES
    counted = any(one.data_categories or one.measure is kinds for one in catalog.history.values())
    trees = " ".join(repr(one.tree) for one in checked_policies(repository.policies, None)[0])
    found = {word for word in every if word in trees}
    return frozenset(found | {"data_categories"} if counted else found)


def _if_read(change: Change, read: frozenset[str]) -> Change:
    """`change`; of words that something could decide by and nothing does, one that decides nothing."""
    word = _READ_AS.get(change.part)
    if word is None or word in read:
        return change
    return replace(change, effect=Effect.NEITHER, privileged=False)


def _rank(change: Change) -> tuple[bool, int, str, str, str]:
    return (
        not change.privileged,
        _ORDER.index(change.effect),
        change.area.value,
        change.name,
        change.part,
    )
