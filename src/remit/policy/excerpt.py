"""The policies that can matter to one server, as texts for a guard that decides for that server alone."""

from collections.abc import Sequence

from remit.ids import ServerName
from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy
from remit.policy.vocabulary import Declared, callable_things, group_names

__all__ = ["policies_about"]


def policies_about(
    policies: Sequence[CheckedPolicy], server: ServerName, catalog: Declared
) -> tuple[str, ...]:
    """The texts of those of `policies` that could matter to anything on `server`, in their order."""
    positions: set[int] = set()
    for thing in callable_things(catalog):
        if thing.server == server:
            groups = group_names(server, thing.operation)
            positions.update(could_matter(policies, thing.action, groups))
    return tuple(policies[position].text for position in sorted(positions))
