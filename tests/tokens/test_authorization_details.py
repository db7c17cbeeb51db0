"""Authorization details of type `mcp_tool_call`: read strictly, and compared soundly (RFC 9396)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.tokens.authorization_details import (
    MalformedDetailsError,
    details_json,
    is_within,
    matches_pattern,
    number_of,
    parse_details,
)


def detail(**more):
    return {"type": "mcp_tool_call", "locations": ["https://a/mcp/crm"], "tools": ["t"]} | more


def constrained(**constraint):
    return detail(constraints={"x": constraint})


def within(asked, granted):
    return is_within(parse_details([asked]), parse_details([granted]))


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        [],
        "x",
        [[]],
        [{}],
        [detail()] * 9,
        [{"type": "payment_initiation"}],
        [detail(actions=["read"])],
        [detail(tools=[])],
        [detail(tools="t")],
        [detail(tools=[1])],
        [detail(tools=[""])],
        [detail(tools=["t\n"])],
        [detail(tools=["x" * 257])],
        [detail(locations="https://a")],
        [detail(tools=[f"t{n}" for n in range(33)])],
        [detail(justification="two\nlines")],
        [detail(justification="x" * 501)],
        [detail(justification=1)],
        [detail(expires_at="2026-01-01")],
        [detail(expires_at=True)],
        [detail(expires_at=1.5)],
        [detail(expires_at=-1)],
        [detail(constraints=[])],
        [detail(constraints={"x": 5})],
        [constrained()],
        [constrained(currency="EUR")],
        [constrained(above=5)],
        [constrained(equals=1, one_of=[1])],
        [constrained(equals=None)],
        [constrained(equals=[1])],
        [constrained(one_of=[])],
        [constrained(one_of=1)],
        [constrained(max="1e3")],
        [constrained(max="1.00001")],
        [constrained(max=True)],
        [constrained(max=None)],
        [constrained(max=1e300)],
        [constrained(min="five")],
        [constrained(pattern="")],
        [constrained(max=1, currency="eur")],
    ],
    ids=str,
)
def test_what_is_not_understood_whole_is_refused(value):
    with pytest.raises(MalformedDetailsError):
        parse_details(value)


def test_a_refusal_says_no_word_of_a_stranger():
    with pytest.raises(MalformedDetailsError) as refused:
        parse_details([detail(**{"<script>": 1})])
    assert "script" not in refused.value.detail


def test_what_was_read_is_written_so_that_it_reads_the_same():
    whole = detail(
        constraints={
            "a": {"equals": "x"},
            "b": {"one_of": [1, "2.50", True]},
            "c": {"max": 10.5, "min": "1.00", "currency": "EUR"},
            "d": {"pattern": "acc_*"},
        },
        justification="For the audit",
        expires_at=1_800_000_000,
    )
    parsed = parse_details([whole])
    written = details_json(parsed)
    assert parse_details(list(written)) == parsed
    assert written[0]["constraints"]["c"] == {"max": "10.5", "min": "1.00", "currency": "EUR"}


@pytest.mark.parametrize(
    ("asked", "granted", "narrower"),
    [
        (detail(), detail(), True),
        (detail(), detail(tools=["t", "u"]), True),
        (detail(tools=["t", "u"]), detail(), False),
        (detail(locations=["https://b"]), detail(), False),
        (detail(expires_at=5), detail(), True),
        (detail(expires_at=5), detail(expires_at=5), True),
        (detail(expires_at=6), detail(expires_at=5), False),
        (detail(), detail(expires_at=5), False),
        (detail(justification="a"), detail(justification="b"), False),
        (constrained(max=5), detail(), True),
        (detail(), constrained(max=5), False),
        (constrained(max=5), constrained(max=5), True),
        (constrained(max="5.01"), constrained(max=5), False),
        (constrained(max=4), constrained(max=5, currency="EUR"), False),
        (constrained(max=4, currency="USD"), constrained(max=5, currency="EUR"), False),
        (constrained(min=5), constrained(min=4), True),
        (constrained(min=3), constrained(min=4), False),
        (constrained(min=5), constrained(max=9), False),
        (constrained(equals=5), constrained(max=5, min=5), True),
        (constrained(equals=6), constrained(max=5), False),
        (constrained(equals="x"), constrained(max=5), False),
        (constrained(equals=True), constrained(max=5), False),
        (constrained(equals=1), constrained(one_of=[1, 2]), True),
        (constrained(equals=True), constrained(one_of=[1, 2]), False),
        (constrained(one_of=[1, 3]), constrained(one_of=[1, 2]), False),
        (constrained(max=1, min=1), constrained(equals=1), False),
        (constrained(pattern="acc_1*"), constrained(pattern="acc_*"), True),
        (constrained(pattern="*"), constrained(pattern="acc_*"), False),
        (constrained(pattern="*acc_*"), constrained(pattern="acc_*"), False),
        (constrained(equals="acc_9"), constrained(pattern="acc_*"), True),
        (constrained(one_of=["acc_9", "x"]), constrained(pattern="acc_*"), False),
        (constrained(equals=9), constrained(pattern="*"), False),
    ],
    ids=str,
)
def test_what_is_narrower_is_told_constraint_by_constraint(asked, granted, narrower):
    assert within(asked, granted) is narrower


def test_each_detail_must_be_within_a_single_one():
    granted = parse_details([detail(tools=["t"]), detail(tools=["u"])])
    assert is_within(parse_details([detail(tools=["u"])]), granted)
    assert not is_within(parse_details([detail(tools=["t", "u"])]), granted)
    assert not is_within(parse_details([detail(), detail(tools=["v"])]), granted)


_SMALL = st.text(alphabet="ab*", max_size=6)


@given(pattern=_SMALL, parts=st.lists(st.text(alphabet="ab", max_size=3), min_size=7, max_size=7))
def test_a_pattern_matches_whatever_stands_for_its_stars(pattern, parts):
    literals = pattern.split("*")
    text = "".join(one + filler for one, filler in zip(literals, parts, strict=False))
    text = text[: len(text) - len(parts[len(literals) - 1])] if parts[len(literals) - 1] else text
    assert matches_pattern(text, pattern)


@given(text=st.text(alphabet="ab", max_size=8), one=_SMALL.filter(bool), other=_SMALL.filter(bool))
def test_what_a_narrower_pattern_matches_the_wider_one_matches(text, one, other):
    if within(constrained(pattern=one), constrained(pattern=other)) and matches_pattern(text, one):
        assert matches_pattern(text, other)


@pytest.mark.parametrize(
    ("text", "pattern", "matches"),
    [
        ("ab", "ab", True),
        ("abc", "ab", False),
        ("", "*", True),
        ("aba", "ab*ba", False),
        ("abba", "ab*ba", True),
        ("a.c", "a*b*c", False),
        ("axbxc", "a*b*c", True),
        ("ab", "a*b*b", False),
    ],
)
def test_a_star_stands_for_any_characters_and_no_character_twice(text, pattern, matches):
    assert matches_pattern(text, pattern) is matches


def test_numbers_are_exact_and_truth_is_no_number():
    assert str(number_of("10.50")) == "10.50"
    assert number_of(7) == 7
    assert number_of("1e3") is None
    assert number_of(value=True) is None
