"""Calls within, and beyond, the authorization details of their token."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.guard import Deny, Permit, RefusalReason
from remit.guard.details import is_named_in_details, what_exceeds_details
from remit.guard.target import Target, find_target
from remit.policy import Money, ResourceKind
from remit.testing.catalog import CRM, PAYMENTS, small_catalog
from remit.tokens import audience_of
from remit.tokens.authorization_details import is_within, parse_details

URL = "https://remit.example"


def detail(server=PAYMENTS, tools=("refund",), **more):
    return {
        "type": "mcp_tool_call",
        "locations": [audience_of(URL, server)],
        "tools": list(tools),
    } | more


def bounded(**constraints):
    return {"authorization_details": (detail(constraints=constraints),)}


UP_TO_50 = bounded(amount={"max": "50.00", "currency": "EUR"})


async def outcome_of(world, call):
    return await world.guard.decide(call)


async def test_a_call_within_a_detail_goes_ahead(world):
    assert isinstance(await outcome_of(world, world.refund("50.00", token=UP_TO_50)), Permit)


@pytest.mark.parametrize(("amount", "currency"), [("50.01", "EUR"), ("10.00", "USD"), (51, "EUR")])
async def test_an_argument_beyond_its_constraint_is_refused_and_named(world, amount, currency):
    outcome = await outcome_of(world, world.refund(amount, currency, token=UP_TO_50))
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.OUTSIDE_DETAILS
    assert "`amount`" in outcome.detail
    assert str(amount) not in outcome.detail
    assert world.recorded.reason == "outside_authorization_details"


async def test_a_tool_that_no_detail_names_is_refused_whatever_the_scopes(world):
    token = {"authorization_details": (detail(CRM, ["update_account"]),)}
    outcome = await outcome_of(world, world.call("get_account", token=token))
    assert outcome.reason is RefusalReason.OUTSIDE_DETAILS


async def test_a_detail_for_another_server_allows_nothing_here(world):
    token = {"authorization_details": (detail(CRM, ["refund"]),)}
    outcome = await outcome_of(world, world.refund("1.00", token=token))
    assert outcome.reason is RefusalReason.OUTSIDE_DETAILS


async def test_details_do_not_stand_in_for_scopes_or_for_policy(world):
    token = {"authorization_details": (detail(),), "scopes": ()}
    outcome = await outcome_of(world, world.refund("1.00", token=token))
    assert outcome.reason is RefusalReason.INSUFFICIENT_SCOPE
    outcome = await outcome_of(
        world, world.refund("600.00", token={"authorization_details": (detail(),)})
    )
    assert outcome.reason is RefusalReason.FORBIDDEN


async def test_one_detail_that_allows_the_call_is_enough_and_two_halves_are_not(world):
    small = detail(constraints={"amount": {"max": 5, "currency": "EUR"}})
    exact = detail(constraints={"amount": {"equals": "70.00", "currency": "EUR"}})
    token = {"authorization_details": (small, exact)}
    assert isinstance(await outcome_of(world, world.refund("70", token=token)), Permit)
    assert isinstance(await outcome_of(world, world.refund("4.99", token=token)), Permit)
    outcome = await outcome_of(world, world.refund("6.00", token=token))
    assert outcome.reason is RefusalReason.OUTSIDE_DETAILS


async def test_a_detail_ends_at_its_instant(world):
    ends = world.clock.now() + 60
    token = {"authorization_details": (detail(expires_at=ends),)}
    raw = world.raw(PAYMENTS, **token)
    world.clock.advance(59)
    world.stand()
    assert isinstance(await outcome_of(world, world.refund("1.00", raw=raw)), Permit)
    world.clock.advance(1)
    world.stand()
    outcome = await outcome_of(world, world.refund("1.00", raw=raw))
    assert outcome.reason is RefusalReason.OUTSIDE_DETAILS


async def test_lists_hold_what_the_details_name_and_nothing_else(world):
    token = {"authorization_details": (detail(CRM, ["get_account"]),)}
    visible = await world.guard.visible(world.list(token=token))
    assert visible.names == {ResourceKind.TOOL: {"get_account"}}
    for kind in (ResourceKind.RESOURCE, ResourceKind.PROMPT):
        assert (await world.guard.visible(world.list(kind, token=token))).names == {}
        assert (await world.guard.visible(world.list(kind))).names != {}


async def test_details_that_cannot_be_read_allow_nothing(world):
    token = {"authorization_details": ({"type": "payment_initiation"},)}
    outcome = await outcome_of(world, world.refund("1.00", token=token))
    assert outcome.reason is RefusalReason.OUTSIDE_DETAILS


@pytest.fixture
def refund() -> Target:
    server = small_catalog().servers[PAYMENTS]
    return find_target(server, ResourceKind.TOOL, "refund")


MANY = ("a", "b")


@pytest.mark.parametrize(
    ("constraint", "value", "met"),
    [
        ({"equals": "acc_1"}, "acc_1", True),
        ({"equals": "acc_1"}, "acc_10", False),
        ({"equals": "5"}, 5, True),
        ({"equals": 5}, "5", False),
        ({"equals": True}, True, True),
        ({"equals": 1}, True, False),
        ({"equals": True}, 1, False),
        ({"one_of": ["a", "b"]}, "b", True),
        ({"one_of": ["a", "b"]}, MANY, True),
        ({"one_of": ["a"]}, MANY, False),
        ({"one_of": ["a"]}, (), False),
        ({"one_of": [1, "2.50"]}, Decimal("2.5"), True),
        ({"pattern": "acc_*"}, "acc_1", True),
        ({"pattern": "acc_*"}, "xacc_1", False),
        ({"pattern": "*"}, 5, False),
        ({"min": 2, "max": 4}, 2, True),
        ({"min": 2, "max": 4}, 5, False),
        ({"min": 2, "max": 4}, Decimal("1.99"), False),
        ({"max": 4}, "3", False),
        ({"max": 4}, True, False),
        ({"max": 4, "currency": "EUR"}, 3, False),
        ({"max": 4}, Money(Decimal(3), "EUR"), False),
        ({"max": 4, "currency": "EUR"}, Money(Decimal(4), "EUR"), True),
        ({"equals": "x", "currency": "EUR"}, "x", False),
        ({"equals": "x"}, None, False),
    ],
    ids=str,
)
def test_a_constraint_is_met_by_its_own_kind_of_argument(world, refund, constraint, value, met):
    token = world.token(PAYMENTS, **bounded(thing=constraint))
    arguments = {} if value is None else {"thing": value}
    why = what_exceeds_details(token, refund, arguments, now=world.clock.now())
    assert (why is None) is met


def test_without_details_only_scopes_bound_a_token(world, refund):
    token = world.token(PAYMENTS)
    assert what_exceeds_details(token, refund, {}, now=world.clock.now()) is None
    assert is_named_in_details(token, refund, world.clock.now())


_VALUES = st.one_of(
    st.integers(-3, 8), st.booleans(), st.sampled_from(["a", "ab", "b", "2", "2.50", "aab"])
)
_CONSTRAINTS = st.fixed_dictionaries(
    {},
    optional={
        "one_of": st.lists(_VALUES, min_size=1, max_size=3),
        "max": st.integers(-2, 7),
        "min": st.integers(-2, 7),
        "pattern": st.text(alphabet="ab*", min_size=1, max_size=4),
    },
).filter(bool)


@given(
    narrow=_CONSTRAINTS,
    wide=_CONSTRAINTS,
    value=st.one_of(_VALUES, st.decimals(-3, 8, places=2), st.just(("a", "ab"))),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
def test_whatever_meets_a_narrower_detail_meets_the_wider_one(world, refund, narrow, wide, value):
    """INVARIANT: narrowing is sound, or a token could grow on its way."""
    asked, granted = (bounded(x=one)["authorization_details"] for one in (narrow, wide))
    if not is_within(parse_details(list(asked)), parse_details(list(granted))):
        return

    def allowed(details):
        token = world.token(PAYMENTS, authorization_details=details)
        return what_exceeds_details(token, refund, {"x": value}, now=world.clock.now()) is None

    assert allowed(granted) or not allowed(asked)
