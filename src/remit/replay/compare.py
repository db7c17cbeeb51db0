"""What another policy repository declares otherwise, and what that does to what may be done."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from remit.replay.difference import Change, Difference, Effect
from remit.replay.people_compared import people_changes
from remit.replay.policies_compared import policy_changes
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
        *people_changes(*catalogs),
        *server_changes(*catalogs),
        *rule_changes(*catalogs),
    ]
    read = " ".join(one.text for one in (*old.policies, *new.policies))
    changes = [_if_read(one, read) for one in changes]
    return Difference(
        old=old.catalog.version, new=new.catalog.version, changes=tuple(sorted(changes, key=_rank))
    )


def _if_read(change: Change, policies: str) -> Change:
    """`change`; of words that policies could read and none does, one that decides nothing."""
    word = _READ_AS.get(change.part)
    if word is None or word in policies:
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
