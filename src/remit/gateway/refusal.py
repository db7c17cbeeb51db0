"""The guard's refusals and the gateway's own, said on the wire.

Source: RFC 9728 §5.1; MCP 2026-07-28 transports (error bodies are JSON-RPC).
"""

from remit.canonical import JsonObject
from remit.gateway.http import Exchange
from remit.gateway.jsonrpc import (
    INTERNAL_ERROR,
    JsonRpcId,
    Response,
    error_response,
)
from remit.gateway.protected_resource import metadata_url
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.guard.challenge import RefusalResponse, refusal_response
from remit.guard.outcome import Challenge, Deny
from remit.model import Server

__all__ = [
    "answer_refusal",
    "answer_rejection",
    "failure_response",
    "refusal_of",
    "status_of_failure",
]


def refusal_of(outcome: Challenge | Deny, server: Server, *, public_url: str) -> RefusalResponse:
    """What is sent for `outcome` at `server`."""
    return refusal_response(
        outcome,
        resource_metadata_url=metadata_url(public_url, server),
        baseline=server.baseline_scopes,
    )


async def answer_refusal(
    exchange: Exchange, refusal: RefusalResponse, request_id: JsonRpcId | None
) -> None:
    """Send what the guard refused, with its challenge."""
    body: JsonObject = {"jsonrpc": "2.0", "id": request_id, "error": refusal.error}
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in refusal.headers]
    await exchange.answer_json(refusal.status, body, headers)


async def answer_rejection(exchange: Exchange, rejected: RejectedError) -> None:
    """Send what the gateway itself refused."""
    response = error_response(rejected.id, rejected.rpc_code, rejected.detail, rejected.data)
    await exchange.answer_json(rejected.status, response.to_json(), rejected.headers)


def failure_response(request_id: JsonRpcId, error: UpstreamError) -> Response:
    """What the caller learns of a server that failed: that it did, and in what way."""
    reason = "upstream_timeout" if error.timed_out else "upstream_failed"
    return error_response(request_id, INTERNAL_ERROR, error.detail, {"reason": reason})


def status_of_failure(error: UpstreamError) -> int:
    """504 for a server that is slow, 502 for one that is wrong."""
    return 504 if error.timed_out else 502
