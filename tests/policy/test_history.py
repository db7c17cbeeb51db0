"""Facts of history as they are recorded and travel, and back."""

from decimal import Decimal

import pytest

from remit.policy.history import history_json, history_of

HISTORY = {
    "calls": 3,
    "spent": Decimal("4800.5000"),
    "nothing": Decimal("0.0000"),
    "seen": False,
    "used": frozenset({"crm/get", "crm/export"}),
    "none": frozenset(),
}


def test_what_is_written_is_read_again():
    written = history_json(HISTORY)
    assert written["spent"] == "4800.5000"
    assert written["used"] == ["crm/export", "crm/get"]
    assert history_of(written) == HISTORY
    assert [type(one) for one in history_of(written).values()] == [
        type(one) for one in HISTORY.values()
    ]


@pytest.mark.parametrize(
    "value",
    ["many", "", "1e5", "-1", "1.2.3", "\u0661", None, 1.5, {"a": 1}, [1]],
    ids=["text", "empty", "float", "minus", "dots", "arabic", "null", "number", "object", "list"],
)
def test_what_is_no_value_of_a_fact_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        history_of({"fact": value})
