"""What the gateway itself refuses, before or beside the guard: malformed, oversize, misdirected.

Raised where it is known, rendered once at the door. Every body is a well-formed
JSON-RPC error, so that no client takes the gateway for a server of another era.

Source: MCP 2026-07-28 transports (error statuses), base protocol (error codes).
"""

from typing import ClassVar

from remit.canonical import Json
from remit.errors import Error, UnavailableError
from remit.gateway.jsonrpc import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    UNSUPPORTED_VERSION,
    JsonRpcId,
)
from remit.gateway.protocol import MODERN_VERSIONS

__all__ = [
    "NoPlaceError",
    "RejectedError",
    "UpstreamError",
    "header_mismatch",
    "invalid_params",
    "method_not_found",
    "unsupported_version",
]


class RejectedError(Error):
    """The gateway refuses this message: an HTTP status and a JSON-RPC error."""

    code: ClassVar[str] = "rejected"

    def __init__(
        self, status: int, detail: str, *, rpc_code: int = INVALID_REQUEST, data: Json = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.rpc_code = rpc_code
        self.data = data
        self.id: JsonRpcId | None = None
        self.headers: tuple[tuple[bytes, bytes], ...] = ()

    def about(self, message_id: JsonRpcId | None) -> "RejectedError":
        """This refusal, addressed to the request `message_id`."""
        self.id = message_id
        return self

    def with_header(self, name: bytes, value: bytes) -> "RejectedError":
        """This refusal, sent with one more header."""
        self.headers = (*self.headers, (name, value))
        return self


class UpstreamError(UnavailableError):
    """The server behind the gateway did not answer as the protocol asks.

    `timed_out` tells slow from wrong; `upstream_status` is its HTTP status, if it sent one.
    """

    code: ClassVar[str] = "upstream_failed"

    def __init__(
        self,
        detail: str,
        *,
        timed_out: bool = False,
        upstream_status: int | None = None,
        session_ended: bool = False,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(detail, cause=cause)
        self.timed_out = timed_out
        self.upstream_status = upstream_status
        self.session_ended = session_ended


class NoPlaceError(UpstreamError):
    """As many sessions are open with the server as there may be."""

    def __init__(self) -> None:
        super().__init__("as many sessions are open with the server as there may be")


def header_mismatch(detail: str) -> RejectedError:
    """A header is missing, repeated, malformed, or says something else than the body."""
    return RejectedError(400, detail, rpc_code=HEADER_MISMATCH)


def invalid_params(detail: str) -> RejectedError:
    """The parameters lack what this revision requires of every request."""
    return RejectedError(400, detail, rpc_code=INVALID_PARAMS)


def method_not_found(method: str, *, modern: bool) -> RejectedError:
    """The gateway does not carry `method`."""
    return RejectedError(
        404 if modern else 200,
        f"method `{printable(method)}` is not offered",
        rpc_code=METHOD_NOT_FOUND,
    )


def unsupported_version(requested: str, supported: tuple[str, ...] | None = None) -> RejectedError:
    """Nobody here speaks `requested`; the answer names what is spoken."""
    spoken = MODERN_VERSIONS if supported is None else supported
    return RejectedError(
        400,
        f"protocol version `{printable(requested)}` is not supported",
        rpc_code=UNSUPPORTED_VERSION,
        data={"supported": list(spoken), "requested": requested[:64]},
    )


def printable(text: str) -> str:
    """`text` fit for an error message: printable ASCII, at most 64 characters."""
    return "".join(character if " " <= character <= "~" else "?" for character in text[:64])
