"""Server-sent events, however the stream is cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.gateway.events import Event, EventReader, EventTooLargeError, encode_event

STREAM = b'\xef\xbb\xbf: hi\r\n\r\nevent: message\r\ndata: {"a":1}\r\n\r\nid: 7\nretry: 20\ndata: x\ndata:y\n\ndata: z\r\rdata: lost'
EVENTS = [
    Event("message", b'{"a":1}'),
    Event("message", b"x\ny", "7", 20),
    Event("message", b"z"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_wherever_a_stream_is_cut_its_events_are_the_same(cuts):
    bounds = [0, *sorted(cuts), len(STREAM)]
    reader = EventReader(1000)
    chunks = [STREAM[a:b] for a, b in itertools.pairwise(bounds)]
    assert [event for chunk in chunks for event in reader.feed(chunk)] == EVENTS


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * 100, b"data: x\n" * 20, b"x" * 101])
def test_an_event_beyond_the_limit_is_refused(chunk):
    with pytest.raises(EventTooLargeError):
        EventReader(90).feed(chunk)


def test_many_small_events_are_no_large_one():
    assert len(EventReader(10).feed(b"data: x\n\n" * 1000)) == 1000


@pytest.mark.parametrize(
    "line",
    [b"retry: soon\n\n", b"retry: -1\n\n", b"id: a\0b\n\n", b"event: x\n\n", b":\n\n", b"\n\n"],
)
def test_what_carries_nothing_is_no_event(line):
    assert EventReader(100).feed(line) == []


def test_what_is_written_is_read_back():
    assert EventReader(100).feed(encode_event(b'{"a":1}')) == [Event("message", b'{"a":1}')]
