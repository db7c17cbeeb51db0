from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.model import Argument, ArgumentType
from remit.policy import Money


def argument(kind, pointer="/a", **changes):
    return Argument(name="a", type=kind, pointer=pointer, **changes)


def typed(kind, value, **changes):
    return typed_arguments({"a": value}, [argument(kind, **changes)])["a"]


def refused(kind, value, **changes):
    with pytest.raises(InvalidArgumentError) as caught:
        typed(kind, value, **changes)
    assert "`a`" in caught.value.detail


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ArgumentType.STRING, "x"),
        (ArgumentType.STRING, ""),
        (ArgumentType.INTEGER, 0),
        (ArgumentType.INTEGER, 2**63 - 1),
        (ArgumentType.BOOLEAN, False),
    ],
)
def test_a_value_of_the_declared_type_comes_through_unchanged(kind, value):
    assert typed(kind, value) == value
    assert type(typed(kind, value)) is type(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ArgumentType.STRING, 5),
        (ArgumentType.STRING, ["x"]),
        (ArgumentType.STRING, True),
        (ArgumentType.INTEGER, True),
        (ArgumentType.INTEGER, "5"),
        (ArgumentType.INTEGER, 5.0),
        (ArgumentType.INTEGER, 2**63),
        (ArgumentType.BOOLEAN, 1),
        (ArgumentType.BOOLEAN, "true"),
        (ArgumentType.STRINGS, "x"),
        (ArgumentType.STRINGS, ["x", 1]),
        (ArgumentType.STRINGS, {"x": 1}),
        (ArgumentType.DECIMAL, True),
        (ArgumentType.DECIMAL, [1]),
        (ArgumentType.MONEY, False),
    ],
)
def test_a_value_of_another_type_is_refused(kind, value):
    refused(kind, value, currency="EUR")


def test_a_list_of_strings_becomes_a_tuple():
    assert typed(ArgumentType.STRINGS, ["x", "y"]) == ("x", "y")
    assert typed(ArgumentType.STRINGS, []) == ()


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (5, "5"),
        (0.1, "0.1"),
        ("10.50", "10.50"),
        (1234.5678, "1234.5678"),
        ("-0.0001", "-0.0001"),
        (922337203685477, "922337203685477"),
        ("922337203685477.5807", "922337203685477.5807"),
    ],
)
def test_a_decimal_is_taken_exactly(value, exact):
    assert typed(ArgumentType.DECIMAL, value) == Decimal(exact)


@pytest.mark.parametrize(
    "value",
    [
        "0.00001", 0.00001, "1.23456", 1e300, 1e-300, "1e3", "1_000", " 1", "1 ", "+1", ".5", "5.",
        "0x10", "NaN", "Infinity", "--1", "", "\u0661", "1\n", "922337203685477.5808", 10**15,
    ],
)  # fmt: skip
def test_a_number_that_is_not_exact_in_four_decimals_is_refused_and_never_rounded(value):
    refused(ArgumentType.DECIMAL, value)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_float_is_exactly_what_its_shortest_text_says_or_refused(value):
    try:
        exact = typed(ArgumentType.DECIMAL, value)
    except InvalidArgumentError:
        return
    assert float(exact) == value
    assert exact == Decimal(repr(value))
    assert exact.as_tuple().exponent >= -4


def test_money_has_a_fixed_currency_or_one_read_from_the_call():
    assert typed(ArgumentType.MONEY, "1.5", currency="EUR") == Money(Decimal("1.5"), "EUR")
    money = Argument(name="a", type=ArgumentType.MONEY, pointer="/v", currency_pointer="/c")
    assert typed_arguments({"v": 2, "c": "USD"}, [money])["a"] == Money(Decimal(2), "USD")


@pytest.mark.parametrize("currency", [None, "", "usd", "US", "USDT", 5, ["USD"], "US\n"])
def test_money_in_no_currency_is_refused(currency):
    money = Argument(name="a", type=ArgumentType.MONEY, pointer="/v", currency_pointer="/c")
    with pytest.raises(InvalidArgumentError, match="three capital letters"):
        typed_arguments({"v": 2, "c": currency}, [money])


@pytest.mark.parametrize("arguments", [None, {}, {"a": None}, [], "a"])
def test_a_missing_argument_is_refused_if_required_and_absent_if_not(arguments):
    assert typed_arguments(arguments, [argument(ArgumentType.STRING)]) == {}
    with pytest.raises(InvalidArgumentError, match="is missing"):
        typed_arguments(arguments, [argument(ArgumentType.STRING, required=True)])


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/x/y", "deep"),
        ("/list/1", "second"),
        ("/a~1b", "slash"),
        ("/m~0n", "tilde"),
        ("/", "empty key"),
        ("/e/ ", "blank"),
    ],
)
def test_a_pointer_follows_rfc_6901(pointer, found):
    document = {
        "x": {"y": "deep"},
        "list": ["first", "second"],
        "a/b": "slash",
        "m~n": "tilde",
        "": "empty key",
        "e": {" ": "blank"},
    }
    assert typed_arguments(document, [argument(ArgumentType.STRING, pointer)]) == {"a": found}


@pytest.mark.parametrize("pointer", ["/list/01", "/list/-", "/list/2", "/list/x", "/s/0", "/x/y/z"])
def test_a_pointer_to_nothing_finds_nothing(pointer):
    document = {"list": ["first", "second"], "s": "text", "x": {"y": "deep"}}
    assert typed_arguments(document, [argument(ArgumentType.STRING, pointer)]) == {}


def test_what_is_not_declared_is_not_seen():
    assert typed_arguments({"a": "x", "b": "y"}, [argument(ArgumentType.STRING)]) == {"a": "x"}


@pytest.mark.parametrize("other", ["User_ID", "u\u017fer_id", "user_id ", "user_id\0"])
@pytest.mark.parametrize("given_too", [{}, {"user_id": "me"}])
def test_a_name_that_is_almost_a_declared_one_is_refused(other, given_too):
    user = Argument(name="user", type=ArgumentType.STRING, pointer="/user_id")
    with pytest.raises(InvalidArgumentError, match="almost like `user_id`"):
        typed_arguments({**given_too, other: "root"}, [user])


@pytest.mark.parametrize(
    "arguments",
    [
        {"Order": {"amount": 5}},
        {"order": {"amount": 1, "AMOUNT": 5}},
        {"order": {"amount": 1, "currency": "EUR", "Currency": "USD"}},
        {"lines": [{"sum": 1, "Sum": 5}]},
        {"a/b": 1, "A/B": 5},
    ],
)
def test_names_along_a_pointer_have_no_look_alikes_either(arguments):
    declared = [
        Argument(
            name="amount",
            type=ArgumentType.MONEY,
            pointer="/order/amount",
            currency_pointer="/order/currency",
        ),
        Argument(name="sum", type=ArgumentType.INTEGER, pointer="/lines/0/sum"),
        Argument(name="slash", type=ArgumentType.INTEGER, pointer="/a~1b"),
    ]
    with pytest.raises(InvalidArgumentError, match="almost like"):
        typed_arguments(arguments, declared)


def test_names_away_from_every_pointer_are_free():
    declared = [argument(ArgumentType.STRING), argument(ArgumentType.STRING, "/A")]
    arguments = {"a": "x", "A": "y", "other": {"A": 1, "a ": 2}, "Other": 3}
    assert typed_arguments(arguments, declared) == {"a": "y"}


def test_no_detail_shows_a_value():
    with pytest.raises(InvalidArgumentError) as caught:
        typed(ArgumentType.INTEGER, "4111111111111111")
    assert "4111" not in caught.value.detail
