"""Only the policies that can matter are evaluated, and nothing comes out otherwise: held against Cedar itself.

The other side is no code of ours: `cedarpy.is_authorized`, with every policy there is, the whole entities
and the whole context. Policies and questions are drawn at random, out of all that the language has.
"""

import json
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from cedarpy import Decision as CedarDecision
from cedarpy import is_authorized, validate_policies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.policy import CedarEngine, Phase, PolicySource, SubjectKind
from remit.policy.cedar_request import (
    action_of,
    context_json,
    principal_entity,
    principal_uid,
    resource_entities,
    resource_uid,
)
from remit.policy.check import schema_handle
from remit.policy.decision import DecisionReason, RuleEffect
from remit.policy.evaluation import ResourceKind
from remit.policy.vocabulary import ACTION_TYPE

ATOMS = (
    'principal.id == "usr_1"',
    'principal.tenant == "acme"',
    'principal.roles.contains("support")',
    'principal.roles.containsAny(["finance", "support"])',
    'principal.roles.containsAll(["finance", "support"])',
    "principal.roles.isEmpty()",
    "principal is Remit::User",
    "principal is Remit::Workload",
    'principal in Remit::User::"usr_1"',
    'principal.hasTag("department") && principal.getTag("department") == "sales"',
    'principal.hasTag("region")',
    'resource in Remit::Server::"crm"',
    'resource.operation == "read"',
    "resource.sensitivity_rank > 1",
    "resource has tenant",
    'resource.data_categories.contains("customer-contact")',
    'context.agent.id == "assistant"',
    'context.agent.id like "a*t"',
    'context.agent.class == "workload"',
    'context.token.scopes.contains("crm:accounts.read")',
    'context.token has acr && context.token.acr like "*mfa"',
    'context.token.client_id == "cli_1"',
    "context.time.hour >= 9 && context.time.hour < 17",
    '["mon", "tue", "sat"].contains(context.time.weekday)',
    'context has ip && context.ip.isInRange(ip("10.0.0.0/8"))',
    "context has ip && context.ip.isIpv6()",
    "true",
    "false",
    'if principal.tenant == "acme" then context.agent.id == "assistant" else context.time.hour < 12',
    'if context has ip then principal.roles.contains("support") else principal.tenant == "globex"',
)
OF_ACCOUNTS = ('context.arguments.account == "acc_1"', 'context.arguments.account like "acc_*"')
OF_REFUNDS = (
    'context.arguments.amount.value.greaterThan(decimal("10.00"))',
    'context.arguments.amount.currency == "EUR"',
)
HEADS = (
    ("action", ()),
    ('action in Remit::Action::"call"', ()),
    ('action in Remit::Action::"read"', ()),
    ('action in [Remit::Action::"write", Remit::Action::"delete"]', ()),
    ('action in Remit::Action::"server/crm"', ()),
    ('action == Remit::Action::"issue"', ()),
    ('action == Remit::Action::"crm/get_account"', OF_ACCOUNTS),
    ('action == Remit::Action::"payments/refund"', OF_REFUNDS),
)
PRINCIPALS = (
    "principal",
    "principal is Remit::User",
    "principal is Remit::Workload",
    'principal == Remit::User::"usr_1"',
    'principal == Remit::Workload::"job"',
    'principal in Remit::User::"usr_2"',
)
RESOURCES = ("resource", 'resource in Remit::Server::"crm"', "resource is Remit::Tool")


class Drawn:
    """Policies and questions of one seed: a number is drawn faster than everything that is made of it."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)

    def expression(self, atoms, depth=2) -> str:
        of = self.dice.choice
        sort = self.dice.random()
        if depth == 0 or sort < 0.4:
            return f"({of(atoms)})"
        if sort < 0.55:
            return f"!({self.expression(atoms, depth - 1)})"
        parts = [self.expression(atoms, depth - 1) for _ in range(3)]
        if sort < 0.65:
            return f"(if {parts[0]} then {parts[1]} else {parts[2]})"
        return f"({parts[0]} {of(['&&', '||'])} {parts[1]})"

    def policy(self) -> str:
        of = self.dice.choice
        head, own = of(HEADS)
        clauses = [
            f"{of(['when', 'unless'])} {{ {self.expression(ATOMS + own)} }}"
            for _ in range(self.dice.randint(0, 3))
        ]
        where = f"{of(PRINCIPALS)}, {head}, {of(RESOURCES)}"
        return f"{of(['permit', 'forbid'])} ({where})\n{' '.join(clauses)};\n"

    def policies(self, desk) -> str:
        """Some that check: the validator refuses what can never be so, and that is never loaded."""
        found: list[str] = []
        for _ in range(self.dice.randint(4, 16)):
            one = f'@id("p{len(found)}")\n{self.policy()}'
            if not validate_policies(one, schema_of_all(desk)).errors:
                found.append(one)
        return "".join(found)

    def question(self, desk):
        of = self.dice.choice
        common = {
            "ip": of([None, "10.1.2.3", "192.0.2.1", "2001:db8::1"]),
            "now": 1_767_625_200 + self.dice.randint(0, 167) * 3_600,
        }
        which = of(["account", "account", "refund", "refund", "issue"])
        if which == "refund":
            asked = desk.refund(of(["1.00", "10.00", "99.9999"]), **common)
        elif which == "issue":
            asked = desk.ask(Phase.ISSUE, kind=ResourceKind.SERVER, name="crm", **common)
        else:
            asked = desk.ask(arguments={"account": of(["acc_1", "acc_2", "x"])}, **common)
        subject = replace(
            asked.subject,
            kind=of([SubjectKind.USER, SubjectKind.USER, SubjectKind.WORKLOAD]),
            id=of(["usr_1", "usr_2", "job"]),
            tenant=of(["acme", "globex"]),
            roles=of([(), ("support",), ("finance",), ("support", "finance")]),
            attributes=of([{}, {"department": "sales"}, {"department": "hr", "region": "eu"}]),
        )
        token = replace(
            asked.token,
            acr=of([None, "pwd", "urn:mfa"]),
            scopes=of([(), ("crm:accounts.read",)]),
        )
        return replace(asked, subject=subject, token=token)


@cache
def schema_of_all(desk):
    """The schema, parsed once: that takes longer than all the rest."""
    return schema_handle(desk.catalog)


def plainly(text, asked):
    """What Cedar says of every policy, told everything: outcome, the rules that made it, errors."""
    action = action_of(asked)
    entities = json.loads(resource_entities(asked.resource, action))
    entities += json.loads(principal_entity(asked.subject))
    request = {
        "principal": _literal(principal_uid(asked.subject)),
        "action": f'{ACTION_TYPE}::"{action}"',
        "resource": _literal(resource_uid(asked.resource)),
        "context": json.loads(context_json(asked)),
    }
    result = is_authorized(request, text, entities)
    names = result.diagnostics.id_annotations_by_reason
    return (
        result.decision is CedarDecision.Allow,
        frozenset(names[one] for one in result.diagnostics.reasons),
        bool(result.diagnostics.errors),
    )


def _literal(uid) -> str:
    return f'{uid["type"]}::"{uid["id"]}"'


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**48))
def test_what_is_left_out_would_have_changed_nothing(desk, seed):
    drawn = Drawn(seed)
    text = drawn.policies(desk)
    engine = desk.engine(text)
    for _ in range(12):
        asked = drawn.question(desk)
        allowed, rules, failed = plainly(text, asked)
        first, again = engine.evaluate(asked), engine.evaluate(asked)
        for decision in (first, again, engine.evaluate_anew(asked)):
            if failed:
                assert decision.reason is DecisionReason.ENGINE_ERROR
                continue
            assert decision.allowed is allowed
            assert frozenset(one.id for one in decision.rules) == rules
            assert all((one.effect is RuleEffect.PERMIT) is allowed for one in decision.rules)
            if not allowed:
                expected = DecisionReason.FORBIDDEN if rules else DecisionReason.NO_PERMIT
                assert decision.reason is expected


def test_the_draw_has_all_that_the_test_is_about(desk):
    """Else it would hold of nothing: permitted, forbidden, not permitted; and every sort of expression."""
    reasons, texts = set(), []
    for seed in range(8):
        drawn = Drawn(seed)
        text = drawn.policies(desk)
        texts.append(text)
        engine = desk.engine(text)
        reasons |= {engine.evaluate(drawn.question(desk)).reason for _ in range(12)}
    assert {DecisionReason.PERMITTED, DecisionReason.FORBIDDEN, DecisionReason.NO_PERMIT} <= reasons
    whole = "".join(texts)
    for word in (" like ", " is ", " in ", " has ", "if ", "getTag", "containsAny", "isInRange", "unless", "when"):  # fmt: skip
        assert word in whole, word


@pytest.mark.parametrize("many", [300])
def test_of_many_policies_one_callers_are_found_and_no_other_is_lost(desk, many):
    """Each of many roles, agents and tags has a policy of its own; the one forbid without a demand counts for all."""
    text = "".join(
        f'@id("role{n}") permit(principal, action, resource) when {{ principal.roles.contains("r{n}") }};\n'
        f'@id("tag{n}") forbid(principal, action, resource)\n'
        f'when {{ principal.hasTag("t{n}") && context.time.hour == {n % 24} }};\n'
        for n in range(many)
    )
    text += '@id("late") forbid(principal, action, resource) when { context.time.hour == 23 };\n'
    engine = CedarEngine.load([PolicySource(text, "policies/a.cedar")], desk.catalog)
    for number in (0, many // 2, many - 1):
        for hour in (0, 12, 23):
            asked = desk.ask(roles=(f"r{number}",), now=1_767_571_200 + hour * 3_600)
            subject = replace(asked.subject, attributes={f"t{number}": "x"})
            asked = replace(asked, subject=subject)
            allowed, rules, failed = plainly(text, asked)
            decision = engine.evaluate(asked)
            assert not failed
            assert (decision.allowed, frozenset(one.id for one in decision.rules)) == (
                allowed,
                rules,
            )
