"""One repository, before which recorded calls are heard again.

Comes to a ruling, or says what it would have to know: an argument or attribute that the log does not hold and a
policy reads, a fact of history that was not told, an engine in another process. What no policy of this
repository reads about a thing need not be known.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from remit.clock import SystemClock
from remit.guard.reconsider import UnansweredError
from remit.guard.records import Finding, finding_of
from remit.guard.rehearing import Rehearing, UnrecordedPastError
from remit.guard.target import Target
from remit.model import Catalog
from remit.policy import CedarEngine, DecisionPoint
from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy, checked_policies
from remit.policy.duties import obligations_of
from remit.policy.evaluation import ResourceFacts
from remit.policy.facts import JUSTIFICATION_FACT, TAGS, TOLD_FACT
from remit.policy.obligation import ObligationKind
from remit.policy.reads import Reads, reads_of, union_of
from remit.policy.vocabulary import action_name, group_names
from remit.replay.looks import asked_for
from remit.replay.placeholders import placeholders_of
from remit.replay.precedents import Precedents
from remit.replay.rebuilt import Rebuilt, completed
from remit.repository import LoadedRepository

__all__ = ["Court", "Ruling", "Unknown"]

_MOST_KNOWN: Final = 65_536
_OUTSIDE: Final = "an engine outside this process decides, and is not asked again"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is decided: `allow`, `deny` or `challenge`, why, and by which rules."""

    outcome: str
    reason: str
    rules: tuple[str, ...]
    missing: tuple[str, ...]
    observed: tuple[str, ...]
    obligations: tuple[tuple[str, str, str], ...]

    @property
    def words(self) -> str:
        """Outcome and reason, as one text."""
        return f"{self.outcome} {self.reason}"


@dataclass(frozen=True, slots=True)
class Unknown:
    """No ruling: `because` says what would have to be known."""

    because: str


class Court:
    """Decides under one repository. For one thread."""

    def __init__(self, repository: LoadedRepository) -> None:
        """Load it.

        Raises:
            PolicyInvalidError: its policies do not check against its catalog.
        """
        self._repository = repository
        engine = CedarEngine.load(repository.policies, repository.catalog)
        self.versions = (engine.version, repository.catalog.version)
        decisions = DecisionPoint(engine, SystemClock())
        self._rehearing = Rehearing(repository.catalog, decisions, unheard=True)
        self._placeholders = placeholders_of(repository.catalog)
        self._reads: dict[str, Reads] = {}
        self._precedents = Precedents(self.policies, repository.catalog, self._rehearing)
        # By all that a ruling depends on.
        self._known: dict[Hashable, Ruling | Unknown] = {}

    @property
    def catalog(self) -> Catalog:
        """What the repository declares."""
        return self._repository.catalog

    def hear(self, rebuilt: Rebuilt) -> Ruling | Unknown:
        """Decide one call."""
        place = self._precedents.place(rebuilt)
        if not (rebuilt.attributes_known and rebuilt.justification_known):
            unknown = self._unknown_about_caller(rebuilt, place.target)
            if unknown is not None:
                return unknown
        try:
            name = self._precedents.name(rebuilt, place)
            known = None if name is None else self._known.get(name)
        except TypeError:  # a record of somebody else's making
            name = known = None
        if known is not None:
            return known
        found = self._decided(rebuilt, place.target)
        if name is not None:
            if len(self._known) >= _MOST_KNOWN:
                self._known = {}
            self._known[name] = found
        return found

    def _decided(self, rebuilt: Rebuilt, target: Target | None) -> Ruling | Unknown:
        """What the steps that take every other decision say."""
        call, missing = completed(rebuilt, target)
        try:
            verdict = self._rehearing.decide(
                call,
                rebuilt.token,
                now=rebuilt.now,
                history=rebuilt.history,
                elevated=rebuilt.elevated,
            )
        except UnansweredError:
            return Unknown(_OUTSIDE)
        except UnrecordedPastError as error:
            return Unknown(error.detail)
        finding = finding_of(verdict)
        if missing and target is not None:
            unknown = self._unknown_arguments(missing, rebuilt, target, finding)
            if unknown is not None:
                return unknown
        return _ruling(finding)

    def target(self, rebuilt: Rebuilt) -> Target | None:
        """The thing that is called, as this repository declares it; `None` when it does not."""
        return self._precedents.place(rebuilt).target

    def _unknown_arguments(
        self, missing: Sequence[str], rebuilt: Rebuilt, target: Target, finding: Finding
    ) -> Unknown | None:
        """What is not known and mattered; `None` when the decision did not come to it."""
        if rebuilt.token.authorization_details:
            return Unknown(f"`{missing[0]}` was not recorded, and authorization details bound it")
        if finding.decision is None:
            return None
        read = self._reads_about(target.facts).arguments
        for name in missing:
            if read is None or name in read:
                return Unknown(f"`context.arguments.{name}` was not recorded")
        return None

    def _unknown_about_caller(self, rebuilt: Rebuilt, target: Target | None) -> Unknown | None:
        """What of the person, or of their words, is not known and may matter."""
        read = frozenset() if target is None else self._reads_about(target.facts).facts
        if not rebuilt.justification_known and JUSTIFICATION_FACT in read:
            return Unknown("`context.justification` was not recorded")
        if not rebuilt.justification_known and TOLD_FACT in read:
            return Unknown("`context.told` was not recorded")
        if rebuilt.attributes_known:
            return None
        named = self._placeholders.intersection(rebuilt.attributes)
        if named:
            return Unknown(f"the person's `{min(named)}` was not recorded")
        if TAGS in read:
            return Unknown("the person's attributes were not recorded")
        return None

    def _reads_about(self, facts: ResourceFacts) -> Reads:
        """What the policies look at that can matter to a thing."""
        action = action_name(facts.kind, facts.server, facts.name)
        reads = self._reads.get(action)
        if reads is None:
            groups = group_names(facts.server, facts.operation)
            positions = could_matter(self.policies, action, groups)
            about = [self.policies[position] for position in positions]
            obligations = [obligations_of(one.annotations, one.id) for one in about]
            asked = [asked_for(some) for some in obligations]
            if self.catalog.approvals.justifications and any(
                one.kind is ObligationKind.REQUIRE_JUSTIFICATION
                for some in obligations
                for one in some
            ):
                # What was told has to be as it is declared, which a pseudonym does not say.
                asked.append(Reads(facts=frozenset({JUSTIFICATION_FACT})))
            # What an annotation asks for stands in no condition, and is looked at all the same.
            reads = self._reads[action] = union_of([*(reads_of(one.tree) for one in about), *asked])
        return reads

    @cached_property
    def policies(self) -> tuple[CheckedPolicy, ...]:
        """The policies as trees."""
        return tuple(checked_policies(self._repository.policies, None)[0])


def _ruling(finding: Finding) -> Ruling:
    decision = finding.decision
    return Ruling(
        outcome=finding.outcome,
        reason=finding.reason,
        rules=() if decision is None else tuple([rule.id for rule in decision.rules]),
        missing=finding.missing,
        observed=() if decision is None else tuple([rule.id for rule in decision.observed]),
        obligations=()
        if decision is None or not decision.obligations
        else tuple([(one.kind.value, one.value, one.rule) for one in decision.obligations]),
    )
