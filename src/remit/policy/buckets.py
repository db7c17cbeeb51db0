"""Which policies can matter to an action at all.

Cedar looks at every policy for every question. The action a policy is about stands
in its head and is compared before anything that could fail is evaluated, so a
policy about other actions neither permits, forbids nor errs. Everything whose head
does not name actions is in every bucket, forbids above all.

Source: Cedar semantics, policy scope; docs/adr/0006.
"""

from collections.abc import Collection, Sequence
from typing import assert_never

from cedarpy.pst import ActionEq, ActionIn, EntityUid, ScopeAny, Template

from remit.policy.check import CheckedPolicy
from remit.policy.vocabulary import ACTION_TYPE

__all__ = ["could_matter"]


def could_matter(
    policies: Sequence[CheckedPolicy], action: str, groups: Collection[str]
) -> tuple[int, ...]:
    """The positions of the policies whose head admits `action`, which stands in `groups`."""
    names = {action, *groups}
    return tuple(
        position for position, policy in enumerate(policies) if _admits(policy.tree, names)
    )


def _admits(tree: Template, names: Collection[str]) -> bool:
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
