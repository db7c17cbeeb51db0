from decimal import Decimal

import pytest

from remit.casebook.past import TablePast
from remit.guard.reconsider import at_once
from remit.guard.use import Entry, Use, Whose
from remit.model import HistoryFact, HistoryMeasure

WHOSE = (Whose("acme"),)


def comes_to(measure: HistoryMeasure, before: object, *, counted: bool = True, told: bool = True):
    fact = HistoryFact(name="fact", measure=measure, argument="amount", currency="USD")
    entry = Entry(
        fact=fact,
        whose=WHOSE,
        counted=counted,
        told=told,
        amount=Decimal("7.50"),
        members=("crm/get",),
    )
    use = Use(id="d", at=0, call=None, entries=(entry,))
    past = TablePast({} if before is None else {"fact": before})
    return at_once(past.come_to(use)).get("fact")


@pytest.mark.parametrize(
    ("measure", "before", "first", "counted", "not_counted"),
    [
        (HistoryMeasure.COUNT, 3, 1, 4, 3),
        (HistoryMeasure.SUM, "4900.00", Decimal("7.50"), Decimal("4907.50"), Decimal(4900)),
        (HistoryMeasure.SUM, 12.5, Decimal("7.50"), Decimal(20), Decimal("12.5")),
        (HistoryMeasure.EVER, False, True, True, False),
        (HistoryMeasure.EVER, True, True, True, True),
        (HistoryMeasure.TOOLS, ["crm/list"], frozenset({"crm/get"}), frozenset({"crm/list", "crm/get"}), frozenset({"crm/list"})),
    ],
)  # fmt: skip
def test_a_call_is_counted_in_after_what_was_before(measure, before, first, counted, not_counted):
    assert comes_to(measure, None) == first
    assert comes_to(measure, before) == counted
    assert comes_to(measure, before, counted=False) == not_counted


def test_what_no_policy_reads_is_not_told():
    assert comes_to(HistoryMeasure.COUNT, 3, told=False) is None


def test_what_is_no_such_fact_is_not_taken_for_one():
    with pytest.raises(ValueError, match="the fact `fact` is no count"):
        comes_to(HistoryMeasure.COUNT, "many")
