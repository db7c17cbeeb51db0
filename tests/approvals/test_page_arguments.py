"""The arguments of a call on a page: all of them, and what matters first."""

import json

import pytest

from remit.approvals.page_arguments import shown_arguments
from remit.model import Argument, ArgumentType

AMOUNT = Argument(name="amount", type=ArgumentType.MONEY, pointer="/amount", currency="USD")


def text_of(pieces) -> str:
    return "".join(one.text for one in pieces)


def lines(arguments) -> dict[str, tuple[str, str]]:
    shown = shown_arguments(arguments, ())
    return {text_of(one.name): (text_of(one.value), one.kind) for one in shown.lines}


@pytest.mark.parametrize(
    ("value", "currency", "words"),
    [
        (1234.56, "USD", "$1,234.56"),
        ("1234.56", "USD", "$1,234.56"),
        (1234, "USD", "$1,234.00"),
        ("0.0001", "USD", "$0.0001"),
        (-5, "EUR", "-€5.00"),
        (1200, "JPY", "¥1,200"),
        ("12.5", "CHF", "CHF 12.50"),
        ("1.250", "KWD", "KWD 1.250"),
    ],
)
def test_money_is_written_as_money_of_its_currency(value, currency, words):
    argument = Argument(
        name="amount", type=ArgumentType.MONEY, pointer="/amount", currency=currency
    )
    (amount,) = shown_arguments({"amount": value}, [argument]).amounts
    assert amount.text == words


def test_the_currency_of_the_call_counts_where_the_catalog_says_so():
    argument = Argument(
        name="sum", type=ArgumentType.MONEY, pointer="/sum/value", currency_pointer="/sum/currency"
    )
    (amount,) = shown_arguments({"sum": {"value": "10", "currency": "GBP"}}, [argument]).amounts
    assert (amount.text, amount.currency) == ("£10.00", "GBP")


@pytest.mark.parametrize(
    "value", ["ten", True, [], {"value": 1}, "1.00001", "1e9", "NaN"], ids=repr
)
def test_what_is_no_amount_is_not_written_as_one_and_named(value):
    shown = shown_arguments({"amount": value}, [AMOUNT])
    assert shown.amounts == ()
    assert shown.unreadable == ("amount",)
    assert len(shown.lines) == 1 or value == []


def test_an_amount_that_is_not_given_is_not_missed():
    assert shown_arguments({}, [AMOUNT]).unreadable == ()


def test_every_value_stands_by_itself_under_the_way_to_it():
    found = lines({"b": {"y": [1, "two"], "x": False}, "a": None})
    assert found == {
        "a": ("", "nothing (null)"),
        "b / x": ("false", ""),
        "b / y 1": ("1", ""),
        "b / y 2": ("two", ""),
    }


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("600.00", "text"),
        ("true", "text"),
        ("null", "text"),
        ("", "empty text"),
        (600, ""),
        (True, ""),
        ("six", ""),
        ([], "empty list"),
        ({}, "no fields"),
    ],
    ids=repr,
)
def test_a_value_that_could_be_taken_for_another_says_what_it_is(value, kind):
    assert lines({"a": value})["a"][1] == kind


def test_nothing_is_cut_off_however_long():
    long = "x" * 50_000 + "\u202eend"
    shown = shown_arguments({"body": long}, ())
    assert shown.lines[0].is_long
    assert text_of(shown.lines[0].value) == "x" * 50_000 + "U+202Eend"
    assert json.loads(shown.text) == {"body": long}


def test_the_whole_is_plain_ascii_and_says_just_what_is_sent():
    arguments = {"to": "Zoë \u202e", "n": 1.50, "deep": [{"a": None}]}
    shown = shown_arguments(arguments, ())
    assert shown.text.isascii()
    assert json.loads(shown.text) == arguments


@pytest.mark.parametrize(
    "name",
    ["to", "recipient", "customerId", "customer-id", "beneficiary_iban", "E-Mail", "invoice_id"],
)
def test_where_it_goes_is_named_first(name):
    (line,) = shown_arguments({name: "somebody", "note": "x"}, ()).recipients
    assert text_of(line.value) == "somebody"


@pytest.mark.parametrize("name", ["note", "reason", "tomorrow", "photo", "x" * 500])
def test_what_is_no_recipient_by_its_name_is_not(name):
    assert shown_arguments({name: "somebody"}, ()).recipients == ()


def test_only_few_and_short_recipients_are_named_first():
    many = {f"{n}_id" if n == "customer" else f"a{n}_to": "x" for n in range(9)}
    assert len(shown_arguments(many, ()).recipients) == 4
    assert shown_arguments({"to": "x" * 500}, ()).recipients == ()
