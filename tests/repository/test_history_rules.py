"""What a fact of history names has to be there, and such that it can be counted."""

import pytest

from .conftest import Repository
from .test_history_section import PAYMENTS, declared

__all__ = ["declared"]


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("{measure: count, servers: [paymints]}", "unknown server `paymints`; did you mean `payments`?"),
        ("{measure: count, things: [payments/refnd]}", "unknown thing `payments/refnd`"),
        ("{measure: ever, data_categories: [health]}", "unknown category of data `health`"),
        ("{measure: count, operations: [delete]}", "no call counts in this fact"),
        ("{measure: count, servers: [crm], data_categories: [money]}", "no call counts"),
        ("{measure: sum, argument: amount, currency: USD, servers: [crm]}", "no call counts"),
        (
            "{measure: sum, argument: total, currency: USD, things: [payments/refund]}",
            "`payments/refund` declares no argument `total`",
        ),
        ("{measure: sum, argument: amount}", "of `payments/refund` is money"),
        ("{measure: sum, argument: reason}", "cannot be summed"),
        ("{measure: sum, argument: fee, currency: USD}", "may be left out of a call"),
        ("{measure: sum, argument: hours, currency: USD}", "has no currency"),
        ("{measure: sum, argument: tip, currency: USD}", "is always in `EUR`"),
    ],
    ids=[
        "server", "thing", "category", "operation", "nothing", "no sum", "argument", "money",
        "text", "optional", "decimal", "currency",
    ],
)  # fmt: skip
def test_what_is_not_there_or_cannot_be_counted_is_refused(declared, fact, said) -> None:
    repository = declared(f"  fact: {fact}\n")
    repository.write(
        "servers/payments.yaml",
        PAYMENTS
        + "      reason: {type: string, required: true}\n"
        + "      fee: {type: money, currency: USD}\n"
        + "      hours: {type: decimal, required: true}\n"
        + "      tip: {type: money, currency: EUR, required: true}\n",
    )
    assert any(said in one for one in repository.said()), repository.said()


@pytest.mark.parametrize(
    "fact",
    [
        "{measure: sum, argument: amount, currency: USD}",
        "{measure: sum, argument: amount, currency: EUR, operations: [write]}",
        "{measure: tools}",
        "{measure: data_categories, servers: [payments]}",
        "{measure: count, things: [crm/get, payments/refund]}",
    ],
    ids=["every amount", "of writes", "all things", "of one server", "two things"],
)
def test_what_can_be_counted_passes(declared, fact) -> None:
    assert declared(f"  fact: {fact}\n").problems() == []


def test_while_a_server_cannot_be_read_nothing_is_said_of_what_it_may_have(declared) -> None:
    repository: Repository = declared("  fact: {measure: count, things: [payments/refund]}\n")
    repository.write("servers/payments.yaml", "tools: [")
    assert not any("thing" in one or "no call" in one for one in repository.said())
