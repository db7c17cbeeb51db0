"""Which policies can matter to an action, and to a question about it, at all.

Cedar looks at every policy for every question. The action a policy is about stands
in its head and is compared before anything that could fail is evaluated, so a
policy about other actions neither permits, forbids nor errs. Everything whose head
does not name actions is in every bucket, forbids above all. Within a bucket, a policy that
demands a role, an agent or another such value of whoever asks is left out for those who lack it
(`demands`): ten thousand policies cost what those cost that are about the caller.

Source: Cedar semantics, policy scope; docs/adr/0006; docs/adr/0012-reused-decisions.md.
"""

from collections.abc import Collection, Mapping, Sequence

from remit.policy.check import CheckedPolicy
from remit.policy.demands import Demand
from remit.policy.evaluation import Evaluation
from remit.policy.facts import FACTS, Fact
from remit.policy.heads import admits

__all__ = ["Index", "Selection", "could_matter"]


def could_matter(
    policies: Sequence[CheckedPolicy], action: str, groups: Collection[str]
) -> tuple[int, ...]:
    """The positions of the policies whose head admits `action`, which stands in `groups`."""
    names = {action, *groups}
    return tuple(position for position, policy in enumerate(policies) if admits(policy.tree, names))


Selection = tuple[tuple[str, ...], ...]
"""Of each fact that an index looks for, the values that some policy demands."""


class Index:
    """The policies that can matter to one action, found by the value each demands of a question."""

    __slots__ = ("_anybody", "_demanded", "_facts")

    def __init__(self, demands: Mapping[int, Demand | None]) -> None:
        """`demands`: of each policy's position."""
        self._anybody = tuple(n for n, demand in demands.items() if demand is None)
        by_fact: dict[Fact, dict[str, list[int]]] = {}
        for position, demand in demands.items():
            if demand is not None:
                by_value = by_fact.setdefault(demand.fact, {})
                for value in demand.values:
                    by_value.setdefault(value, []).append(position)
        self._demanded = tuple(by_fact.items())
        self._facts = tuple((FACTS[fact], by_value) for fact, by_value in by_fact.items())

    def selection(self, evaluation: Evaluation) -> Selection:
        """What of `evaluation` tells which policies can matter; equal selections have equal `positions`."""
        found = []
        for value_in, by_value in self._facts:
            value = value_in(evaluation)
            if isinstance(value, tuple):
                found.append(tuple([one for one in value if one in by_value]))
            else:
                found.append((str(value),) if value in by_value else ())
        return tuple(found)

    def positions(self, selection: Selection) -> tuple[int, ...]:
        """The policies that can matter to whoever has `selection`, in the order they stand in."""
        chosen = set(self._anybody)
        for (_, by_value), values in zip(self._demanded, selection, strict=True):
            for value in values:
                chosen.update(by_value[value])
        return tuple(sorted(chosen))
