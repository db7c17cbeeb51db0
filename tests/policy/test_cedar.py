"""The Cedar engine: what permits, what forbids, and that no error ever permits."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.model import Operation, Sensitivity
from remit.policy import (
    CedarEngine,
    DecisionPoint,
    DecisionReason,
    Money,
    Phase,
    PolicyInvalidError,
    PolicySource,
    ResourceKind,
    SubjectKind,
)
from remit.testing.catalog import small_catalog, with_server

PERMIT_ALL = '@id("all") permit(principal, action, resource);\n'
LARGE = (
    '@id("large") @refusal("too much") '
    'forbid(principal, action == Remit::Action::"payments/refund", resource)\n'
    '  when { context.arguments.amount.value.greaterThan(decimal("500.0")) };\n'
)


def rules(decision):
    return [rule.id for rule in decision.rules]


def test_nothing_is_permitted_without_a_policy(desk):
    decision = desk.decide("", desk.ask())
    assert decision.reason is DecisionReason.NO_PERMIT
    assert decision.rules == ()


def test_a_permit_permits_and_is_named(desk):
    decision = desk.decide(PERMIT_ALL, desk.ask())
    assert decision.allowed
    assert rules(decision) == ["all"]
    assert decision.engine == "cedar"


def test_a_forbid_wins_and_brings_its_words(desk):
    decision = desk.decide(PERMIT_ALL + LARGE, desk.refund("500.01"))
    assert decision.reason is DecisionReason.FORBIDDEN
    assert [(rule.id, rule.message) for rule in decision.rules] == [("large", "too much")]
    assert desk.decide(PERMIT_ALL + LARGE, desk.refund("500")).allowed


TICKETED = (
    '@id("all") permit(principal, action in Remit::Action::"call", resource)\n'
    'when { context has told && context.told has ticket && context.told.ticket like "CHG-*" };\n'
)


@pytest.mark.parametrize(
    ("told", "allowed"),
    [
        (None, False),
        ({"reason": "CHG-1"}, False),
        ({"ticket": "INC-1"}, False),
        ({"ticket": "CHG-1"}, True),
        ({"reason": "x", "ticket": "CHG-1"}, True),
    ],
)
def test_what_a_call_tells_by_its_name_is_read_by_its_name(desk, told, allowed):
    assert desk.decide(TICKETED, desk.ask(told=told)).allowed is allowed
    # Until it comes nobody knows what it tells, and a token is not issued for telling anything.
    assert desk.decide(TICKETED, desk.ask(Phase.LIST, told=told)).allowed


@pytest.mark.parametrize(
    "condition",
    [
        "context has told && context.told has tikcet",
        'context has told && context.told has ticket && context.told.tikcet == "x"',
        "context.told has ticket",
        'context has told && context.told.ticket == "x"',
        "context has told && context.told has ticket && context.told.ticket > 3",
    ],
    ids=["misspelt", "misspelt-later", "without-asking", "field-without-asking", "no-number"],
)
def test_what_nobody_declared_and_what_may_be_absent_does_not_check(desk, condition):
    head = '@id("x") permit(principal, action in Remit::Action::"call", resource)'
    assert desk.check(f"{head} when {{ {condition} }};")


ISSUED_TO_SUPPORT = (
    '@id("issue") permit(principal is Remit::User, action == Remit::Action::"issue", resource)\n'
    '  when { principal.roles.contains("support") && context.time.epoch < 2000000000\n'
    '    && context has ip && context.ip.isInRange(ip("192.0.2.0/24"))\n'
    '    && principal.hasTag("department") && principal.getTag("department") == "sales" };\n'
)


@pytest.mark.parametrize(
    "change",
    [
        {"roles": ()},
        {"ip": "198.51.100.1"},
        {"ip": None},
        {"attributes": {"department": "legal"}},
        {"now": 2_000_000_000},
    ],
)
def test_what_was_decided_of_an_issuance_holds_for_the_very_same_facts_alone(desk, change):
    engine = desk.engine(ISSUED_TO_SUPPORT)
    server = {"kind": ResourceKind.SERVER, "name": "crm"}
    same = desk.ask(Phase.ISSUE, **server)
    other = desk.ask(Phase.ISSUE, **server, **change)
    answers = [engine.evaluate(one).allowed for one in (same, other, same, other, same)]
    assert answers == [True, False, True, False, True]


OVERFLOW = (
    '@id("overflow") forbid(principal, action == Remit::Action::"crm/update_account", resource)\n'
    "  when { context.arguments has score && context.arguments.score + 1 > 10 };\n"
)


def update(desk, phase=Phase.CALL, **arguments):
    return desk.ask(
        phase,
        name="update_account",
        operation=Operation.WRITE,
        sensitivity=Sensitivity.MEDIUM,
        arguments={"account": "a", **arguments} if phase is Phase.CALL else None,
    )


def test_a_forbid_that_fails_while_it_is_evaluated_does_not_vanish(desk):
    """Cedar leaves an erring policy out and would answer Allow (ADR 0006)."""
    assert desk.decide(PERMIT_ALL + OVERFLOW, update(desk, score=5)).allowed
    decision = desk.decide(PERMIT_ALL + OVERFLOW, update(desk, score=2**63 - 1))
    assert decision.reason is DecisionReason.ENGINE_ERROR
    assert "`overflow`" in decision.errors[0]
    assert str(2**63 - 1) not in decision.errors[0]


def test_a_permit_that_fails_refuses_even_when_another_permits(desk):
    failing = OVERFLOW.replace("forbid", "permit")
    decision = desk.decide(PERMIT_ALL + failing, update(desk, score=2**63 - 1))
    assert decision.reason is DecisionReason.ENGINE_ERROR


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "no_such_tool"},
        {"name": "get_account", "operation": Operation.WRITE},
        {"arguments": {}},
        {"arguments": {"account": 5}},
        {"arguments": {"account": "a", "more": "b"}},
        {"ip": "not an address"},
        {"time_zone": "Nowhere/Land"},
        {"kind": ResourceKind.PROMPT},
    ],
    ids=str,
)
def test_a_question_outside_the_schema_is_a_refusal(desk, changes):
    assert desk.decide(PERMIT_ALL, desk.ask(**changes)).reason is DecisionReason.ENGINE_ERROR


def test_an_amount_with_five_decimals_is_never_rounded(desk):
    decision = desk.decide(PERMIT_ALL, desk.refund("1.00001"))
    assert decision.reason is DecisionReason.ENGINE_ERROR


@pytest.mark.parametrize(
    ("head", "matches"),
    [
        ("principal, action, resource", True),
        ('principal, action in Remit::Action::"call", resource', True),
        ('principal, action in Remit::Action::"read", resource', True),
        ('principal, action in Remit::Action::"write", resource', False),
        ('principal, action in Remit::Action::"server/crm", resource', True),
        ('principal, action in Remit::Action::"server/payments", resource', False),
        ('principal, action == Remit::Action::"crm/get_account", resource', True),
        ('principal, action == Remit::Action::"crm/update_account", resource', False),
        (
            'principal, action in [Remit::Action::"write", Remit::Action::"crm/get_account"], resource',
            True,
        ),
        ('principal, action == Remit::Action::"issue", resource', False),
        ("principal is Remit::User, action, resource", True),
        ("principal is Remit::Workload, action, resource", False),
        ('principal == Remit::User::"usr_1", action, resource', True),
        ("principal, action, resource is Remit::Tool", True),
        ("principal, action, resource is Remit::Prompt", False),
        ('principal, action, resource in Remit::Server::"crm"', True),
        ('principal, action, resource in Remit::Server::"payments"', False),
        ('principal, action, resource == Remit::Tool::"crm/get_account"', True),
    ],
)
def test_the_head_of_a_policy_says_what_it_is_about(desk, head, matches):
    decision = desk.decide(f'@id("one") permit({head});', desk.ask())
    assert decision.allowed is matches


def test_issuance_is_an_action_of_its_own_on_the_server(desk):
    issue = '@id("issue") permit(principal, action == Remit::Action::"issue", resource == Remit::Server::"crm");'
    question = desk.ask(Phase.ISSUE, kind=ResourceKind.SERVER, name="crm")
    assert desk.decide(issue, question).allowed
    assert not desk.decide(issue, desk.ask()).allowed
    call = '@id("call") permit(principal, action in Remit::Action::"call", resource);'
    assert not desk.decide(call, question).allowed


def test_a_workload_is_another_principal(desk):
    only = '@id("w") permit(principal == Remit::Workload::"usr_1", action, resource);'
    assert desk.decide(only, desk.ask(kind=ResourceKind.TOOL)).allowed is False
    workload = desk.ask()
    subject = type(workload.subject)(kind=SubjectKind.WORKLOAD, id="usr_1", tenant="acme")
    assert desk.decide(
        only,
        type(workload)(
            phase=workload.phase,
            subject=subject,
            agent=workload.agent,
            token=workload.token,
            resource=workload.resource,
            context=workload.context,
        ),
    ).allowed


def test_policies_that_do_not_check_are_not_loaded(desk):
    with pytest.raises(PolicyInvalidError) as caught:
        desk.engine("permit(principal, action, resource);")
    assert caught.value.problems[0].line == 1


def test_the_version_follows_text_and_name_and_not_the_order_of_files(desk):
    one, two = PolicySource(PERMIT_ALL, "a.cedar"), PolicySource(LARGE, "b.cedar")
    version = CedarEngine.load([one, two], desk.catalog).version
    assert CedarEngine.load([two, one], desk.catalog).version == version
    assert CedarEngine.load([one], desk.catalog).version != version
    assert len(version) == 64


# -- before the arguments are known --------------------------------------------


def listed(desk, text, question=None):
    return desk.decide(text, question or desk.refund(phase=Phase.LIST))


def test_a_forbid_that_depends_on_arguments_does_not_hide(desk):
    assert listed(desk, PERMIT_ALL + LARGE).allowed


def test_a_permit_that_depends_on_arguments_shows(desk):
    small = LARGE.replace("forbid", "permit").replace('@refusal("too much") ', "")
    decision = listed(desk, small)
    assert decision.allowed
    assert rules(decision) == ["large"]


def test_a_permit_that_cannot_match_whatever_the_arguments_does_not_show(desk):
    text = (
        '@id("one") permit(principal, action == Remit::Action::"payments/refund", resource)\n'
        '  when { principal.roles.contains("nobody") && context.arguments.urgent };'
    ).replace("context.arguments.urgent", "context.arguments has urgent")
    assert listed(desk, text).reason is DecisionReason.NO_PERMIT


@pytest.mark.parametrize(
    "condition",
    [
        'principal.roles.contains("support")',
        'context has ip && context.ip.isInRange(ip("192.0.2.0/24"))',
        "context.time.hour < 20",
        'context.agent.class == "assistant"',
        'context.token.scopes.contains("crm:accounts.read")',
    ],
)
def test_a_forbid_that_looks_at_anything_known_hides(desk, condition):
    hiding = f'@id("hide") forbid(principal, action, resource) when {{ {condition} }};'
    decision = listed(desk, PERMIT_ALL + LARGE + hiding)
    assert decision.reason is DecisionReason.FORBIDDEN
    assert rules(decision) == ["hide"]


def test_without_a_permit_nothing_is_shown(desk):
    assert listed(desk, LARGE).reason is DecisionReason.NO_PERMIT


def test_an_error_that_does_not_come_from_the_arguments_hides(desk):
    failing = (
        '@id("overflow") forbid(principal, action == Remit::Action::"payments/refund", resource)\n'
        "  when { context.time.epoch + 9223372036854775807 > 0 };"
    )
    assert listed(desk, PERMIT_ALL + LARGE + failing).reason is DecisionReason.ENGINE_ERROR


CONDITIONS = [
    'context.arguments.account == "a"',
    "context.arguments has score",
    "context.arguments has score && context.arguments.score > 3",
    'context.arguments has tags && context.arguments.tags.contains("x")',
    'principal.roles.contains("support")',
    'principal.roles.contains("nobody")',
    "context.time.hour > 12",
    'context has ip && context.ip.isInRange(ip("10.0.0.0/8"))',
    'context.arguments.account == "b" || principal.roles.contains("support")',
    'if context.arguments has score then principal.roles.contains("nobody") else true',
    "resource.sensitivity_rank > 0",
    'principal.hasTag("department") && principal.getTag("department") == context.arguments.account',
]


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    policies=st.lists(
        st.tuples(
            st.sampled_from(["permit", "forbid"]),
            st.sampled_from(["when", "unless"]),
            st.sampled_from(CONDITIONS),
        ),
        min_size=1,
        max_size=5,
    ),
    arguments=st.fixed_dictionaries(
        {"account": st.sampled_from(["a", "b", "sales"])},
        optional={"score": st.integers(-5, 5), "tags": st.just(("x",))},
    ),
)
def test_whatever_may_be_called_is_listed(desk, policies, arguments):
    """Listing asks less than calling: it may show too much, and never hides what would be allowed."""
    text = "\n".join(
        f'@id("p{n}") {effect}(principal, action == Remit::Action::"crm/update_account", resource)'
        f" {clause} {{ {condition} }};"
        for n, (effect, clause, condition) in enumerate(policies)
    )
    point = DecisionPoint(desk.engine(text), desk.clock)
    call = point.decide(update(desk, **arguments))
    assert not call.errors
    if call.allowed:
        assert point.decide(update(desk, Phase.LIST)).allowed


def test_what_reads_no_arguments_is_listed_exactly_when_it_may_be_called(desk):
    for role in ("support", "nobody"):
        text = f'@id("one") permit(principal, action, resource) when {{ principal.roles.contains("{role}") }};'
        assert (
            desk.decide(text, desk.ask(Phase.LIST)).allowed is desk.decide(text, desk.ask()).allowed
        )


def test_money_keeps_its_currency(desk):
    text = (
        '@id("eur") permit(principal, action == Remit::Action::"payments/refund", resource)\n'
        '  when { context.arguments.amount.currency == "EUR" };'
    )
    assert desk.decide(text, desk.refund("1")).allowed
    assert not desk.decide(text, desk.refund("1", currency="USD")).allowed
    assert Money(Decimal(1), "EUR") != Money(Decimal(1), "USD")


def test_the_small_catalog_checks():
    assert CedarEngine.load([], small_catalog()).rules == ()


@pytest.mark.parametrize(
    "name",
    [
        "é",
        "日本",
        'a"b',
        "a\\b",
        "a b",
        "it's",
        "a\nb",
        "a\u00a0b",
        "a\u200bb",
        "{x}",
        "e\u0301",
        "\u202e",
    ],
)
def test_a_thing_is_listed_and_called_whatever_its_name(desk, name):
    tool = replace(desk.catalog.servers["crm"].tools["get_account"], name=name)
    crm = replace(desk.catalog.servers["crm"], tools={name: tool})
    desk.catalog = with_server(desk.catalog, crm)
    text = PERMIT_ALL + (
        '@id("z") forbid(principal, action in Remit::Action::"call", resource is Remit::Tool)\n'
        '  when { context.arguments has account && context.arguments.account == "z" };'
    )
    assert desk.decide(text, desk.ask(Phase.LIST, name=name)).allowed
    assert desk.decide(text, desk.ask(name=name)).allowed
    assert not desk.decide(text, desk.ask(name=name, arguments={"account": "z"})).allowed
