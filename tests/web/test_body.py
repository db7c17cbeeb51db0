"""A body is read up to its limit and in the media type asked for, or refused."""

import pytest
from starlette.requests import Request

from remit.canonical import MalformedJsonError
from remit.web import (
    BodyTooLargeError,
    UnsupportedMediaTypeError,
    read_body,
    read_form,
    read_json_object,
)

FORM = "application/x-www-form-urlencoded"


def _request(*chunks: bytes, **headers: str) -> Request:
    """A request whose body comes in `chunks`."""
    left = list(chunks)

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


async def test_a_form_in_pieces_is_one_form():
    params = await read_form(_request(b"us", b"er=a", b"da", content_type=FORM))
    assert params.one("user") == "ada"


async def test_a_json_object_is_read_strictly():
    request = _request(b'{"a":1}', content_type="application/json; charset=UTF-8")
    assert await read_json_object(request) == {"a": 1}
    with pytest.raises(MalformedJsonError):
        await read_json_object(_request(b'{"a":1,"a":2}', content_type="application/json"))


async def test_a_body_beyond_its_limit_is_refused_wherever_the_limit_falls():
    assert await read_body(_request(b"abc", b"de"), limit=5) == b"abcde"
    with pytest.raises(BodyTooLargeError):
        await read_body(_request(b"abc", b"def"), limit=5)


async def test_a_declared_length_beyond_the_limit_is_refused_before_reading():
    request = _request(content_length="6")  # receiving would fail: there are no chunks
    with pytest.raises(BodyTooLargeError):
        await read_body(request, limit=5)


async def test_a_length_that_lies_does_not_raise_the_limit():
    with pytest.raises(BodyTooLargeError):
        await read_body(_request(b"abcdef", content_length="2"), limit=5)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json",
        f"{FORM}; charset=latin-1",
    ],
)
async def test_a_form_of_another_media_type_is_refused(content_type):
    with pytest.raises(UnsupportedMediaTypeError):
        await read_form(_request(b"a=b", content_type=content_type))


async def test_json_of_another_media_type_is_refused():
    with pytest.raises(UnsupportedMediaTypeError):
        await read_json_object(_request(b"{}", content_type=FORM))
