"""Server-sent events, read and written one at a time.

An event is handed on the moment its blank line has been read. Refused: an event
larger than the limit, so that no server can make the gateway hold more.

Source: WHATWG HTML, server-sent events (parsing an event stream).
"""

from dataclasses import dataclass

__all__ = [
    "COMMENT",
    "EVENT_STREAM_HEADERS",
    "Event",
    "EventReader",
    "EventTooLargeError",
    "encode_event",
]

EVENT_STREAM_HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
COMMENT = b":\n\n"
"""Keeps a silent stream open; a client reads past it."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLargeError(Exception):
    """An event goes beyond the limit without having ended."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its type (`message` if it named none), its data, the id and delay it set."""

    type: str
    data: bytes
    id: str | None = None
    retry_ms: int | None = None


class EventReader:
    """Turns the chunks of a stream into events."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._skip_newline = False
        self._at_start = True
        self._data: list[bytes] = []
        self._type = ""
        self._id: str | None = None
        self._retry_ms: int | None = None
        self._size = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes.

        Raises:
            EventTooLargeError: what has been read of the present event is beyond the limit.
        """
        if self._skip_newline and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._skip_newline = False
        self._rest.append(chunk)
        self._rest_size += len(chunk)
        if b"\n" not in chunk and b"\r" not in chunk:
            # A line that goes on and on is put together once, and not anew for each of its pieces.
            self._refuse_too_large()
            return []
        lines = b"".join(self._rest).splitlines(keepends=True)
        self._rest, self._rest_size = [], 0
        if lines and not lines[-1].endswith((b"\n", b"\r")):
            self._rest, self._rest_size = [lines[-1]], len(lines[-1])
            lines.pop()
        elif lines and lines[-1].endswith(b"\r"):
            self._skip_newline = True
        events = [
            event for line in lines if (event := self._take(line.rstrip(b"\r\n"))) is not None
        ]
        self._refuse_too_large()
        return events

    def _refuse_too_large(self) -> None:
        if self._size + self._rest_size > self._limit:
            raise EventTooLargeError

    def _take(self, line: bytes) -> Event | None:
        if self._at_start:
            line, self._at_start = line.removeprefix(_BYTE_ORDER_MARK), False
        if not line:
            return self._dispatch()
        self._size += len(line)
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) < 8:
            self._retry_ms = int(value)
        return None

    def _dispatch(self) -> Event | None:
        event = None
        if self._data or self._id is not None or self._retry_ms is not None:
            event = Event(self._type or "message", b"\n".join(self._data), self._id, self._retry_ms)
        self._clear()
        return event

    def _clear(self) -> None:
        self._data = []
        self._type = ""
        self._id = None
        self._retry_ms = None
        self._size = 0


def encode_event(data: bytes) -> bytes:
    """One event of type `message`. `data` is canonical JSON, and so holds no line break."""
    return b"event: message\ndata: " + data + b"\n\n"
