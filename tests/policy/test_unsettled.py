"""What is told before the circumstances are known is what Cedar says whatever they turn out to be."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.policy import Money, Phase, PolicySource
from remit.policy.check import checked_policies
from remit.policy.decision import RuleEffect
from remit.policy.unsettled import ANY_CALL, LOG_IN, OpenPolicies

ALL = '@id("all") permit(principal, action, resource);\n'
LIMIT = (
    '@id("limit") forbid(principal, action == Remit::Action::"payments/refund", resource)\n'
    'when { context.arguments.amount.value.greaterThan(decimal("500.00")) };\n'
)
HOURS = (
    '@id("hours") forbid(principal, action, resource)\n'
    "unless { (context.time.hour >= 9 && context.time.hour < 17) ||\n"
    '(context has ip && context.ip.isInRange(ip("10.20.0.0/16"))) };\n'
)
STRONG = (
    '@id("strong") forbid(principal, action, resource)\n'
    'unless { context.token has acr && context.token.acr == "high" };\n'
)
OTHERS = (
    '@id("others") forbid(principal, action, resource) when { principal.tenant == "globex" };\n'
)


def policies_of(desk, text) -> OpenPolicies:
    checked, problems = checked_policies([PolicySource(text, "policies/a.cedar")], desk.catalog)
    assert not problems, problems
    return OpenPolicies(checked)


def settle(desk, text, evaluation, **how):
    how = {"open_to": ANY_CALL, **how}
    return policies_of(desk, text).settle(evaluation, **how)


def test_what_nothing_stands_in_the_way_of_is_always_allowed(desk):
    said = settle(desk, ALL + LIMIT + OTHERS, desk.ask(Phase.LIST))
    assert (said.permits, said.forbids, said.might) == (("all",), (), ())
    assert said.allowed
    assert not said.refused


def test_what_reads_an_argument_depends_on_it_and_says_which(desk):
    said = settle(desk, ALL + LIMIT, desk.refund(phase=Phase.LIST))
    (limit,) = said.might
    assert (limit.id, limit.effect) == ("limit", RuleEffect.FORBID)
    assert limit.reads == ("context.arguments.amount.value",)
    assert not said.allowed
    assert not said.refused
    assert said.in_the_way == (limit,)


@pytest.mark.parametrize(("amount", "refused"), [("500.00", False), ("500.01", True)])
def test_an_argument_that_is_known_decides(desk, amount, refused):
    known = {"amount": Money(Decimal(amount), "EUR")}
    said = settle(desk, ALL + LIMIT, desk.refund(phase=Phase.LIST), known=known)
    assert (said.refused, said.allowed) == (refused, not refused)


def test_an_argument_that_the_thing_has_not_is_never_there(desk):
    text = ALL + (
        '@id("own") forbid(principal, action in Remit::Action::"server/payments", resource)\n'
        "when { context.arguments has amount };\n"
    )
    asked = desk.refund(phase=Phase.LIST)
    assert settle(desk, text, asked, declared=["amount"]).might
    assert settle(desk, text, asked, declared=[]).allowed


def test_who_is_asked_about_is_known_and_refused_for_sure(desk):
    said = settle(desk, ALL + OTHERS, _of(desk, tenant="globex"))
    assert said.forbids == ("others",)
    assert said.refused


def test_time_and_place_are_open_and_named(desk):
    said = settle(desk, ALL + HOURS, desk.ask(Phase.LIST))
    (hours,) = said.might
    assert hours.reads == ("context.ip", "context.time.hour")
    noon = settle(desk, ALL + HOURS, desk.ask(Phase.LIST), open_to=ANY_CALL - {("time",)})
    assert noon.might == () or noon.might[0].reads == ("context.ip",)


def test_an_attribute_that_a_call_may_lack_is_tried_as_lacking(desk):
    text = ALL + '@id("somewhere") forbid(principal, action, resource) unless { context has ip };\n'
    (somewhere,) = settle(desk, text, desk.ask(Phase.LIST)).might
    assert somewhere.reads == ("context.ip",)


def test_what_is_told_is_open_and_may_be_lacking(desk):
    ticket = 'context has told && context.told has ticket && context.told.ticket like "CHG-*"'
    forbid = '@id("ticket") forbid(principal, action in Remit::Action::"call", resource)'
    for clause in ("when", "unless"):
        text = ALL + f"{forbid} {clause} {{ {ticket} }};\n"
        said = settle(desk, text, desk.ask(Phase.LIST))
        (found,) = said.might
        assert "context.told.ticket" in found.reads
        assert not said.refused
    said = settle(desk, ALL + f"{forbid} unless {{ context has told }};\n", desk.ask(Phase.LIST))
    assert [one.reads for one in said.might] == [("context.told",)]


def test_how_the_person_logs_in_is_open_while_the_rest_of_the_token_is_known(desk):
    text = (
        ALL
        + STRONG
        + (
            '@id("client") forbid(principal, action, resource)\n'
            'when { context.token.scopes.contains("nothing") };\n'
        )
    )
    said = settle(desk, text, desk.ask(Phase.LIST), open_to=LOG_IN)
    (strong,) = said.might
    assert (strong.id, strong.reads) == ("strong", ("context.token.acr",))


def test_without_a_permit_it_is_refused_and_a_permit_that_depends_is_in_the_way(desk):
    assert settle(desk, OTHERS, desk.ask(Phase.LIST)).refused
    text = '@id("early") permit(principal, action, resource) when { context.time.hour < 9 };\n'
    said = settle(desk, text, desk.ask(Phase.LIST))
    assert [one.id for one in said.in_the_way] == ["early"]
    assert not said.refused
    assert not said.allowed
    beside = settle(desk, ALL + text, desk.ask(Phase.LIST))
    assert beside.in_the_way == ()
    assert beside.allowed


def test_a_policy_that_fails_is_a_refusal(desk):
    text = ALL + (
        '@id("failing") forbid(principal, action, resource)\n'
        'when { principal.getTag("nothing") == "x" };\n'
    )
    checked, _ = checked_policies([PolicySource(text, "policies/a.cedar")], None)
    said = OpenPolicies(checked).settle(desk.ask(Phase.LIST), open_to=ANY_CALL)
    assert said.errors
    assert said.refused
    assert not said.allowed


def test_one_policy_can_be_asked_by_itself(desk):
    said = settle(desk, ALL + LIMIT + HOURS, desk.refund(phase=Phase.LIST), only="limit")
    assert [one.id for one in said.might] == ["limit"]
    assert said.permits == ()


def test_a_name_that_needs_escapes_is_no_other(desk):
    text = ALL + '@id("her") forbid(principal == Remit::User::"a\\"b", action, resource);\n'
    assert settle(desk, text, _of(desk, id='a"b')).forbids == ("her",)
    assert settle(desk, text, _of(desk, id="ab")).allowed


def _of(desk, **changes):
    asked = desk.ask(Phase.LIST)
    return replace(asked, subject=replace(asked.subject, **changes))


CONDITIONS = (
    "context.time.hour < 9",
    'context.time.weekday == "mon"',
    "context has ip",
    'context has ip && context.ip.isInRange(ip("10.0.0.0/8"))',
    'context.arguments.amount.value.lessThan(decimal("10.00"))',
    'context.arguments.amount.currency == "USD"',
    'context.token has acr && context.token.acr == "high"',
    'principal.roles.contains("support")',
    'principal.tenant == "acme"',
    'context.agent.class == "assistant"',
)
POLICY = st.tuples(
    st.sampled_from(["permit", "forbid"]),
    st.sampled_from(["when", "unless"]),
    st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=3),
    st.sampled_from([" && ", " || "]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    drawn=st.lists(POLICY, min_size=1, max_size=5),
    hour=st.integers(0, 23), day=st.integers(0, 6), amount=st.sampled_from(["1.00", "10.00", "99.00"]),
    currency=st.sampled_from(["USD", "EUR"]), ip=st.sampled_from([None, "10.1.1.1", "192.0.2.1"]),
    acr=st.sampled_from([None, "high", "low"]),
)  # fmt: skip
def test_what_is_sure_is_so_in_every_call(desk, drawn, hour, day, amount, currency, ip, acr):
    """Random policies: no call comes out otherwise than was said before anything of it was known."""
    text = "".join(
        f'@id("p{n}") {effect}(principal, action == Remit::Action::"payments/refund", resource)\n'
        f"{word} {{ {joint.join(f'({one})' for one in conditions)} }};\n"
        for n, (effect, word, conditions, joint) in enumerate(drawn)
    )
    asked = desk.refund(phase=Phase.LIST)
    asked = replace(asked, token=replace(asked.token, acr=acr))
    said = settle(desk, text, asked, declared=["amount"])
    now = 1_700_000_000 - 1_700_000_000 % 604_800 + day * 86_400 + hour * 3_600
    context = replace(
        asked.context, now=now, ip=ip, arguments={"amount": Money(Decimal(amount), currency)}
    )
    call = replace(asked, phase=Phase.CALL, context=context)
    decision = desk.decide(text, call)
    assert not decision.errors
    assert not (said.allowed and not decision.allowed)
    assert not (said.refused and decision.allowed)
    for rule in decision.rules:
        names = {*said.permits, *said.forbids, *(one.id for one in said.might)}
        assert rule.id in names
