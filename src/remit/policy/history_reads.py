"""Which facts of history the policies about a thing read, so that none is looked up that nobody asks about.

Only `context.history.name` counts as reading one fact; whatever is not understood reads them all (`reads`).

Source: docs/adr/0012-reused-decisions.md; docs/guides/history.md.
"""

from collections.abc import Collection, Sequence

from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy
from remit.policy.evaluation import ResourceFacts
from remit.policy.reads import reads_of, union_of
from remit.policy.vocabulary import action_name, group_names

__all__ = ["HistoryReads"]

_MAX_KNOWN = 16_384


class HistoryReads:
    """What one set of policies reads of the facts that a catalog declares."""

    __slots__ = ("_declared", "_known", "_policies", "_reads")

    def __init__(self, policies: Sequence[CheckedPolicy], declared: Collection[str]) -> None:
        self._policies = policies
        self._declared = frozenset(declared)
        self._reads = [reads_of(policy.tree) for policy in policies] if declared else []
        self._known: dict[ResourceFacts, frozenset[str]] = {}

    def of(self, resource: ResourceFacts) -> frozenset[str]:
        """The facts that some policy about `resource`, whoever asks, looks at."""
        known = self._known.get(resource)
        if known is None:
            known = self._read(resource)
            if len(self._known) >= _MAX_KNOWN:
                self._known = {}
            self._known[resource] = known
        return known

    def _read(self, resource: ResourceFacts) -> frozenset[str]:
        if not self._declared:
            return frozenset()
        action = action_name(resource.kind, resource.server, resource.name)
        groups = group_names(resource.server, resource.operation)
        positions = could_matter(self._policies, action, groups)
        names = union_of(self._reads[position] for position in positions).history
        return self._declared if names is None else names & self._declared
