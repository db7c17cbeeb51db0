"""Cedar, in process, over handles parsed once.

Refuses whenever Cedar reports an error for any policy: it would leave that policy
out, and a `forbid` left out is a permission (docs/adr/0006). A question in the
phase `LIST` leaves the arguments open: Cedar then says what holds whatever they
are, and a thing is shown unless it is surely refused.

Source: Cedar authorization semantics (default deny, forbid overrides permit, skip on error).
"""

import hashlib
from collections.abc import Collection, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cedarpy import (
    AuthzResult,
    Entities,
    PartialAuthzResult,
    PolicySet,
    Schema,
    is_authorized,
    is_authorized_partial,
)
from cedarpy import Decision as CedarDecision

from remit.canonical import canonical_bytes
from remit.ids import ServerName
from remit.model import Argument, Catalog
from remit.policy.cedar_request import (
    action_of,
    address_json,
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
from remit.policy.engines.cedar_place import Bucket, Corner, Part, Place, Places
from remit.policy.error_text import error_text
from remit.policy.evaluation import Evaluation, Phase, ResourceFacts
from remit.policy.excerpt import policies_about
from remit.policy.facts import Getter, local_time
from remit.policy.history_reads import HistoryReads
from remit.policy.source import PolicyInvalidError, PolicySource
from remit.policy.vocabulary import callable_things

__all__ = ["CedarEngine"]

_NAME: Final = "cedar"
_MAX_ANSWERS: Final = 256
_MAX_KNOWN: Final = 8_192
_MAX_PRINCIPALS: Final = 2_048
_MAX_LONG: Final = 2**63 - 1
_ESCAPES: Final = MappingProxyType(
    {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
)


class CedarEngine:
    """Holds one set of checked policies; `load` is the way to one."""

    __slots__ = (
        "_history",
        "_known",
        "_places",
        "_policies",
        "_principals",
        "_rules",
        "_schema",
        "_version",
    )

    def __init__(
        self,
        policies: Sequence[CheckedPolicy],
        schema: Schema,
        version: str,
        *,
        arguments: Mapping[str, tuple[Argument, ...]],
        history: Collection[str] = (),
    ) -> None:
        """`arguments`: what the schema declares for each action. `history`: the facts of it that it declares."""
        self._policies = tuple(policies)
        self._rules = {policy.id: _rule(policy) for policy in policies}
        self._schema = schema
        self._version = version
        self._places = Places(self._policies, schema, arguments)
        self._history = HistoryReads(self._policies, history)
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
        schema, history = schema_handle(catalog), catalog.history
        return cls(policies, schema, version, arguments=arguments, history=history)

    def excerpt(self, server: ServerName, catalog: Catalog) -> tuple[str, ...]:
        """The texts of the policies that can matter to `server`; see `of_excerpt`."""
        return policies_about(self._policies, server, catalog)

    @property
    def version(self) -> str:
        """The SHA-256, in hexadecimal, of the policies it holds."""
        return self._version

    @property
    def rules(self) -> tuple[MatchedRule, ...]:
        """Every policy, in the order they stand in their files."""
        return tuple(self._rules.values())

    def history_read(self, resource: ResourceFacts) -> frozenset[str]:
        """The facts of history that some policy about `resource` looks at."""
        return self._history.of(resource)

    def evaluate(self, evaluation: Evaluation) -> Decision:
        """Decide one evaluation. Raises whatever Cedar raises.

        A question that differs from an earlier one in nothing that the policies look at is answered as that
        one was; the values of all that they look at are its name. Errors are not remembered.
        """
        place = self._places.place(action_of(evaluation), evaluation.resource)
        if not _is_regular(evaluation, place):
            return self._evaluate_whole(evaluation, place, self._places.bucket(place.positions))
        corner = self._places.corner(place, evaluation)
        if corner.varying is None or not _is_open(evaluation):
            return self._closed(evaluation, place, corner)
        facts = [fact(evaluation) for fact in corner.open_facts]
        name = (id(corner), evaluation.subject.kind, *facts)
        known = self._known.get(name)
        if known is not None and known[0] is corner:
            return known[1]
        bucket = self._places.bucket(corner.positions)
        return self._remembered(name, corner, self._evaluate_whole(evaluation, place, bucket))

    def evaluate_anew(self, evaluation: Evaluation) -> Decision:
        """As `evaluate`, of all policies about the action, with all that is known, and nothing remembered."""
        place = self._places.place(action_of(evaluation), evaluation.resource)
        return self._evaluate_whole(evaluation, place, self._places.bucket(place.positions))

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
        open_question = _is_open(evaluation)
        if open_question and bucket.open_policies is not None:
            return self._evaluate_open(evaluation, place, bucket.open_policies)
        entities = place.entities.with_added_json_str(principal_entity(evaluation.subject))
        request = {
            "principal": principal_uid(evaluation.subject),
            "action": place.action_uid,
            "resource": place.resource_uid,
            "context": context_json(evaluation),
        }
        # The schema wants arguments; in an open question there are none, and no policy reads them.
        schema = None if open_question else self._schema
        result = is_authorized(request, bucket.policies, entities, schema)
        return self._decision(result, bucket.names)

    def _evaluate_open(self, evaluation: Evaluation, place: Place, policies: PolicySet) -> Decision:
        """Decide with the arguments unknown: refused only if refused whatever they are."""
        entities = place.entities.with_added_json_str(open_entities(evaluation))
        request = {
            "principal": _literal(principal_uid(evaluation.subject)),
            "action": _literal(place.action_uid),
            "resource": _literal(place.resource_uid),
            "context": open_context_json(),
        }
        result = is_authorized_partial(request, policies, entities)
        diagnostics = result.diagnostics
        if diagnostics.errors or result.decision is not CedarDecision.NoDecision:
            return self._decision(result)
        rules = [self._rules[policy] for policy in diagnostics.may_be_determining]
        return self._answer(allowed=True, rules=rules, errors=())

    def _decision(
        self, result: AuthzResult | PartialAuthzResult, names: Mapping[str, str] | None = None
    ) -> Decision:
        """Cedar's answer as ours. `names`: what it calls the policies, unless by their `@id`."""
        diagnostics = result.diagnostics
        reasons = [policy if names is None else names[policy] for policy in diagnostics.reasons]
        rules = [self._rules[reason] for reason in reasons]
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
        return Decision(
            outcome=DecisionOutcome.ALLOW if permitted else DecisionOutcome.DENY,
            reason=reason,
            rules=tuple(sorted(permits if permitted else forbids, key=lambda rule: rule.id)),
            policy_version=self._version,
            engine=_NAME,
            errors=errors,
        )


def _is_open(evaluation: Evaluation) -> bool:
    """Whether the arguments are not known yet."""
    return evaluation.phase is Phase.LIST and evaluation.context.arguments is None


def _is_regular(evaluation: Evaluation, place: Place) -> bool:
    """Whether a question is within the schema in all that a caller could bring; what is not, Cedar refuses."""
    context, auth_time = evaluation.context, evaluation.token.auth_time
    try:
        local_time(context.now, context.time_zone)
        if context.ip is not None:
            address_json(context.ip)
    except (ValueError, OverflowError, OSError, KeyError):
        return False
    if auth_time is not None and not -_MAX_LONG <= auth_time <= _MAX_LONG:
        return False
    if evaluation.phase is Phase.ISSUE:
        return True
    if context.arguments is None:
        return evaluation.phase is Phase.LIST
    return place.conformity.admits(context.arguments)


def _rule(policy: CheckedPolicy) -> MatchedRule:
    return MatchedRule(
        id=policy.id,
        effect=RuleEffect(policy.tree.effect),
        message=policy.annotations.get("refusal"),
    )


def _version_of(sources: Sequence[PolicySource]) -> str:
    named = sorted([source.filename, source.text] for source in sources)
    return hashlib.sha256(canonical_bytes(named)).hexdigest()


def _literal(uid: Mapping[str, str]) -> str:
    """An entity as Cedar itself writes it, for the one call that takes no other form."""
    return f'{uid["type"]}::"{"".join(_escaped(character) for character in uid["id"])}"'


def _escaped(character: str) -> str:
    """As Rust's `escape_debug`, which Cedar demands to the letter."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"
