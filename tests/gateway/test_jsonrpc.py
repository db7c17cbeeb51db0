"""Messages that are one thing only, and come out as they went in."""

import pytest

from remit.canonical import MAX_VALUES, canonical_bytes
from remit.gateway.jsonrpc import (
    InvalidMessageError,
    Notification,
    Request,
    Response,
    error_response,
    parse_message,
)
from remit.gateway.upstream.answer import parse_answer

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


def test_a_message_of_too_many_values_is_refused_and_a_server_may_say_more():
    content = [{"type": "text", "text": "x"}] * (MAX_VALUES // 2)
    text = canonical_bytes(Response(1, result={"content": content}).to_json())
    with pytest.raises(InvalidMessageError) as caught:
        parse_message(text)
    assert caught.value.rpc_code == -32700
    assert parse_answer(text) == Response(1, result={"content": content})
