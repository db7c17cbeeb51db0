"""The modern ladder: a request's headers say what its body says, or it is refused.

An intermediary that routes on a header while the server acts on the body is a
hole; so every header that mirrors the body is required, single, and equal. A value
that does not fit a header travels as `=?base64?…?=` and is compared decoded.

Source: MCP 2026-07-28 transports (request headers, header value encoding); base
protocol (per-request fields). Rungs in order: repeated header, `_meta`, version
header, method header, name header, version supported.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from remit.canonical import JsonObject
from remit.gateway.http import Headers
from remit.gateway.jsonrpc import Request
from remit.gateway.protocol import CAPABILITIES_KEY, MODERN_VERSIONS, VERSION_KEY
from remit.gateway.rejection import (
    RejectedError,
    header_mismatch,
    invalid_params,
    unsupported_version,
)

__all__ = [
    "check_modern_request",
    "decode_header_value",
    "encode_header_value",
    "refuse_repeated_headers",
    "routing_headers_of",
]

_NAMED_BY: Mapping[str, str] = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
_MAY_LACK_NAME = frozenset({"tasks/get", "tasks/update", "tasks/cancel"})
"""An extension asks for the header here, which clients that only know the protocol do not send."""
_SINGLE = (b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"mcp-session-id", b"last-event-id")
_SENTINEL = re.compile(r"=\?base64\?(?P<payload>.*)\?=")
_PLAIN = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def check_modern_request(request: Request, headers: Headers) -> str:
    """The protocol version of a request whose headers and body agree.

    Raises:
        RejectedError: -32602 without the required `_meta`, -32020 where a header
            disagrees, -32022 for a version that is not spoken here.
    """
    version = _version_of(request)
    try:
        _check_headers(request, headers, version)
    except RejectedError as rejected:
        raise rejected.about(request.id) from None
    if version not in MODERN_VERSIONS:
        raise unsupported_version(version).about(request.id)
    return version


def refuse_repeated_headers(headers: Headers) -> None:
    """Refuse a routing header that comes twice: first-copy and last-copy readers would disagree.

    Raises:
        RejectedError: a routing header or an `Mcp-Param-*` header appears more than once.
    """
    if not headers.any_repeated:
        return
    for name in _SINGLE:
        if len(headers.all(name)) > 1:
            raise header_mismatch(f"header `{name.decode()}` appears more than once")
    for name in headers.names_with_prefix(b"mcp-param-"):
        if len(headers.all(name)) > 1:
            raise header_mismatch("an `mcp-param-` header appears more than once")


def routing_headers_of(request: Request, version: str) -> tuple[tuple[str, str], ...]:
    """The headers that mirror `request`, made from its body."""
    found = [("mcp-protocol-version", version), ("mcp-method", encode_header_value(request.method))]
    member = _NAMED_BY.get(request.method)
    name = request.params.get(member) if member and request.params else None
    if isinstance(name, str):
        found.append(("mcp-name", encode_header_value(name)))
    return tuple(found)


def encode_header_value(value: str) -> str:
    """`value` as it stands if it survives a header field, else in the base64 form."""
    if _PLAIN.fullmatch(value) and not _SENTINEL.fullmatch(value):
        return value
    return f"=?base64?{base64.b64encode(value.encode()).decode()}?="


def decode_header_value(value: str) -> str | None:
    """What a header says once decoded; `None` if it is malformed, and so equal to nothing."""
    match = _SENTINEL.fullmatch(value)
    if match is None:
        return value if _PLAIN.fullmatch(value) else None
    payload = match["payload"]
    try:
        decoded = base64.b64decode(payload, validate=True)
        text = decoded.decode()
    except (binascii.Error, ValueError):
        return None
    # Trailing bits that `validate` lets pass would be a second spelling of one value.
    return text if base64.b64encode(decoded).decode() == payload else None


def _version_of(request: Request) -> str:
    meta = request.params.get("_meta") if request.params else None
    if not isinstance(meta, dict):
        raise invalid_params("member `params._meta` is not an object").about(request.id)
    absent = [key for key in (VERSION_KEY, CAPABILITIES_KEY) if key not in meta]
    if absent:
        raise invalid_params(f"`params._meta` lacks `{'` and `'.join(absent)}`").about(request.id)
    return _checked_version(meta, request)


def _checked_version(meta: JsonObject, request: Request) -> str:
    version, capabilities = meta[VERSION_KEY], meta[CAPABILITIES_KEY]
    if not isinstance(version, str):
        raise invalid_params(f"`{VERSION_KEY}` is not a string").about(request.id)
    if not isinstance(capabilities, dict):
        raise invalid_params(f"`{CAPABILITIES_KEY}` is not an object").about(request.id)
    return version


def _check_headers(request: Request, headers: Headers, version: str) -> None:
    if headers.one(b"mcp-protocol-version") != version:
        raise header_mismatch("header `mcp-protocol-version` is not the version in the body")
    if headers.one(b"mcp-method") != request.method:
        raise header_mismatch("header `mcp-method` is not the method in the body")
    member = _NAMED_BY.get(request.method)
    if member is None:
        return
    expected = request.params.get(member) if request.params else None
    if not isinstance(expected, str):
        raise invalid_params(f"parameter `{member}` is not a string")
    sent = headers.one(b"mcp-name")
    if sent is None and request.method in _MAY_LACK_NAME:
        return
    if sent is None or decode_header_value(sent) != expected:
        raise header_mismatch(f"header `mcp-name` is not the parameter `{member}` in the body")
