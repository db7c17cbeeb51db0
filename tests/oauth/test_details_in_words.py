"""Authorization details as a person reads them."""

from decimal import Decimal

import pytest

from remit.oauth.details_in_words import amount_in_words, details_in_words
from remit.testing.catalog import PAYMENTS, small_catalog
from remit.tokens.authorization_details import parse_details

SERVER = small_catalog().servers[PAYMENTS]


def words(**more):
    detail = {"type": "mcp_tool_call", "tools": ["refund"]} | more
    (one,) = details_in_words(parse_details([detail]), SERVER)
    return one


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1234.5", "USD", "$1,234.50"),
        ("1234.5678", "USD", "$1,234.5678"),
        ("-3", "EUR", "-€3.00"),
        ("1200", "JPY", "¥1,200"),
        ("12.5", "CHF", "CHF 12.50"),
    ],
)
def test_an_amount_is_said_with_its_currency_and_never_rounded(value, currency, text):
    assert amount_in_words(Decimal(value), currency) == text


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        ({"max": "500.00", "currency": "USD"}, ["total amount is at most $500.00"]),
        ({"min": 1, "max": 1000}, ["total amount is at least 1", "total amount is at most 1,000"]),
        ({"equals": "acc-1"}, ["total amount is “acc-1”"]),
        ({"equals": True}, ["total amount is yes"]),
        ({"one_of": ["a", 2000]}, ["total amount is one of “a”, 2,000"]),
        ({"one_of": ["5", "7"], "currency": "GBP"}, ["total amount is one of £5.00, £7.00"]),
        ({"pattern": "a*"}, ["total amount looks like “a*” (* stands for anything)"]),
    ],
    ids=str,
)
def test_every_constraint_is_said(constraint, said):
    assert list(words(constraints={"total_amount": constraint}).conditions) == said


def test_tools_reason_and_end_are_said():
    one = words(justification="Double charge", expires_at=1_795_000_000)
    assert one.tools[0].startswith("refund")
    assert one.conditions == ()
    assert one.justification == "Double charge"
    assert one.until == "18 November 2026, 11:06 UTC"
    assert words().until is None
    assert words(tools=["unknown"]).tools == ("unknown",)
