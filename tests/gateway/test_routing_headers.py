"""The header codec and the ladder, held against the official implementation of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared import inbound

from remit.gateway.http import Headers
from remit.gateway.jsonrpc import Request
from remit.gateway.routing_headers import (
    check_modern_request,
    decode_header_value,
    encode_header_value,
    routing_headers_of,
)
from tests.gateway.doubles import META, VERSION

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXT)
def test_every_value_survives_the_way_through_a_header(value):
    encoded = encode_header_value(value)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert decode_header_value(encoded) == value
    assert inbound.decode_header_value(encoded) == value
    assert decode_header_value(inbound.encode_header_value(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        "=?base64?ZmluZA?=",
        "=?base64?Zml uZA==?=",
        "=?base64?ZmluZB==?=",
        "=?base64?/w==?=",
        "a\tb",
        "caf\xe9",
        "",
        " a",
    ],
)
def test_a_malformed_value_equals_nothing(value):
    assert decode_header_value(value) is None


@given(st.sampled_from(["tools/call", "prompts/get", "resources/read", "tools/list"]), TEXT)
def test_the_headers_made_from_a_request_pass_both_ladders(method, name):
    member = "uri" if method == "resources/read" else "name"
    request = Request(1, method, {member: name, "_meta": META})
    made = routing_headers_of(request, VERSION)
    headers = Headers([(key.encode(), value.encode()) for key, value in made])
    assert check_modern_request(request, headers) == VERSION
    official = inbound.classify_inbound_request(request.to_json(), headers=dict(made))
    assert isinstance(official, inbound.InboundModernRoute)
