import pytest

from remit.casebook.case import Case
from remit.casebook.selection import SelectionInvalidError, selection_of
from remit.casebook.tables import tables_of

TABLE = b"""\
cases:
  - { name: Refunds up to the limit, agent: a, tool: p/refund, expect: allow }
  - { name: the ledger is closed, agent: a, tool: p/close, expect: hidden }
"""


@pytest.fixture(scope="module")
def both() -> tuple[Case, ...]:
    return tables_of({"tests/money.yaml": TABLE})[0].cases


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("refund", "R"),
        ("REFUND", "R"),
        ("money", "RL"),
        ("money and ledger", "L"),
        ("money and not ledger", "R"),
        ("refunds or ledger", "RL"),
        ("not (refunds or ledger)", ""),
        ("not refunds and ledger", "L"),
        ('"up to the limit"', "R"),
        ("'is closed' or nothing", "L"),
        ("android", ""),
        ("elsewhere", ""),
    ],
)
def test_words_choose_by_title_and_file(both, text, chosen):
    choice = selection_of(text)
    assert (
        "".join(one.name[0] if one.name[0] == "R" else "L" for one in both if choice(one)) == chosen
    )


@pytest.mark.parametrize(
    "text", ["and", "refund and", "not", "(refund", "refund)", "or or", "()", "a b"]
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(SelectionInvalidError) as caught:
        selection_of(text)
    assert "\n" not in caught.value.detail
