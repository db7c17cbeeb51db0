"""Where policies draw lines: what no line parts is alike to Cedar itself, and what is looked at otherwise has none."""

from decimal import Decimal

import pytest
from cedarpy import AuthzResult, Decision, PolicySet, is_authorized
from hypothesis import given
from hypothesis import strategies as st

from remit.replay.cuts import AGE, lines_of, ties_of, told

AMOUNT = ("context", "arguments", "amount", "value")
ROWS = ("context", "arguments", "rows")
HOUR = ("context", "time", "hour")
DATE = ("context", "time", "date")
COMPARISONS = (
    "context.arguments.rows < {}",
    "context.arguments.rows <= {}",
    "{} < context.arguments.rows",
    "{} <= context.arguments.rows",
    "{} > context.arguments.rows",
    "{} >= context.arguments.rows",
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
    line = lines_of(trees("context.arguments.rows == 5"))[ROWS]
    assert len({line.place(4), line.place(5), line.place(6)}) == 3
    assert line.place(6) == line.place(1_000_000)


@pytest.mark.parametrize("condition", ["{} > 5", "{} <= 5", "5 < {}", "5 >= {}"])
def test_a_number_that_is_asked_to_be_more_is_told_by_that_alone(condition):
    line = lines_of(trees(condition.format("context.arguments.rows")))[ROWS]
    assert line.place(4) == line.place(5) != line.place(6)


@pytest.mark.parametrize("condition", ["{} < 5", "{} >= 5", "5 > {}", "5 <= {}"])
def test_a_number_that_is_asked_to_be_less_is_told_by_that_alone(condition):
    line = lines_of(trees(condition.format("context.arguments.rows")))[ROWS]
    assert line.place(4) != line.place(5) == line.place(6)


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
    (line,) = lines_of(trees('context.arguments.labels.containsAny(["a", "b"])')).values()
    assert line.place(("a", "c")) == line.place(("c", "a"))
    assert line.place(("a",)) != line.place(("b",)) != line.place(())
    assert not lines_of(trees("context.arguments.labels.containsAll(context.arguments.others)"))
    assert not lines_of(trees("context.arguments.labels.isEmpty()"))


def test_a_word_is_told_if_it_is_one_of_those_that_are_named():
    (line,) = lines_of(
        trees('["eu", "us"].contains(context.arguments.region) || context.arguments.region == "uk"')
    ).values()
    assert line.place("apac") == line.place("antarctica")
    assert len({line.place(one) for one in ("eu", "us", "uk", "apac")}) == 4


def test_hours_days_and_ages_have_lines_and_months_have_none():
    condition = "context.time.hour < 8 && context.authentication.age_seconds <= 300"
    day, month = 'context.time.date == "2026-11-22"', 'context.time.date like "2026-11-*"'
    lines = lines_of(trees(f"{condition} && {day}"), [(AGE, 60)])
    assert set(lines) == {HOUR, AGE, DATE}
    assert lines[DATE].place("2026-11-23") == lines[DATE].place("2026-12-24")
    assert set(lines_of(trees(f"{condition} && {day} && {month}"))) == {HOUR, AGE}
    assert (lines[AGE].values, lines[AGE].over) == ((60,), (60, 300))


def test_a_truth_value_and_a_number_are_never_alike():
    line = lines_of(trees("context.arguments.rows == 1"))[ROWS]
    assert line.place(True) != line.place(1)
    assert told(True, [((), line)]) != told(1, [((), line)])


ADDRESSES = (
    "10.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "11.0.0.0",
    "192.0.2.9",
    "::1",
    "2001:db8::9",
    "::a01:203",
)
RANGES = (
    "10.0.0.0/8",
    "10.1.2.3/16",
    "192.0.2.9",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/32",
    "::ffff:10.0.0.0/104",
    "::a00:0/104",
)


@given(st.lists(st.sampled_from(RANGES), min_size=1, max_size=3, unique=True))
def test_addresses_that_are_in_the_same_ranges_are_alike_to_cedar(ranges):
    condition = " || ".join(f'context.ip.isInRange(ip("{one}"))' for one in ranges)
    (line,) = lines_of(trees(condition)).values()
    for one in ADDRESSES:
        asked = {
            "principal": 'U::"a"',
            "action": 'Action::"b"',
            "resource": 'T::"c"',
            "context": {"ip": {"__extn": {"fn": "ip", "arg": one}}},
        }
        for number, network in enumerate(sorted(ranges)):
            text = f'permit (principal, action, resource) when {{ context.ip.isInRange(ip("{network}")) }};'
            allowed = is_authorized(asked, text, []).decision is Decision.Allow
            assert line.place(one)[number] is allowed


def test_no_address_is_in_no_range_and_apart_from_one_that_is_outside():
    (line,) = lines_of(trees('context has ip && context.ip.isInRange(ip("10.0.0.0/8"))')).values()
    assert line.place(None) != line.place("192.0.2.1") != line.place("10.0.0.1")


@pytest.mark.parametrize(
    "condition",
    [
        'context.ip.isInRange(ip("10.0.0.0/8")) && context.ip.isIpv4()',
        'context.ip.isInRange(ip("10.0.0.0/8")) || context.ip == ip("192.0.2.1")',
        "context.ip.isInRange(context.other)",
        'ip("10.0.0.1").isInRange(context.ip)',
    ],
    ids=["also", "equal", "other", "turned-round"],
)
def test_an_address_that_is_looked_at_otherwise_is_told_whole(condition):
    assert ("context", "ip") not in lines_of(trees(condition))


def test_roles_and_tags_are_told_by_what_is_asked_of_them():
    lines = lines_of(
        trees(
            'principal.roles.contains("intern") && principal.hasTag("region") '
            '&& ["eu", "us"].contains(principal.getTag("region")) && principal == U::"x"'
        )
    )
    roles, region = lines[("principal", "roles")], lines[("principal", "()", "region")]
    assert roles.place(("intern", "sales")) == roles.place(("intern",)) != roles.place(("sales",))
    assert region.place("apac") == region.place("moon") != region.place("eu") != region.place("us")
    assert region.place(None) != region.place("moon")


@pytest.mark.parametrize(
    "condition",
    [
        'principal.getTag("region") like "e*"',
        'principal.hasTag("region") && principal.getTag(context.arguments.which) == "eu"',
        'principal.getTag("region") == principal.getTag("other")',
        '(if principal.hasTag("a") then principal else principal).getTag("region") == "eu"',
    ],
    ids=["like", "another-name", "each-other", "chosen"],
)
def test_a_tag_that_is_looked_at_otherwise_leaves_no_tag_a_line(condition):
    every = trees(f'principal.getTag("region") == "us" || ({condition})')
    assert not [path for path in lines_of(every) if path[:2] == ("principal", "()")]


def test_an_argument_that_has_to_be_the_callers_own_is_told_by_that():
    own = trees('context.arguments.tenant == principal.tenant && principal.tenant != "acme"')
    assert ties_of(own) == {("tenant", ("principal", "tenant"))}
    lines = lines_of(own)
    assert lines[("context", "arguments", "tenant")].place("a") is None
    assert lines[("principal", "tenant")].place("acme") != lines[("principal", "tenant")].place("b")
    tagged = trees('principal.getTag("region") != context.arguments.region')
    assert ties_of(tagged) == {("region", ("principal", "()", "region"))}


@pytest.mark.parametrize(
    "condition",
    [
        "context.arguments.a == context.arguments.b",
        "context.arguments.a == resource.owner",
        "context.arguments.money.currency == principal.tenant",
        "context.arguments.a == principal.tenant && context.other == context",
    ],
    ids=["arguments", "thing", "part", "not-understood"],
)
def test_what_is_held_against_anything_else_has_no_tie(condition):
    assert not ties_of(trees(condition))
