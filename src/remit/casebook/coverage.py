"""Which policies and which things some case puts to the test, and which none does.

A policy is covered when it makes the decision of one case and, if it has a condition at all, is about another
whose decision it does not make. A tool, resource or prompt is covered by a case that is allowed and one that
is refused. Each of these is a point; the coverage is the share of points that are reached.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cedarpy.pst import ScopeAny

from remit.model import MANAGEMENT, Catalog
from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy
from remit.policy.decision import Decision, RuleEffect
from remit.policy.evaluation import ResourceFacts
from remit.policy.vocabulary import ISSUE, action_name, callable_things, group_names

__all__ = ["Coverage", "PolicyCoverage", "Tally", "ThingCoverage", "Touched", "touched_by"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCoverage:
    """Of one policy, in how many cases it made the decision, and in how many it was asked and did not."""

    id: str
    effect: RuleEffect
    conditional: bool
    decided: int
    aside: int

    @property
    def points(self) -> tuple[int, int]:
        """The points reached, and those there are."""
        if not self.conditional:
            return int(self.decided > 0), 1
        return (self.decided > 0) + (self.aside > 0), 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingCoverage:
    """Of a tool, resource or prompt, in how many cases it was allowed, and in how many refused."""

    name: str
    allowed: int
    refused: int

    @property
    def points(self) -> tuple[int, int]:
        """The points reached, and those there are."""
        return (self.allowed > 0) + (self.refused > 0), 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the cases put to the test."""

    policies: tuple[PolicyCoverage, ...]
    things: tuple[ThingCoverage, ...]

    @property
    def percent(self) -> float:
        """The share of points that are reached, from 0 to 100; 100 where there are none."""
        points = [one.points for one in self.policies] + [one.points for one in self.things]
        total = sum(of for _, of in points)
        return 100.0 * sum(reached for reached, _ in points) / total if total else 100.0

    @property
    def silent_policies(self) -> tuple[str, ...]:
        """The policies that no case makes decide: what they say could be changed, and no test would notice."""
        return tuple(one.id for one in self.policies if not one.decided)


Touched = tuple[str, tuple[str, ...]]
"""An action that policies are asked about, and the groups it stands in."""


class Tally:
    """Counts what the decisions of cases touched."""

    __slots__ = ("_asked", "_decided", "_outcomes", "_unforbidden")

    def __init__(self) -> None:
        self._decided: Counter[str] = Counter()
        self._asked: Counter[Touched] = Counter()
        self._unforbidden: Counter[Touched] = Counter()
        self._outcomes: Counter[tuple[str, bool]] = Counter()

    def note_decision(self, touched: Touched, decision: Decision) -> None:
        """Policies were asked, and some of them made the decision."""
        rules = (*decision.rules, *decision.observed)
        self._decided.update({rule.id for rule in rules})
        self._asked[touched] += 1
        # Which permits match besides, a decision that some forbid made does not say.
        if not any(rule.effect is RuleEffect.FORBID for rule in decision.rules):
            self._unforbidden[touched] += 1

    def note_thing(self, touched: Touched, *, allowed: bool) -> None:
        """A call of a thing was allowed or refused."""
        self._outcomes[touched[0], allowed] += 1

    def coverage(self, policies: Sequence[CheckedPolicy], catalog: Catalog) -> Coverage:
        """What was counted, over all that could have been."""
        return Coverage(
            policies=tuple(self._of_policies(policies)),
            things=tuple(
                ThingCoverage(
                    name=thing.action,
                    allowed=self._outcomes[thing.action, True],
                    refused=self._outcomes[thing.action, False],
                )
                for thing in callable_things(catalog)
                if thing.server != MANAGEMENT.name
            ),
        )

    def _of_policies(self, policies: Sequence[CheckedPolicy]) -> Iterator[PolicyCoverage]:
        asked = _by_policy(self._asked, policies)
        unforbidden = _by_policy(self._unforbidden, policies)
        for policy in policies:
            effect, decided = RuleEffect(policy.tree.effect), self._decided[policy.id]
            could = asked if effect is RuleEffect.FORBID else unforbidden
            yield PolicyCoverage(
                id=policy.id,
                effect=effect,
                conditional=_is_conditional(policy),
                decided=decided,
                aside=max(could[policy.id] - decided, 0),
            )


def touched_by(facts: ResourceFacts) -> Touched:
    """What a question about `facts` touches."""
    action = action_name(facts.kind, facts.server, facts.name)
    return action, () if action == ISSUE else group_names(facts.server, facts.operation)


def _by_policy(counts: Counter[Touched], policies: Sequence[CheckedPolicy]) -> Counter[str]:
    """How often each policy was about what was asked."""
    found: Counter[str] = Counter()
    for (action, groups), times in counts.items():
        for position in could_matter(policies, action, groups):
            found[policies[position].id] += times
    return found


def _is_conditional(policy: CheckedPolicy) -> bool:
    """Whether it can be about something and yet not match."""
    tree = policy.tree
    anybody = isinstance(tree.principal, ScopeAny) and isinstance(tree.resource, ScopeAny)
    return bool(tree.clauses) or not anybody
