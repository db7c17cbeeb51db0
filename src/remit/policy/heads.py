"""Which actions a policy is about, as its head says."""

from collections.abc import Collection
from typing import assert_never

from cedarpy.pst import ActionEq, ActionIn, EntityUid, ScopeAny, Template

from remit.policy.vocabulary import ACTION_TYPE

__all__ = ["admits"]


def admits(tree: Template, names: Collection[str]) -> bool:
    """Whether the policy is about an action that has, or stands in a group that has, one of `names`."""
    match tree.action:
        case ScopeAny():
            return True
        case ActionEq(entity=entity):
            return _names(entity, names)
        case ActionIn(entities=entities):
            return any(_names(entity, names) for entity in entities)
        case _:
            assert_never(tree.action)


def _names(entity: EntityUid, names: Collection[str]) -> bool:
    # Only actions in our own namespace are ours to rule out.
    return str(entity.type) != ACTION_TYPE or entity.id in names
