"""`history` of remit.yaml: what each fact may say of itself."""

import pytest

from remit.model import HistoryFact, HistoryMeasure, HistoryOf, Operation

from .conftest import Repository

PAYMENTS = """\
title: Payments
owner: finance@acme.example
shared: true
environment: prod
upstream: {http: {url: 'https://payments.example/mcp'}}
tools:
  refund:
    operation: write
    scopes: [crm:accounts.write]
    sensitivity: high
    data_categories: [money]
    arguments:
      amount: {type: money, required: true, currency_from: /currency}
"""


@pytest.fixture
def declared(repository: Repository):
    repository.write("servers/payments.yaml", PAYMENTS)

    def declare(facts: str) -> Repository:
        return repository.append("remit.yaml", f"history:\n{facts}")

    return declare


def test_facts_are_read_as_they_are_written(declared) -> None:
    repository = declared(
        "  refunded: {measure: sum, argument: amount, currency: USD, window: 1d, things: [payments/refund]}\n"
        "  seen: {measure: ever, data_categories: [money], of: subject}\n"
        "  reads: {measure: count, operations: [read], servers: [crm], window: 1h}\n"
    )
    assert repository.catalog().history == {
        "refunded": HistoryFact(
            name="refunded",
            measure=HistoryMeasure.SUM,
            window=86_400,
            things=("payments/refund",),
            argument="amount",
            currency="USD",
        ),
        "seen": HistoryFact(
            name="seen",
            measure=HistoryMeasure.EVER,
            of=HistoryOf.SUBJECT,
            data_categories=("money",),
        ),
        "reads": HistoryFact(
            name="reads",
            measure=HistoryMeasure.COUNT,
            window=3_600,
            operations=(Operation.READ,),
            servers=("crm",),
        ),
    }


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("  Refunds: {measure: count}\n", "is no name of a fact"),
        ("  a-b: {measure: count}\n", "is no name of a fact"),
        ("  calls: {measure: average}\n", "average"),
        ("  calls: {measure: count, window: 30s}\n", "out of bounds"),
        ("  calls: {measure: count, window: 401d}\n", "out of bounds"),
        ("  calls: {measure: count, window: 10}\n", "not a length of time"),
        ("  calls: {measure: count, of: everybody}\n", "everybody"),
        ("  calls: {measure: sum}\n", "a sum that does not say of what"),
        ("  calls: {measure: count, argument: amount}\n", "only a sum has an argument"),
        ("  calls: {measure: ever, currency: USD}\n", "only a sum has an argument"),
        (
            "  calls: {measure: sum, argument: amount, currency: dollars}\n",
            "is no currency",
        ),
        ("  calls: {measure: count, unit: call}\n", "unit"),
        ("  calls: {}\n", "measure"),
    ],
    ids=[
        "capitals", "a dash", "a measure", "too short", "too long", "no unit", "whose", "of what",
        "an argument", "a currency", "no currency", "a key", "no measure",
    ],
)  # fmt: skip
def test_what_is_no_fact_is_refused_with_its_place(declared, fact, said) -> None:
    problems = declared(fact).problems()
    assert any(said in one.message for one in problems), problems
    assert all(one.file == "remit.yaml" and one.line > 6 for one in problems)
