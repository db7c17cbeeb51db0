"""What is remembered is what would be decided: calls that differ in little, each as it is decided by itself.

Policies and calls are drawn at random, out of all that policies can read; the other side remembers nothing.
"""

import random
from dataclasses import replace
from ipaddress import ip_address, ip_network
from types import SimpleNamespace

import pytest
from cedarpy import validate_policies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.audit.record_seal import RecordSeal
from remit.guard.records import finding_of
from remit.guard.rehearing import Rehearing, UnrecordedPastError
from remit.policy import CedarEngine, DecisionPoint, PolicySource
from remit.policy.check import schema_handle
from remit.replay.court import Court, Ruling, Unknown
from remit.replay.cuts import Ranges
from remit.replay.looks import Circumstances, Looks
from remit.replay.rebuilt import Rebuilder, completed
from remit.repository import load_repository
from remit.testing.clock import FixedClock
from remit.testing.traffic import RECORD_KEY
from remit.tokens.access_token import Delegate

MORE = """
@id("say-why") @require_justification("reason")
forbid (principal, action in Remit::Action::"write", resource)
when { context.arguments.amount.value.greaterThan(decimal("100.00")) };
@id("fresh") @step_up("10m")
permit (principal, action == Remit::Action::"hr/get_file", resource);
@id("ticket") @require_justification("ticket")
permit (principal, action == Remit::Action::"crm/get_account", resource);
@id("fresh-or-not") @step_up("5m")
forbid (principal, action == Remit::Action::"hr/pay_file", resource);
@id("strong") @step_up("urn:remit:acr:mfa")
forbid (principal, action == Remit::Action::"crm/get_account", resource)
when { context.authentication has acr && context.authentication.acr != "none" };
@id("inside")
forbid (principal, action == Remit::Action::"wiki/get_file", resource)
unless { context.networks.contains("office") };
@id("rows") @mode("observe")
forbid (principal, action in Remit::Action::"export", resource)
when { context.arguments.rows + 1 > 2500 };
@id("one-person")
forbid (principal == Remit::User::"usr_1", action in Remit::Action::"server/tickets", resource);
@id("one-purpose")
forbid (principal, action == Remit::Action::"payments/get_order", resource)
when { context.token.purpose != "customer-care" || context.time.epoch > 1767700000 };
"""
OBJECTS = (
    '{"ticket":"CHG-1"}', '{"reason":"because","ticket":"CHG-1"}', '{"reason":"so","ticket":"INC-1"}',
    '{"reason":"so","ticket":"none"}', '{"other":"so"}', '{"ticket":"none"}',
)  # fmt: skip
FIELDS = """justifications:
  reason: {}
  ticket: { pattern: "[A-Z]{3}-[0-9]+" }
"""
DECLARED = """networks: { office: [10.0.0.0/8] }
history: { calls: { measure: count, window: 1h } }
"""
NESTED = """
  move:
    description: move
    operation: delete
    scopes: [crm:items.write]
    sensitivity: low
    arguments:
      organization_id: { type: string, required: true, audit: keep }
      to: { type: string, pointer: /target/account, required: true }
      amount: { type: money, pointer: /target/sum, currency_from: /target/currency }
      share: { type: decimal }
      sure: { type: boolean }
"""
ATOMS = (
    'principal.id == "usr_1"',
    'principal == Remit::User::"usr_2"',
    'principal in Remit::User::"usr_3"',
    "principal is Remit::Workload",
    'principal.tenant == "acme"',
    'principal.roles.contains("intern")',
    'principal.roles.containsAny(["finance", "support"])',
    'principal.roles.containsAll(["finance", "intern"])',
    "principal.roles.isEmpty()",
    'principal.hasTag("region")',
    'principal.hasTag("region") && principal.getTag("region") == "apac"',
    'principal.hasTag("region") && principal.getTag("region") like "e*"',
    'principal.hasTag("floor") && ["1", "2"].contains(principal.getTag("floor"))',
    'context.agent.id == "agent-1"',
    'context.agent.class == "workload"',
    'context.agent.owner like "it@*"',
    'context.token.scopes.contains("crm:items.write")',
    'context.token.client_id == "cli_agent-0"',
    'context.token has acr && context.token.acr == "mfa"',
    'context.token.amr.contains("otp")',
    'context.token.purpose == "curiosity"',
    "context.authentication has age_seconds && context.authentication.age_seconds < 600",
    "context.authentication has auth_time && context.authentication.auth_time > 1767625200",
    "context.time.hour < 8 || context.time.hour >= 18",
    "context.time.minute > 30",
    '["sat", "sun"].contains(context.time.weekday)',
    'context.time.zone == "Asia/Tokyo"',
    'context.time.date == "2026-01-06"',
    "context.time.epoch > 1767700000",
    'context has ip && context.ip.isInRange(ip("10.0.0.0/8"))',
    'context has ip && context.ip.isInRange(ip("2001:db8::/32"))',
    "context has ip && context.ip.isLoopback()",
    'context.networks.contains("office")',
    'context.environment == "prod"',
    "context has justification",
    'context has justification && context.justification == "because"',
    'context has justification && context.justification like "*\\"reason\\":\\"so*"',
    "context has told",
    "context has told.ticket",
    'context has told && context.told has ticket && context.told.ticket like "CHG-*"',
    'context has told && context.told has reason && context.told.reason == "because"',
    "resource.sensitivity_rank > 1",
)
OWN = "context.arguments.organization_id == principal.tenant"
OF_EVERY = (OWN, 'context.arguments.organization_id != "globex"')
OF_PAY = (
    *OF_EVERY,
    'context.arguments.amount.value.greaterThan(decimal("500.00"))',
    'context.arguments.amount.value.lessThanOrEqual(decimal("100.0001"))',
    'context.arguments.amount.currency == "EUR"',
)
OF_EXPORT = (
    *OF_EVERY,
    "context.arguments.rows > 2500",
    "context.arguments.rows * 2 == 4998",
    "[1, 2499].contains(context.arguments.rows)",
    "context.arguments has labels",
    'context.arguments has labels && context.arguments.labels.contains("secret")',
    'context.arguments has labels && context.arguments.labels.containsAny(["hr", "secret"])',
)
OF_MOVE = (
    *OF_EVERY,
    "context.arguments.to == principal.id",
    'context.arguments.to like "acc_*"',
    'context.arguments has amount && context.arguments.amount.value.greaterThan(decimal("5.00"))',
    'context.arguments has share && context.arguments.share.lessThan(decimal("0.5"))',
    "context.arguments has sure && context.arguments.sure",
)
PAST = ("context.history.calls > 3", "context.history.calls == 2 || context.history.calls < 1")
HEADS = (
    ("action", ()),
    ('action in Remit::Action::"call"', ()),
    ('action in Remit::Action::"server/crm"', PAST),
    ('action == Remit::Action::"crm/pay_order"', OF_PAY),
    ('action in [Remit::Action::"crm/export_file", Remit::Action::"hr/export_file"]', OF_EXPORT),
    ('action == Remit::Action::"crm/get_account"', OF_EVERY),
    ('action == Remit::Action::"crm/move"', OF_MOVE),
)
THINGS = ("get_account", "pay_order", "export_file", "move", "nothing")
TICKET = '@require_justification("ticket")'
PERMITS = ("", "", '@step_up("10m")', '@step_up("urn:remit:acr:mfa")', TICKET)
FORBIDS = (*PERMITS, '@mode("observe")')


@pytest.fixture(scope="module")
def repository(busy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("more")
    end = '@id("outside")'
    busy.candidate(
        folder,
        ("policies/all.cedar", end, MORE + end),
        (
            "remit.yaml",
            "environments: [prod]\n",
            f"environments: [prod]\n{DECLARED}",
        ),
        ("servers/crm.yaml", "tools:\n", f"tools:{NESTED}"),
    )
    (folder / "candidate" / "approvals.yaml").write_text(FIELDS)
    return load_repository(folder / "candidate")


class World:
    """A repository with the recorded calls, and what takes long to make of them."""

    def __init__(self, repository, busy) -> None:
        rebuilder = Rebuilder(RecordSeal(RECORD_KEY))
        self.repository = repository
        self.schema = schema_handle(repository.catalog)
        self.calls = [rebuilder.rebuild(entry) for entry in busy.decisions()]

    def drawn(self, chance):
        """The repository with policies drawn at random, of those that check."""
        found = ['@id("all") permit (principal, action, resource);\n']
        for number in range(chance.randint(3, 10)):
            head, own = chance.choice(HEADS)
            parts = [f"({chance.choice(ATOMS + own + own)})" for _ in range(chance.randint(1, 3))]
            condition = chance.choice([" && ", " || "]).join(parts)
            effect = chance.choice(["forbid", "forbid", "forbid", "permit"])
            clause = f"{chance.choice(['when', 'unless'])} {{ {condition} }}"
            asks = chance.choice(PERMITS if effect == "permit" else FORBIDS)
            if head == "action":  # Issuing tokens has no such obligations.
                asks = ""
            one = f'@id("p{number}") {asks}\n{effect} (principal, {head}, resource)\n{clause};\n'
            if not validate_policies(one, self.schema).errors:
                found.append(one)
        policies = PolicySource("".join(found), "policies/drawn.cedar")
        return replace(self.repository, policies=(policies,))


@pytest.fixture(scope="module")
def world(busy, repository):
    return World(repository, busy)


def another(chance, rebuilt):
    """A call like `rebuilt`, with some of what a record says said otherwise."""
    of, token = chance.choice, rebuilt.token
    name, given = rebuilt.name, dict(rebuilt.kept)
    values = dict(rebuilt.values)
    if chance.random() < 0.3:
        values, given = {}, {**given, **{key[1:]: value for key, value in values.items()}}
    if "/amount" in values:
        values["/amount"] = of([99.99, 100, 100.0001, 500, "500.0001", "much", True, None])
    if "rows" in given:
        values.pop("/rows", None)
        given["rows"] = of([2499, 2500, 2501, 0, "many", 2**63])
        given["labels"] = of([["secret"], [], ["hr", "secret"], ["hr"], "secret", ["tok1.text.x"]])
    if chance.random() < 0.2:
        name = "move"
        given["target"] = {
            "account": of(["acc_1", "usr_1", 5]),
            "sum": of([5, 6, None]),
            "currency": "EUR",
        }
        given |= of(
            [{}, {"sure": True}, {"sure": 1}, {"share": "0.5"}, {"share": 0.4}, {"+omitted": 1}]
        )
    given.update(of([{}, {}, {"Organization_ID": "acme"}, {"reason": "so"}, {"tok1.key.x": 1}]))
    given["organization_id"] = of([given.get("organization_id"), "acme", token.organization_id])
    return replace(
        rebuilt,
        name=name,
        kept=given,
        values=values,
        ip=of([rebuilt.ip, "10.1.1.1", "192.0.2.1", "::ffff:10.0.0.1", "127.0.0.1", "nowhere"]),
        justification=of([None, None, "because", "so", *OBJECTS]),
        now=rebuilt.now + of([0, 0, 1, 299, 300, 301, 3_600, 86_400, 2**33]),
        history=of([{}, {"calls": 1}, {"calls": 2}, {"calls": 4}]),
        unsaid=of([frozenset(), frozenset(), frozenset({"organization_id"})]),
        token=replace(
            token,
            sub=of([token.sub, token.sub, "usr_1", "usr_2", token.agent_id]),
            auth_time=of([token.auth_time, None, -1, rebuilt.now, rebuilt.now + 61]),
            roles=of(
                [token.roles, ("intern",), (), tuple(reversed(token.roles)), ("finance", "no")]
            ),
            scopes=of([token.scopes, token.scopes, token.scopes[:1]]),
            purpose=of([token.purpose, "curiosity"]),
            attributes=of(
                [token.attributes, {"region": "apac"}, {"floor": "2", "region": "eu"}, {}]
            ),
            acr=of([token.acr, "mfa", "urn:remit:acr:mfa", "urn:remit:acr:phr"]),
            amr=of([token.amr, ("otp", "pwd")]),
            agent_id=of([token.agent_id, token.agent_id, "agent-1", "nobody"]),
            actors=of([(), (), (Delegate("agent-2", "cli_2"),)]),
        ),
    )


def told(finding):
    decision = finding.decision
    return Ruling(
        outcome=finding.outcome,
        reason=finding.reason,
        missing=finding.missing,
        rules=() if decision is None else tuple(one.id for one in decision.rules),
        observed=() if decision is None else tuple(one.id for one in decision.observed),
        obligations=()
        if decision is None
        else tuple((one.kind.value, one.value, one.rule) for one in decision.obligations),
    )


class Alone:
    """Decides every call by itself, and remembers nothing."""

    def __init__(self, repository) -> None:
        engine = CedarEngine.load(repository.policies, repository.catalog)
        self.rehearing = Rehearing(repository.catalog, DecisionPoint(engine, FixedClock(0)))

    def hear(self, rebuilt, target):
        call, missing = completed(rebuilt, target)
        try:
            verdict = self.rehearing.decide(
                call, rebuilt.token, now=rebuilt.now, history=rebuilt.history
            )
        except UnrecordedPastError:
            return None, missing
        return told(finding_of(verdict)), missing


def hold(court, alone, questions):
    """Let both decide, and tell the reasons that there were."""
    reasons = set()
    for rebuilt in questions:
        found = court.hear(rebuilt)
        expected, missing = alone.hear(rebuilt, court.target(rebuilt))
        if isinstance(found, Unknown):
            # Only what the record does not hold may be unknown: whether it mattered is another test's.
            assert missing or expected is None
        else:
            assert found == expected
            reasons.add(found.reason)
    return reasons


def test_every_ruling_is_the_one_of_a_call_that_is_decided_by_itself(world):
    chance = random.Random(3)
    questions = []
    for rebuilt in chance.sample(world.calls, 200):
        questions += [rebuilt, another(chance, rebuilt), another(chance, rebuilt)]
    court, alone = Court(world.repository), Alone(world.repository)
    reasons = hold(court, alone, questions) | hold(court, alone, questions[:50])
    assert reasons >= {
        "permitted", "forbidden", "step_up_needed", "justification_needed", "invalid_arguments",
        "engine_error", "insufficient_scope", "not_found",
    }  # fmt: skip


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_under_any_policies_what_is_remembered_is_what_would_be_decided(world, seed):
    chance = random.Random(seed)
    one = world.drawn(chance)
    calls = [one for one in world.calls if one.server in {"crm", "hr"} and one.name in THINGS]
    questions = []
    for rebuilt in chance.sample(calls, 12):
        # Few differences at a time, so that many are of one name.
        first = another(chance, rebuilt)
        questions += [
            rebuilt,
            first,
            *(mixed(chance, first, another(chance, rebuilt)) for _ in range(5)),
        ]
    hold(Court(one), Alone(one), questions)


def under(world, policy):
    """The repository with that policy alone, and a call about which it is asked."""
    one = replace(world.repository, policies=(PolicySource(policy, "policies/one.cedar"),))
    every = replace(world.repository, policies=(PolicySource(ALL, "policies/one.cedar"),))
    court = Court(every)
    accounts = (call for call in world.calls if (call.server, call.name) == ("crm", "get_account"))
    return one, next(call for call in accounts if court.hear(call).reason == "permitted")


ALL = '@id("all") permit (principal, action, resource);\n'
READING = (
    ALL + '@id("x") forbid (principal, action in Remit::Action::"call", resource) when'
    ' { context has told && context.told has ticket && context.told.ticket like "CHG-*" };',
    ALL + '@id("x") forbid (principal, action in Remit::Action::"call", resource) unless'
    " { context has told.reason };",
    ALL + '@id("x") forbid (principal, action in Remit::Action::"call", resource) when'
    ' { context has justification && context.justification == "{\\"reason\\":\\"because\\"}" };',
    '@id("x") @require_justification("ticket") permit (principal, action in Remit::Action::"call", resource);',
)  # fmt: skip


@pytest.mark.parametrize("policy", READING, ids=["told", "asked-for", "as-text", "permit"])
def test_calls_that_tell_something_else_are_not_of_one_name(world, policy):
    one, call = under(world, policy)
    said = (None, "so", "because", "CHG-1", *OBJECTS)
    calls = [replace(call, justification=why, justification_known=True) for why in said]
    assert len(hold(Court(one), Alone(one), [*calls, *reversed(calls)])) == 2


@pytest.mark.parametrize("policy", READING[:2], ids=["told", "asked-for"])
def test_of_what_was_told_a_pseudonym_says_nothing(world, policy):
    one, call = under(world, policy)
    unread = replace(call, justification="tok1.text.x", justification_known=False)
    assert Court(one).hear(unread) == Unknown("`context.told` was not recorded")
    assert Court(under(world, ALL)[0]).hear(unread).reason == "permitted"


def mixed(chance, one, other):
    """`one`, with two things as `other` has them."""
    names = chance.sample(
        ["name", "ip", "justification", "now", "history", "token", "arguments"], 2
    )
    changes = {name: getattr(other, name) for name in names if name != "arguments"}
    if "arguments" in names or "name" in names:
        changes |= {"kept": other.kept, "values": other.values, "name": other.name}
    return replace(one, **changes)


def test_what_is_looked_by_and_was_forgotten_is_not_taken_for_another(repository):
    """Another object may have the number of one that is gone: that of a memory, which Python gives again."""
    circumstances = Circumstances(repository.catalog)
    call = SimpleNamespace(ip="10.1.2.3", justification=None)
    for width in [8, 16, 24] * 20:
        network = ip_network(
            f"10.1.2.0/{width}" if width == 24 else f"10.9.0.0/{width}", strict=False
        )
        looks = Looks(address=True, lines={("context", "ip"): Ranges((network,))})
        inside = ip_address(call.ip) in network
        assert circumstances.told(call, looks)[0] == (inside,)
        del looks
