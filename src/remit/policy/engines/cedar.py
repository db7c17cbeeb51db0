"""Cedar, in process, over handles parsed once.

Refuses whenever Cedar reports an error for any policy: it would leave that policy
out, and a `forbid` left out is a permission (docs/adr/0006). A question in the
phase `LIST` leaves the arguments open: Cedar then says what holds whatever they
are, and a thing is shown unless it is surely refused.

Source: Cedar authorization semantics (default deny, forbid overrides permit, skip on error).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
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
from remit.model import Catalog
from remit.policy.buckets import could_matter
from remit.policy.cedar_request import (
    action_of,
    context_json,
    open_context_json,
    open_entities,
    principal_entity,
    principal_uid,
    resource_entities,
    resource_uid,
)
from remit.policy.check import CheckedPolicy, checked_policies, schema_handle
from remit.policy.decision import (
    Decision,
    DecisionOutcome,
    DecisionReason,
    MatchedRule,
    RuleEffect,
)
from remit.policy.error_text import error_text
from remit.policy.evaluation import Evaluation, Phase, ResourceFacts
from remit.policy.excerpt import policies_about
from remit.policy.open_question import open_policies, reads_arguments
from remit.policy.source import PolicyInvalidError, PolicySource
from remit.policy.vocabulary import ACTION_TYPE, ISSUE, group_names

__all__ = ["CedarEngine"]

_NAME: Final = "cedar"
_MAX_RESOURCES: Final = 4_096
_MAX_ISSUED: Final = 1_024
_ESCAPES: Final = MappingProxyType(
    {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
)


@dataclass(frozen=True, slots=True)
class _Bucket:
    """The policies that can matter to one action, parsed."""

    policies: PolicySet
    names: Mapping[str, str]
    """Cedar's own name of each policy to its `@id`."""
    open_policies: PolicySet | None
    """Rewritten for open questions; `None` when no policy reads arguments, so none stays open."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A resource with its action: the entities of the catalog's side, parsed, and its bucket."""

    action: str
    entities: Entities
    bucket: _Bucket


class CedarEngine:
    """Holds one set of checked policies; `load` is the way to one."""

    __slots__ = ("_buckets", "_issued", "_places", "_policies", "_rules", "_schema", "_version")

    def __init__(self, policies: Sequence[CheckedPolicy], schema: Schema, version: str) -> None:
        self._policies = tuple(policies)
        self._rules = {policy.id: _rule(policy) for policy in policies}
        self._schema = schema
        self._version = version
        self._buckets: dict[tuple[int, ...], _Bucket] = {}
        self._places: OrderedDict[tuple[str, ResourceFacts], _Place] = OrderedDict()
        self._issued: tuple[int, dict[Hashable, Decision]] = (0, {})

    @classmethod
    def load(cls, sources: Sequence[PolicySource], catalog: Catalog) -> "CedarEngine":
        """An engine that holds `sources`.

        Raises:
            PolicyInvalidError: they do not check against `catalog`; none is loaded.
        """
        policies, problems = checked_policies(sources, catalog)
        if problems:
            raise PolicyInvalidError(problems)
        return cls(policies, schema_handle(catalog), _version_of(sources))

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
        return cls(policies, schema_handle(catalog), version)

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

    def evaluate(self, evaluation: Evaluation) -> Decision:
        """Decide one evaluation. Raises whatever Cedar raises.

        Tokens are asked for again and again with the very same facts. Within one second, and
        a policy knows no smaller unit of time, such a question is put to Cedar once.
        """
        if evaluation.phase is not Phase.ISSUE or evaluation.context.arguments is not None:
            return self._evaluate(evaluation)
        second, known = self._issued
        if second != evaluation.context.now or len(known) >= _MAX_ISSUED:
            known = {}
            self._issued = (evaluation.context.now, known)
        question = _question(evaluation)
        decision = known.get(question)
        if decision is None:
            decision = known[question] = self._evaluate(evaluation)
        return decision

    def _evaluate(self, evaluation: Evaluation) -> Decision:
        place = self._place(evaluation)
        open_question = evaluation.phase is Phase.LIST and evaluation.context.arguments is None
        if open_question and place.bucket.open_policies is not None:
            return self._evaluate_open(evaluation, place, place.bucket.open_policies)
        entities = place.entities.with_added_json_str(principal_entity(evaluation.subject))
        request = {
            "principal": principal_uid(evaluation.subject),
            "action": {"type": ACTION_TYPE, "id": place.action},
            "resource": resource_uid(evaluation.resource),
            "context": context_json(evaluation),
        }
        # The schema wants arguments; in an open question there are none, and no policy reads them.
        schema = None if open_question else self._schema
        result = is_authorized(request, place.bucket.policies, entities, schema)
        return self._decision(result, place.bucket.names)

    def _evaluate_open(
        self, evaluation: Evaluation, place: _Place, policies: PolicySet
    ) -> Decision:
        """Decide with the arguments unknown: refused only if refused whatever they are."""
        entities = place.entities.with_added_json_str(open_entities(evaluation))
        request = {
            "principal": _literal(principal_uid(evaluation.subject)),
            "action": _literal({"type": ACTION_TYPE, "id": place.action}),
            "resource": _literal(resource_uid(evaluation.resource)),
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

    def _place(self, evaluation: Evaluation) -> _Place:
        """Where a question is asked; parsed the first time, for the catalog's things are few."""
        action = action_of(evaluation)
        name = (action, evaluation.resource)
        place = self._places.get(name)
        if place is None:
            place = self._parse_place(action, evaluation.resource)
            self._places[name] = place
            if len(self._places) > _MAX_RESOURCES:
                self._places.popitem(last=False)
        return place

    def _parse_place(self, action: str, resource: ResourceFacts) -> _Place:
        entities = resource_entities(resource, action)
        # Checked once against the schema; the handle that is kept holds these entities alone.
        Entities.from_json_str(entities, self._schema)
        groups = () if action == ISSUE else group_names(resource.server, resource.operation)
        positions = could_matter(self._policies, action, groups)
        bucket = self._buckets.get(positions)
        if bucket is None:
            bucket = self._parse_bucket(positions)
            self._buckets[positions] = bucket
        return _Place(action, Entities.from_json_str(entities), bucket)

    def _parse_bucket(self, positions: tuple[int, ...]) -> _Bucket:
        held = [self._policies[position] for position in positions]
        trees = [policy.tree for policy in held]
        return _Bucket(
            policies=PolicySet.from_str("\n".join(policy.text for policy in held)),
            # Cedar numbers the policies of a text in the order they stand in it.
            names={f"policy{number}": policy.id for number, policy in enumerate(held)},
            open_policies=open_policies(trees) if any(map(reads_arguments, trees)) else None,
        )


def _question(evaluation: Evaluation) -> Hashable:
    """All that a decision on an issuance depends on besides the policies and the second.

    INVARIANT: whatever a policy can read is here. A test names every fact; a new one must come in.
    """
    subject, context = evaluation.subject, evaluation.context
    return (
        *(subject.kind, subject.id, subject.tenant, subject.roles),
        frozenset(subject.attributes.items()),
        *(evaluation.agent, evaluation.token, evaluation.resource),
        *(context.time_zone, context.ip),
    )


def _rule(policy: CheckedPolicy) -> MatchedRule:
    return MatchedRule(
        id=policy.id,
        effect=RuleEffect(policy.tree.effect),
        message=policy.annotations.get("refusal"),
    )


def _version_of(sources: Sequence[PolicySource]) -> str:
    named = sorted([source.filename, source.text] for source in sources)
    return hashlib.sha256(canonical_bytes(named)).hexdigest()


def _literal(uid: dict[str, str]) -> str:
    """An entity as Cedar itself writes it, for the one call that takes no other form."""
    return f'{uid["type"]}::"{"".join(_escaped(character) for character in uid["id"])}"'


def _escaped(character: str) -> str:
    """As Rust's `escape_debug`, which Cedar demands to the letter."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"
