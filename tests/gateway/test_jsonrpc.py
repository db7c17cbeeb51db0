"""Messages that are one thing only, and come out as they went in."""

import pytest

from remit.canonical import canonical_bytes
from remit.gateway.jsonrpc import (
    InvalidMessageError,
    Notification,
    Request,
    Response,
    error_response,
    parse_message,
)

MESSAGES = [
    Request(1, "ping"),
    Request("a", "tools/call", {"name": "x"}),
    Request(0, "ping", {}),
    Notification("notifications/x"),
    Response(1, result={}),
    Response("a", error={"code": 1, "message": "m"}),
    Response(None, error={"code": 1, "message": "m", "data": [1]}),
]


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_a_message_is_read_as_it_was_written(message):
    assert parse_message(canonical_bytes(message.to_json())) == message


@pytest.mark.parametrize(
    "text",
    [
        '{"jsonrpc":"2.0","result":{}}',
        '{"jsonrpc":"2.0","id":null,"result":{}}',
        '{"jsonrpc":"2.0","id":1,"result":null}',
        '{"jsonrpc":"2.0","id":1,"error":{"code":true,"message":"m"}}',
        '{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"m"}}',
        '{"jsonrpc":"2.0","id":1,"error":"m"}',
        '{"jsonrpc":"2.0","id":1}',
        '{"jsonrpc":2.0,"id":1,"method":"x"}',
        '{"jsonrpc":"2.0","id":1,"method":""}',
        '{"jsonrpc":"2.0","id":1,"method":"' + "x" * 129 + '"}',
        '{"jsonrpc":"2.0","id":"' + "x" * 257 + '","method":"x"}',
        '{"jsonrpc":"2.0","id":1,"method":"x","params":null}',
    ],
)
def test_what_is_no_one_message_is_refused(text):
    with pytest.raises(InvalidMessageError) as caught:
        parse_message(text.encode())
    assert caught.value.rpc_code == -32600


def test_a_refused_request_is_told_by_its_id():
    with pytest.raises(InvalidMessageError) as caught:
        parse_message(b'{"jsonrpc":"2.0","id":7,"method":"x","params":[]}')
    assert caught.value.id == 7


def test_an_integer_beyond_64_bits_is_refused():
    with pytest.raises(InvalidMessageError) as caught:
        parse_message(b'{"jsonrpc":"2.0","id":18446744073709551616,"method":"x"}')
    assert caught.value.rpc_code == -32700


def test_an_error_says_no_more_than_it_was_given():
    assert error_response(1, 2, "m").to_json() == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": 2, "message": "m"},
    }
    assert error_response(1, 2, "m", {"a": 1}).error["data"] == {"a": 1}
