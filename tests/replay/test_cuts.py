"""Where policies draw lines: what no line parts is alike to Cedar itself, and what is looked at otherwise has none."""

from decimal import Decimal

import pytest
from cedarpy import AuthzResult, PolicySet, is_authorized
from hypothesis import given
from hypothesis import strategies as st

from remit.replay.cuts import AGE, lines_of, told

AMOUNT = ("context", "arguments", "amount", "value")
ROWS = ("context", "arguments", "rows")
HOUR = ("context", "time", "hour")
COMPARISONS = (
    "context.arguments.rows < {}",
    "context.arguments.rows <= {}",
    "{} < context.arguments.rows",
    "context.arguments.rows >= {}",
    "context.arguments.rows == {}",
    "context.arguments.rows != {}",
    "[{}, 7].contains(context.arguments.rows)",
    "(if context.arguments.rows > {} then true else false)",
    "!(context.arguments has rows && context.arguments.rows == {})",
)


def trees(condition):
    text = f"forbid (principal, action, resource) when {{ {condition} }};"
    return list(PolicySet.from_str(text).to_pst().static_policies.values())


def cedar(condition, rows) -> AuthzResult:
    request = {
        "principal": 'U::"a"',
        "action": 'Action::"b"',
        "resource": 'T::"c"',
        "context": {"arguments": {"rows": rows}},
    }
    text = f"permit (principal, action, resource) when {{ {condition} }};"
    return is_authorized(request, text, [])


@given(
    st.lists(st.tuples(st.sampled_from(COMPARISONS), st.integers(-4, 4)), min_size=1, max_size=4),
    st.integers(-6, 9),
    st.integers(-6, 9),
)
def test_numbers_that_no_line_parts_are_alike_to_cedar(parts, one, other):
    for joint in (" && ", " || "):
        condition = joint.join(part.format(f"({number})") for part, number in parts)
        line = lines_of(trees(condition))[ROWS]
        if line.place(one) == line.place(other):
            assert cedar(condition, one).decision == cedar(condition, other).decision


def test_a_number_on_a_line_is_apart_from_those_on_either_side():
    line = lines_of(trees("context.arguments.rows > 5"))[ROWS]
    assert len({line.place(4), line.place(5), line.place(6)}) == 3
    assert line.place(6) == line.place(1_000_000)


def test_an_amount_is_told_by_its_side_of_the_limit():
    (line,) = lines_of(
        trees('context.arguments.amount.value.greaterThan(decimal("500.00"))')
    ).values()
    assert line.place(Decimal("510.00")) == line.place(Decimal("99999.9999"))
    assert line.place(Decimal(500)) == line.place(Decimal("500.0000"))
    assert line.place(Decimal("499.99")) != line.place(Decimal("500.01"))


@pytest.mark.parametrize(
    "condition",
    [
        "context.arguments.rows + 1 > 5",
        "context.arguments.rows > context.arguments.most",
        "[context.arguments.rows].contains(context.arguments.most)",
        "context.arguments.rows > 5 && context.arguments.rows == context.arguments.most",
        'context.arguments.rows == 5 || context.arguments.rows == "five"',
        "context.arguments == {rows: 5}",
        'context.arguments.rows > 5 && context == {a: "b"}',
        "(if true then context.arguments else context.arguments).rows > 5",
        '(if context.arguments.rows > 5 then context else context).ip == ip("::1")',
        "context.arguments has rows",
    ],
    ids=["sum", "another", "element", "also-another", "two-types", "all", "context", "either",
         "chosen", "there"],
)  # fmt: skip
def test_what_is_looked_at_otherwise_has_no_line(condition):
    assert ROWS not in lines_of(trees(condition))


def test_a_list_is_told_by_what_it_is_asked_to_contain():
    (line,) = lines_of(trees('context.arguments.labels.contains("secret")')).values()
    assert line.place(("hr", "secret")) == line.place(("secret", "public"))
    assert line.place(("hr",)) != line.place(("secret",))
    assert not lines_of(trees('context.arguments.labels.containsAny(["secret"])'))


def test_a_word_is_told_if_it_is_one_of_those_that_are_named():
    (line,) = lines_of(
        trees('["eu", "us"].contains(context.arguments.region) || context.arguments.region == "uk"')
    ).values()
    assert line.place("apac") == line.place("antarctica")
    assert len({line.place(one) for one in ("eu", "us", "uk", "apac")}) == 4


def test_hours_and_ages_have_lines_and_whole_days_have_none():
    lines = lines_of(
        trees(
            'context.time.hour < 8 && context.time.date == "2026-11-22" '
            "&& context.authentication.age_seconds <= 300"
        ),
        [(AGE, 60)],
    )
    assert set(lines) == {HOUR, AGE}
    assert lines[AGE].values == (60, 300)


def test_a_truth_value_and_a_number_are_never_alike():
    line = lines_of(trees("context.arguments.rows == 1"))[ROWS]
    assert line.place(True) != line.place(1)
    assert told(True, [((), line)]) != told(1, [((), line)])
