"""Which media types a request carries and accepts.

Refused: a body that does not call itself JSON in UTF-8, and a client that will not
read both forms an answer may take. Source: MCP 2026-07-28 transports; RFC 9110 §12.5.1.
"""

from remit.gateway.http import Headers
from remit.gateway.rejection import RejectedError

__all__ = ["accepts_events", "check_media_types", "is_event_stream", "is_json"]

_BOTH = ("application/json, text/event-stream",)
"""What nearly every client says."""
_UTF8 = frozenset({"utf-8", "utf8", '"utf-8"', '"utf8"'})


def check_media_types(headers: Headers) -> None:
    """Refuse a body that is not JSON, or an answer that could not be read.

    Raises:
        RejectedError: 415 for the body, 406 for the answer.
    """
    content_types = headers.all(b"content-type")
    if len(content_types) != 1 or not is_json(content_types[0]):
        raise RejectedError(415, "header `content-type` is not `application/json`")
    if headers.all(b"accept") == _BOTH:
        return
    accepted = _accepted(headers)
    if not accepted & {"application/json", "application/*", "*/*"} or not accepts_events(headers):
        raise RejectedError(406, "accept both `application/json` and `text/event-stream`")


def accepts_events(headers: Headers) -> bool:
    """Whether the client reads `text/event-stream`."""
    return bool(_accepted(headers) & {"text/event-stream", "text/*", "*/*"})


def is_json(content_type: str) -> bool:
    """Whether a body of this type is JSON, and not in an encoding other than UTF-8."""
    if content_type == "application/json":
        return True
    essence, _, parameters = content_type.partition(";")
    if essence.strip().lower() != "application/json":
        return False
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().lower() not in _UTF8:
            return False
    return True


def is_event_stream(content_type: str) -> bool:
    """Whether a body of this type is a stream of events."""
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"


def _accepted(headers: Headers) -> frozenset[str]:
    ranges = ",".join(headers.all(b"accept")).split(",")
    return frozenset(one.partition(";")[0].strip().lower() for one in ranges)
