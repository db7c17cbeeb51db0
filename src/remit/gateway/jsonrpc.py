"""One JSON-RPC message, read strictly; and the errors that answer what is refused.

Refused: arrays and batches, anything that is not exactly one request, notification
or response, an id that is not a string or an integer, `params` that is not an
object, and all that `canonical` refuses. Members that JSON-RPC does not define are
read past and never sent on: only what was judged travels.

Source: JSON-RPC 2.0 §4, §5; MCP 2026-07-28 transports (one message per POST).
"""

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from remit.canonical import (
    MAX_VALUES,
    Json,
    JsonObject,
    MalformedJsonError,
    canonical_bytes,
    parse_json,
)
from remit.errors import Error

__all__ = [
    "HEADER_MISMATCH",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "MISSING_CAPABILITY",
    "PARSE_ERROR",
    "UNSUPPORTED_VERSION",
    "InvalidMessageError",
    "JsonRpcId",
    "Message",
    "Notification",
    "Request",
    "Response",
    "error_response",
    "parse_message",
]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022

_MAX_ID = 256
_MAX_METHOD = 128

JsonRpcId: TypeAlias = str | int


class InvalidMessageError(Error):
    """The bytes are not one JSON-RPC message. `rpc_code` is -32700 or -32600; `id` is known or `None`."""

    code: ClassVar[str] = "invalid_message"

    def __init__(self, detail: str, *, rpc_code: int, id: JsonRpcId | None = None) -> None:  # noqa: A002
        super().__init__(detail)
        self.rpc_code = rpc_code
        self.id = id


@dataclass(frozen=True, slots=True)
class Request:
    """A message that is owed exactly one response."""

    id: JsonRpcId
    method: str
    params: "JsonObject | None" = None

    def to_json(self) -> JsonObject:
        message: JsonObject = {"jsonrpc": "2.0", "id": self.id, "method": self.method}
        if self.params is not None:
            message["params"] = self.params
        return message


@dataclass(frozen=True, slots=True)
class Notification:
    """A message that is owed nothing."""

    method: str
    params: "JsonObject | None" = None

    def to_json(self) -> JsonObject:
        message: JsonObject = {"jsonrpc": "2.0", "method": self.method}
        if self.params is not None:
            message["params"] = self.params
        return message


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request: a result, or an error. `id` is `None` only in an error."""

    id: JsonRpcId | None
    result: "JsonObject | None" = None
    error: "JsonObject | None" = None
    _payload: bytes | None = field(default=None, init=False, compare=False, repr=False)

    def to_json(self) -> JsonObject:
        message: JsonObject = {"jsonrpc": "2.0", "id": self.id}
        if self.error is not None:
            message["error"] = self.error
        else:
            message["result"] = self.result
        return message

    def payload(self) -> bytes:
        """The result or the error in canonical JSON. Written once: it is digested, and then sent."""
        if self._payload is None:
            written = canonical_bytes(self.result if self.error is None else self.error)
            object.__setattr__(self, "_payload", written)
            return written
        return self._payload

    def with_member(self, name: str, value: JsonObject) -> "Response":
        """This result, with one member more; what has been written of it is not written again."""
        result = self.result or {}
        more = Response(self.id, {name: value, **result})
        written = self._payload
        if written is not None and result and name < min(result):
            first = canonical_bytes({name: value})
            object.__setattr__(more, "_payload", first[:-1] + b"," + written[1:])
        return more

    def to_bytes(self) -> bytes:
        """`to_json` in canonical JSON."""
        message_id = canonical_bytes(self.id)
        if self.error is not None:
            return b'{"error":%b,"id":%b,"jsonrpc":"2.0"}' % (self.payload(), message_id)
        return b'{"id":%b,"jsonrpc":"2.0","result":%b}' % (message_id, self.payload())


Message: TypeAlias = Request | Notification | Response


def parse_message(data: bytes, *, max_values: int = MAX_VALUES) -> Message:
    """Read one message of at most `max_values` values.

    Raises:
        InvalidMessageError: not strict JSON (-32700), or not one message (-32600).
    """
    try:
        value = parse_json(data, max_values=max_values)
    except MalformedJsonError as error:
        raise InvalidMessageError(error.detail, rpc_code=PARSE_ERROR) from error
    if not isinstance(value, dict):
        raise _invalid("the body is not one JSON-RPC message")
    if value.get("jsonrpc") != "2.0":
        raise _invalid("member `jsonrpc` is not `2.0`")
    return _response(value) if "method" not in value else _call(value)


def error_response(
    id: JsonRpcId | None,  # noqa: A002
    code: int,
    message: str,
    data: Json = None,
) -> Response:
    """The response that says why there is no result."""
    error: JsonObject = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return Response(id, error=error)


def _call(value: JsonObject) -> Request | Notification:
    method = value["method"]
    message_id = _id(value)
    if "result" in value or "error" in value:
        raise _invalid("a message is a request or a response, not both")
    if not isinstance(method, str) or not 0 < len(method) <= _MAX_METHOD:
        raise _invalid("member `method` is not a short string", message_id)
    params = value.get("params")
    if "params" in value and not isinstance(params, dict):
        raise _invalid("member `params` is not an object", message_id)
    checked = params if isinstance(params, dict) else None
    if message_id is None:
        return Notification(method, checked)
    return Request(message_id, method, checked)


def _response(value: JsonObject) -> Response:
    if ("result" in value) == ("error" in value):
        raise _invalid("the message has neither a method, nor one of result and error")
    if "result" in value:
        message_id, result = _id(value), value["result"]
        if message_id is None or not isinstance(result, dict):
            raise _invalid("a result needs an id and must be an object")
        return Response(message_id, result=result)
    error = value["error"]
    message_id = None if value.get("id") is None else _id(value)
    if not isinstance(error, dict) or not _is_error(error):
        raise _invalid("member `error` needs an integer `code` and a string `message`", message_id)
    return Response(message_id, error=error)


def _is_error(error: JsonObject) -> bool:
    code = error.get("code")
    return (
        isinstance(code, int)
        and not isinstance(code, bool)
        and isinstance(error.get("message"), str)
    )


def _id(value: JsonObject) -> JsonRpcId | None:
    if "id" not in value:
        return None
    message_id = value["id"]
    if isinstance(message_id, bool) or not isinstance(message_id, str | int):
        raise _invalid("member `id` is neither a string nor an integer")
    if isinstance(message_id, str) and len(message_id) > _MAX_ID:
        raise _invalid(f"member `id` is longer than {_MAX_ID} characters")
    return message_id


def _invalid(detail: str, message_id: JsonRpcId | None = None) -> InvalidMessageError:
    return InvalidMessageError(detail, rpc_code=INVALID_REQUEST, id=message_id)
