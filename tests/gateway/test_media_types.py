"""Which bodies call themselves JSON."""

import pytest

from remit.gateway.http import Headers
from remit.gateway.media_types import accepts_events, is_event_stream, is_json


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; x=y",
    ],
)
def test_json_in_utf_8_is_json(value):
    assert is_json(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "text/json",
        "application/json-rpc",
        "application/jsonx",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        "text/plain; application/json",
    ],
)
def test_what_may_be_read_as_something_else_is_not(value):
    assert not is_json(value)


@pytest.mark.parametrize(
    "value", [b"text/event-stream", b"text/*", b"*/*", b"a/b, TEXT/event-stream;q=0.5"]
)
def test_events_are_accepted_where_the_header_says_so(value):
    assert accepts_events(Headers([(b"accept", value)]))


@pytest.mark.parametrize("value", [b"application/json", b"text/event-streams", b""])
def test_events_are_not_accepted_elsewhere(value):
    assert not accepts_events(Headers([(b"accept", value)]))


def test_an_event_stream_may_have_parameters():
    assert is_event_stream("text/event-stream; charset=utf-8")
    assert not is_event_stream("text/event-stream+json")
