"""Cedar, in process, over handles parsed once.

Refuses whenever Cedar reports an error for any policy: it would leave that policy
out, and a `forbid` left out is a permission (docs/adr/0006). A question in the
phase `LIST` leaves open what only a call brings: Cedar then says what holds whatever that
is, and a thing is shown unless it is surely refused. Policies on trial decide nothing,
not even by failing; what they would have refused is told beside the decision.

Source: Cedar authorization semantics (default deny, forbid overrides permit, skip on error).
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Final

from cedarpy import (
    AuthzResult,
    Entities,
    PartialAuthzResult,
    is_authorized,
    is_authorized_partial,
)
from cedarpy import Decision as CedarDecision

from remit.canonical import canonical_bytes
from remit.ids import ServerName
from remit.model import Catalog
from remit.policy.cedar_request import (
    action_of,
    context_json,
    open_context_json,
    open_entities,
    principal_entity,
    principal_uid,
)
from remit.policy.check import CheckedPolicy, checked_policies, schema_handle
from remit.policy.decision import (
    Decision,
    DecisionOutcome,
    DecisionReason,
    MatchedRule,
    RuleEffect,
)
from remit.policy.engines.cedar_beside import (
    redacting,
    told_of_reasons,
    with_nothing_said,
    with_observed,
    with_redactions,
)
from remit.policy.engines.cedar_held import HeldPolicy, held
from remit.policy.engines.cedar_place import Bucket, Corner, Part, Place, Places, Typed
from remit.policy.engines.cedar_question import is_regular, literal, open_to, with_nothing
from remit.policy.error_text import error_text
from remit.policy.evaluation import Evaluation, Phase, ResourceFacts
from remit.policy.excerpt import policies_about
from remit.policy.facts import Getter
from remit.policy.history_reads import HistoryReads
from remit.policy.source import PolicyInvalidError, PolicySource
from remit.policy.vocabulary import callable_things

__all__ = ["CedarEngine"]

_NAME: Final = "cedar"
_MAX_ANSWERS: Final = 256
_MAX_KNOWN: Final = 8_192
_MAX_PRINCIPALS: Final = 2_048


class CedarEngine:
    """Holds one set of checked policies; `load` is the way to one."""

    __slots__ = (
        "_by_id",
        "_held",
        "_history",
        "_known",
        "_lister",
        "_observer",
        "_places",
        "_principals",
        "_reasons",
        "_redactor",
        "_schema",
        "_version",
    )

    def __init__(
        self,
        policies: Sequence[HeldPolicy],
        typed: Typed,
        version: str,
        *,
        observer: "CedarEngine | None" = None,
        lister: "CedarEngine | None" = None,
        redactor: "CedarEngine | None" = None,
    ) -> None:
        """`policies` in their order; `observer` holds those on trial among them, as if they were in force.

        `lister` holds what is left for lists, where something that nobody has yet would cure a `forbid`.
        `redactor` holds the permits that keep arguments out of the log: they are asked alone once the rest refuses.
        """
        self._held = tuple(policies)
        self._observer = observer
        self._lister = lister
        self._redactor = redactor
        self._reasons = told_of_reasons(policies)
        self._by_id = {one.rule.id: one for one in policies}
        self._schema = typed.schema
        self._version = version
        deciding = [one.evaluated for one in policies if observer is None or not one.on_trial]
        self._places = Places(deciding, typed)
        self._history = HistoryReads([one.evaluated for one in policies], typed.history)
        # INVARIANT: an engine never changes, so that what it decided it would decide again.
        self._known: dict[Hashable, tuple[Part | Corner, Decision]] = {}
        self._principals: dict[Hashable, tuple[Place, Entities]] = {}

    @classmethod
    def load(cls, sources: Sequence[PolicySource], catalog: Catalog) -> "CedarEngine":
        """An engine that holds `sources`.

        Raises:
            PolicyInvalidError: they do not check against `catalog`; none is loaded.
        """
        policies, problems = checked_policies(sources, catalog)
        if problems:
            raise PolicyInvalidError(problems)
        return cls._over(policies, catalog, _version_of(sources))

    @classmethod
    def of_excerpt(cls, texts: Sequence[str], catalog: Catalog, *, version: str) -> "CedarEngine":
        """An engine for a part of what is declared, of policies that were checked against the whole.

        They may name things that `catalog` has not, so they are not held against it again.

        Raises:
            PolicyInvalidError: they are no policies.
        """
        sources = [PolicySource(text, f"policy {number}") for number, text in enumerate(texts)]
        policies, problems = checked_policies(sources, None)
        if problems:
            raise PolicyInvalidError(problems)
        return cls._over(policies, catalog, version)

    @classmethod
    def _over(
        cls, policies: Sequence[CheckedPolicy], catalog: Catalog, version: str
    ) -> "CedarEngine":
        arguments = {thing.action: thing.arguments for thing in callable_things(catalog)}
        typed = Typed(schema_handle(catalog), arguments, catalog.history, catalog.told)
        every = held(policies)
        on_trial = [one for one in every if one.on_trial]
        observer = cls(on_trial, typed, version) if on_trial else None
        lister = None
        if any(one.is_cured_later for one in every):
            left = [one for one in every if not (one.on_trial or one.is_cured_later)]
            lister = cls(left, typed, version)
        redactor = cls(kept_out, typed, version) if (kept_out := redacting(every)) else None
        return cls(every, typed, version, observer=observer, lister=lister, redactor=redactor)

    def excerpt(self, server: ServerName, catalog: Catalog) -> tuple[str, ...]:
        """The texts of the policies that can matter to `server`; see `of_excerpt`."""
        return policies_about([one.written for one in self._held], server, catalog)

    @property
    def version(self) -> str:
        """The SHA-256, in hexadecimal, of the policies it holds."""
        return self._version

    @property
    def rules(self) -> tuple[MatchedRule, ...]:
        """Every policy, in the order they stand in their files."""
        return tuple(one.rule for one in self._held)

    @property
    def on_trial(self) -> tuple[str, ...]:
        """The ids of the policies that decide nothing, and say what they would have refused."""
        return tuple(one.rule.id for one in self._held if one.on_trial)

    def history_read(self, resource: ResourceFacts) -> frozenset[str]:
        """The facts of history that some policy about `resource` looks at."""
        return self._history.of(resource)

    def evaluate(self, evaluation: Evaluation) -> Decision:
        """Decide one evaluation. Raises whatever Cedar raises.

        A question that differs from an earlier one in nothing that the policies look at is answered as that
        one was; the values of all that they look at are its name. Errors are not remembered.
        """
        if self._lister is not None and evaluation.phase is Phase.LIST:
            return self._lister.evaluate(evaluation)
        if self._reasons:
            evaluation = with_nothing_said(evaluation, self._reasons)
        decision = self._decide(evaluation)
        if evaluation.phase is Phase.LIST:
            return decision
        redactor, observer = self._redactor, self._observer
        if redactor is not None and not decision.allowed:
            decision = with_redactions(decision, redactor.evaluate(evaluation), self._held)
        if observer is None:
            return decision
        return with_observed(decision, observer.evaluate(evaluation), self._held)

    def evaluate_anew(self, evaluation: Evaluation) -> Decision:
        """As `evaluate`, of all policies about the action, with all that is known, and nothing remembered."""
        if self._lister is not None and evaluation.phase is Phase.LIST:
            return self._lister.evaluate_anew(evaluation)
        evaluation = with_nothing_said(evaluation, self._reasons)
        place = self._places.place(action_of(evaluation), evaluation.resource)
        decision = self._evaluate_whole(evaluation, place, self._places.bucket(place.positions))
        if evaluation.phase is Phase.LIST:
            return decision
        redactor, observer = self._redactor, self._observer
        if redactor is not None and not decision.allowed:
            told = redactor.evaluate_anew(evaluation)
            decision = with_redactions(decision, told, self._held)
        if observer is None:
            return decision
        return with_observed(decision, observer.evaluate_anew(evaluation), self._held)

    def _decide(self, evaluation: Evaluation) -> Decision:
        """What the policies in force say."""
        place = self._places.place(action_of(evaluation), evaluation.resource)
        if not is_regular(evaluation, place):
            return self._evaluate_whole(evaluation, place, self._places.bucket(place.positions))
        corner = self._places.corner(place, evaluation)
        unknown = open_to(evaluation)
        if not unknown & corner.reads_open:
            return self._closed(evaluation, place, corner)
        bucket = self._places.bucket(corner.positions)
        if not corner.reads_open <= unknown:
            return self._evaluate_whole(evaluation, place, bucket)
        facts = [fact(evaluation) for fact in corner.open_facts]
        name = (id(corner), evaluation.subject.kind, *facts)
        known = self._known.get(name)
        if known is not None and known[0] is corner:
            return known[1]
        return self._remembered(name, corner, self._evaluate_whole(evaluation, place, bucket))

    def _closed(self, evaluation: Evaluation, place: Place, corner: Corner) -> Decision:
        """Decide with the arguments, or by policies that do not read them."""
        steady = None
        if corner.steady is not None:
            steady = self._steady(evaluation, place, corner.steady, corner.facts)
        if corner.varying is None:
            return steady or self._answer(allowed=False, rules=(), errors=())
        varying = self._evaluate(evaluation, place, corner.varying)
        return varying if steady is None else self._together(steady, varying)

    def _steady(
        self, evaluation: Evaluation, place: Place, part: Part, facts: Sequence[Getter]
    ) -> Decision:
        """What is said by policies that look at `facts` alone."""
        name = (id(part), evaluation.subject.kind, *[fact(evaluation) for fact in facts])
        known = self._known.get(name)
        if known is not None and known[0] is part:
            return known[1]
        return self._remembered(name, part, self._evaluate(evaluation, place, part))

    def _remembered(self, name: Hashable, of: Part | Corner, decision: Decision) -> Decision:
        if not decision.errors:
            if len(self._known) >= _MAX_KNOWN:
                self._known = {}
            self._known[name] = (of, decision)
        return decision

    def _together(self, one: Decision, other: Decision) -> Decision:
        """What two sets of policies say as one set."""
        if other.reason is DecisionReason.NO_PERMIT:
            return one
        if one.reason is DecisionReason.NO_PERMIT:
            return other
        rules = (*one.rules, *other.rules)
        allowed = all(rule.effect is RuleEffect.PERMIT for rule in rules)
        return self._answer(allowed=allowed, rules=rules, errors=(*one.errors, *other.errors))

    def _evaluate(self, evaluation: Evaluation, place: Place, part: Part) -> Decision:
        """What a part of the policies that can matter says, told what they look at."""
        bucket, context = part.bucket, part.context
        if context is None:
            return self._evaluate_whole(evaluation, place, bucket)
        entities = place.entities
        if part.reads_principal:
            entities = self._with_principal(evaluation, place)
        request = {
            "principal": principal_uid(evaluation.subject),
            "action": place.action_uid,
            "resource": place.resource_uid,
            "context": context.json(evaluation),
        }
        result = is_authorized(request, bucket.policies, entities, part.schema)
        return self._answered(result, bucket)

    def _answered(self, result: AuthzResult, bucket: Bucket) -> Decision:
        """Cedar's answer as ours; made once for each that it gives."""
        diagnostics = result.diagnostics
        if diagnostics.errors:
            return self._decision(result, bucket.names)
        name = (result.decision, *diagnostics.reasons)
        decision = bucket.answers.get(name)
        if decision is None:
            decision = self._decision(result, bucket.names)
            if len(bucket.answers) < _MAX_ANSWERS:
                bucket.answers[name] = decision
        return decision

    def _with_principal(self, evaluation: Evaluation, place: Place) -> Entities:
        """The entities of a place and a principal, parsed once for those who come again."""
        subject = evaluation.subject
        attributes = frozenset(subject.attributes.items())
        who = (subject.kind, subject.id, subject.tenant, subject.roles, attributes)
        name = (id(place), *who)
        known = self._principals.get(name)
        if known is not None and known[0] is place:
            return known[1]
        entities = place.entities.with_added_json_str(principal_entity(subject))
        if len(self._principals) >= _MAX_PRINCIPALS:
            self._principals = {}
        self._principals[name] = (place, entities)
        return entities

    def _evaluate_whole(self, evaluation: Evaluation, place: Place, bucket: Bucket) -> Decision:
        """Decide with the whole context, as the whole schema has it."""
        unknown = open_to(evaluation) & bucket.reads_open
        if unknown:
            return self._evaluate_open(evaluation, place, bucket, unknown)
        entities = place.entities.with_added_json_str(principal_entity(evaluation.subject))
        request = {
            "principal": principal_uid(evaluation.subject),
            "action": place.action_uid,
            "resource": place.resource_uid,
            "context": context_json(with_nothing(evaluation, place, bucket)),
        }
        # The schema wants arguments; where they are open, no policy reads them.
        is_open = evaluation.phase is Phase.LIST and evaluation.context.arguments is None
        schema = None if is_open else self._schema
        result = is_authorized(request, bucket.policies, entities, schema)
        return self._decision(result, bucket.names)

    def _evaluate_open(
        self, evaluation: Evaluation, place: Place, bucket: Bucket, unknown: frozenset[str]
    ) -> Decision:
        """Decide with something unknown: refused only if refused whatever it is."""
        policies = bucket.open_policies(unknown)
        entities = place.entities.with_added_json_str(open_entities(evaluation, unknown))
        request = {
            "principal": literal(principal_uid(evaluation.subject)),
            "action": literal(place.action_uid),
            "resource": literal(place.resource_uid),
            "context": open_context_json(unknown),
        }
        result = is_authorized_partial(request, policies, entities)
        diagnostics = result.diagnostics
        if diagnostics.errors or result.decision is not CedarDecision.NoDecision:
            return self._decision(result)
        rules = [self._by_id[policy].rule for policy in diagnostics.may_be_determining]
        return self._answer(allowed=True, rules=rules, errors=())

    def _decision(
        self, result: AuthzResult | PartialAuthzResult, names: Mapping[str, str] | None = None
    ) -> Decision:
        """Cedar's answer as ours. `names`: what it calls the policies, unless by their `@id`."""
        diagnostics = result.diagnostics
        reasons = [policy if names is None else names[policy] for policy in diagnostics.reasons]
        rules = [self._by_id[reason].rule for reason in reasons]
        errors = tuple(error_text(error, names) for error in diagnostics.errors)
        if result.decision is CedarDecision.NoDecision and not errors:
            errors = ("cedar came to no decision",)
        allowed = result.decision is CedarDecision.Allow
        return self._answer(allowed=allowed, rules=rules, errors=errors)

    def _answer(
        self, *, allowed: bool, rules: Sequence[MatchedRule], errors: tuple[str, ...]
    ) -> Decision:
        """The decision, with the rules that made it: permits when allowed, forbids when not."""
        permits = tuple(rule for rule in rules if rule.effect is RuleEffect.PERMIT)
        forbids = tuple(rule for rule in rules if rule.effect is RuleEffect.FORBID)
        if errors:
            reason = DecisionReason.ENGINE_ERROR
        elif allowed and permits:
            reason = DecisionReason.PERMITTED
        else:
            reason = DecisionReason.FORBIDDEN if forbids else DecisionReason.NO_PERMIT
        permitted = reason is DecisionReason.PERMITTED
        decisive = sorted(permits if permitted else forbids, key=lambda rule: rule.id)
        return Decision(
            outcome=DecisionOutcome.ALLOW if permitted else DecisionOutcome.DENY,
            reason=reason,
            rules=tuple(decisive),
            policy_version=self._version,
            engine=_NAME,
            errors=errors,
            obligations=tuple(one for rule in decisive for one in self._by_id[rule.id].obligations),
        )


def _version_of(sources: Sequence[PolicySource]) -> str:
    named = sorted([source.filename, source.text] for source in sources)
    return hashlib.sha256(canonical_bytes(named)).hexdigest()
