"""Reading a request's body, no more of it than the caller allows.

Refused before a byte is kept: a declared length beyond the limit, and a media type
other than the one asked for.
"""

from typing import ClassVar

from starlette.requests import Request

from remit.canonical import JsonObject, parse_object
from remit.errors import Error
from remit.web.params import MAX_FORM, Params, parse_form

__all__ = [
    "BodyTooLargeError",
    "UnsupportedMediaTypeError",
    "read_body",
    "read_form",
    "read_json_object",
]


class BodyTooLargeError(Error):
    """The body is longer than this endpoint reads (413)."""

    code: ClassVar[str] = "body_too_large"


class UnsupportedMediaTypeError(Error):
    """The body is not of the media type this endpoint reads (415)."""

    code: ClassVar[str] = "unsupported_media_type"


async def read_body(request: Request, *, limit: int) -> bytes:
    """The whole body.

    Raises:
        BodyTooLargeError: it is, or says it is, longer than `limit` bytes.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise BodyTooLargeError(f"the body is longer than {limit} bytes")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLargeError(f"the body is longer than {limit} bytes")
    return bytes(body)


async def read_form(request: Request, *, limit: int = MAX_FORM) -> Params:
    """The parameters of a form body.

    Raises:
        UnsupportedMediaTypeError: the body is not `application/x-www-form-urlencoded`.
        BodyTooLargeError: as `read_body`.
        MalformedParametersError: as `parse_form`.
    """
    _require_type(request, "application/x-www-form-urlencoded")
    return parse_form(await read_body(request, limit=limit))


async def read_json_object(request: Request, *, limit: int = 65_536) -> JsonObject:
    """The JSON object that the body is.

    Raises:
        UnsupportedMediaTypeError: the body is not `application/json`.
        BodyTooLargeError: as `read_body`.
        MalformedJsonError: as `canonical.parse_object`.
    """
    _require_type(request, "application/json")
    return parse_object(await read_body(request, limit=limit))


def _require_type(request: Request, wanted: str) -> None:
    found = request.headers.get("content-type", "")
    media_type, _, parameters = found.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media_type.strip().lower() != wanted or charset not in {"", "charset=utf-8"}:
        raise UnsupportedMediaTypeError(f"the body must be `{wanted}` in utf-8")
