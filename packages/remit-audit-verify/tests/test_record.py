import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit_audit_verify.record import MAX_RECORD_BYTES, BadRecordError, read_record

KEYS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def written(value) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_what_is_written_canonically_is_read_back(value):
    try:
        line = written(value)
    except UnicodeEncodeError:  # a lone surrogate
        return
    assert read_record(line) == value


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'{"a":1} ',
        b'{ "a":1}',
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":{"x":1,"x":2}}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":01}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":99999999999999999999999999999999}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"\u00e4":1}'.encode(),
        '{"a":{"\u212a":1}}'.encode(),
        b'{"a":"\n"}',
        b'{"a":1}\n',
    ],
)
def test_every_other_spelling_is_refused(line):
    with pytest.raises(BadRecordError):
        read_record(line)


def test_a_text_beyond_ascii_is_read_and_a_key_is_not():
    assert read_record('{"a":"\u212a \U0001f511"}'.encode()) == {"a": "\u212a \U0001f511"}


def test_the_longest_record_is_read_and_one_byte_more_is_not():
    line = b'{"a":"' + b"x" * (MAX_RECORD_BYTES - 8) + b'"}'
    assert len(line) == MAX_RECORD_BYTES
    assert read_record(line)
    with pytest.raises(BadRecordError):
        read_record(b'{"a":"' + b"x" * (MAX_RECORD_BYTES - 7) + b'"}')


@pytest.mark.parametrize("depth", [65, 1_000, 8_000])
@pytest.mark.parametrize(("before", "after"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_nested_too_deep_is_refused_before_it_is_parsed(depth, before, after):
    line = (b'{"a":' + before * depth + b"1" + after * depth + b"}")[:MAX_RECORD_BYTES]
    limit = sys.getrecursionlimit()
    with pytest.raises(BadRecordError, match="deep"):
        read_record(line)
    assert sys.getrecursionlimit() == limit


def test_brackets_within_texts_are_no_depth():
    line = written({"a": "[{" * 500, "b": '"\\' * 3 + "[" * 100})
    assert read_record(line)["a"] == "[{" * 500


def test_64_levels_are_read():
    assert read_record(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}")
