"""One way to read JSON, one way to write it."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from remit.canonical import (
    MAX_DEPTH,
    MAX_VALUES,
    MalformedJsonError,
    canonical_bytes,
    canonical_text,
    parse_json,
    parse_object,
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1),
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])),
)
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20
)
# Strings that look like JSON, so that counting what stands outside them is no accident.
LOOK_ALIKES = st.recursive(
    SCALARS | st.text(',[]{}:"\\\\a'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(',[{"\\\\'), inner),
    max_leaves=20,
)


def marks(value):
    """The commas and opening brackets that writing `value` takes."""
    if not isinstance(value, list | dict):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return max(1, len(value)) + sum(marks(one) for one in inner)


@given(VALUES)
def test_canonical_bytes_equal_rfc_8785_for_values_without_floats(value):
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(VALUES)
def test_what_is_written_reads_back_the_same(value):
    assert parse_json(canonical_bytes(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        b"[-1e999]",
        b"[9223372036854775808]",
        b"[-9223372036854775809]",
        b"[123456789012345678901234567890]",
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-32"),
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'"\\ud800"',
        b"",
        b" ",
        b"{} {}",
        b"{}garbage",
        b"{'a':1}",
        b'{"a":1,}',
        b"[01]",
        b"[+1]",
        b"[.5]",
        b"// comment\n{}",
        b'{"a":"\n"}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000,
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(text):
    with pytest.raises(MalformedJsonError) as caught:
        parse_json(text)
    assert caught.value.code == "malformed_json"
    assert "\n" not in caught.value.detail


def test_the_deepest_admitted_nesting_is_admitted():
    text = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert canonical_bytes(parse_json(text)) == text


def test_the_extremes_of_64_bits_are_kept_exactly():
    assert parse_json(b"[9223372036854775807,-9223372036854775808]") == [2**63 - 1, -(2**63)]


@given(LOOK_ALIKES)
def test_values_are_counted_outside_strings_alone(value):
    text = canonical_bytes(value)
    assert parse_json(text, max_values=marks(value)) == value
    if marks(value):
        with pytest.raises(MalformedJsonError, match="values"):
            parse_json(text, max_values=marks(value) - 1)


@pytest.mark.parametrize("unit", [b"[]", b"{}", b"0", b'""', b'{"":[]}', b"[" * 30 + b"]" * 30])
def test_a_text_of_too_many_values_is_refused_before_it_is_parsed(unit):
    # The parser would stumble over what stands at the end, half a second later.
    text = b"[" + b",".join([unit] * MAX_VALUES) + b",0 garbage"
    with pytest.raises(MalformedJsonError, match=f"more than {MAX_VALUES} values"):
        parse_json(text)


def test_as_many_values_as_are_admitted_are_admitted():
    assert parse_json(canonical_bytes([0] * MAX_VALUES)) == [0] * MAX_VALUES
    with pytest.raises(MalformedJsonError):
        parse_json(canonical_bytes([0] * (MAX_VALUES + 1)))


def test_a_long_text_is_one_value():
    text = canonical_bytes(['a, b [c] {d} \\ "e",' * MAX_VALUES])
    assert canonical_bytes(parse_json(text)) == text


@pytest.mark.parametrize("number", [b"9223372036854775808", b"-9223372036854775809", b"1e999"])
@pytest.mark.parametrize("place", [b'[0,"",%s,1.5]', b'{"a":[null,{"b":%s}]}', b"%s"])
def test_a_number_that_readers_differ_on_is_refused_wherever_it_stands(number, place):
    with pytest.raises(MalformedJsonError, match="does not fit"):
        parse_json(place % number)


@pytest.mark.parametrize("text", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_an_object_is_asked_for_where_only_an_object_will_do(text):
    with pytest.raises(MalformedJsonError, match="not a JSON object"):
        parse_object(text)


def test_keys_are_sorted_and_nothing_is_padded():
    assert canonical_text({"b": [1, {"z": None, "a": "é"}], "a": True}) == (
        '{"a":true,"b":[1,{"a":"é","z":null}]}'
    )


@pytest.mark.parametrize("value", [{1: 2}, {"a": object()}, [2**64], {"a": {1, 2}}])
def test_what_json_cannot_say_is_refused(value):
    with pytest.raises(TypeError):
        canonical_bytes(value)


def test_the_order_of_keys_in_the_input_does_not_matter():
    one, two = json.loads('{"a":1,"b":2}'), json.loads('{"b":2,"a":1}')
    assert canonical_bytes(one) == canonical_bytes(two)
