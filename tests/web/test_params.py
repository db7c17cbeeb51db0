"""Parameters are read in one way only, or refused."""

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.web import (
    MalformedParametersError,
    Params,
    RepeatedParameterError,
    parse_form,
    parse_query,
)


def test_values_are_decoded_once():
    params = parse_query(b"scope=crm%3Aread+crm%3Awrite&state=%2525&name=J%C3%BCrgen")
    assert params.one("scope") == "crm:read crm:write"
    assert params.one("state") == "%25"
    assert params.one("name") == "Jürgen"


@pytest.mark.parametrize("raw", [b"", b"scope", b"scope=", b"&&", b"scope=&scope="])
def test_a_parameter_without_a_value_is_absent(raw):
    assert parse_query(raw) == Params()
    assert parse_query(raw).one("scope") is None


def test_a_repeated_parameter_is_refused_by_name_even_with_the_same_value():
    params = parse_query(b"client_id=a&scope=x&client_id=a")
    assert params.one("scope") == "x"
    assert params.repeated() == ("client_id",)
    with pytest.raises(RepeatedParameterError, match="`client_id` is repeated") as raised:
        params.one("client_id")
    assert raised.value.name == "client_id"


def test_a_parameter_repeated_without_a_value_counts_once():
    assert parse_query(b"state=&state=x").one("state") == "x"


def test_a_parameter_that_may_repeat_keeps_its_order():
    params = parse_query(b"resource=b&x=1&resource=a")
    assert params.all("resource") == ("b", "a")
    assert params.names() == {"resource", "x"}


def test_a_name_may_be_escaped_and_is_the_same_parameter():
    with pytest.raises(RepeatedParameterError):
        parse_query(b"client_id=a&%63lient_id=b").one("client_id")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"a=%", "percent escape"),
        (b"a=%4", "percent escape"),
        (b"a=%zz", "percent escape"),
        (b"%=a", "percent escape"),
        (b"a=%FF", "not utf-8"),
        (b"a=\xff", "not utf-8"),
        (b"a=%C0%80", "not utf-8"),
        (b"a=%ED%A0%80", "not utf-8"),
        (b"a=%00", "nul"),
        (b"a=" + b"x" * 16_384, "longer than"),
        (b"&".join(b"a%d=1" % number for number in range(101)), "more than 100"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(raw, said):
    with pytest.raises(MalformedParametersError, match=said):
        parse_query(raw)


def test_a_form_may_be_longer_than_a_query():
    assert len(parse_form(b"a=" + b"x" * 20_000).one("a")) == 20_000
    with pytest.raises(MalformedParametersError, match="longer than"):
        parse_form(b"a=" + b"x" * 65_536)


def test_the_name_of_a_repeated_parameter_cannot_break_a_log_line():
    params = parse_query(b"a%0A%60b=1&a%0A%60b=2")
    with pytest.raises(RepeatedParameterError) as raised:
        params.one("a\n`b")
    assert raised.value.detail == "the parameter `a??b` is repeated"


_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(_texts, _texts.filter(bool)), max_size=10))
def test_what_is_written_is_read_back(pairs):
    assert list(parse_form(urlencode(pairs).encode())) == pairs


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw):
    with suppress(MalformedParametersError):
        assert all(value for _, value in parse_query(raw))
