"""The state of a multi round-trip request, on its way through the client and back.

What a server behind asks the client to keep is sealed for whoever it was given to: the principal,
the server, the method, what it is about and the arguments, for ten minutes. It is opened for the
same request alone. Refused, all in the same words: a state of another principal's or another
call's, one that has expired, was changed, or was never given out here.

Single use is the server's to enforce: two retries of one call are two calls, each decided.

Source: MCP 2026-07-28 multi round-trip requests (server requirements 4, 5).
"""

import hashlib
from typing import Final

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.clock import Clock, Seconds
from remit.gateway.jsonrpc import INVALID_PARAMS, Request
from remit.gateway.principal import Principal
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.sealed import Seal
from remit.ids import ServerName

__all__ = ["STATE_LIFETIME", "RequestStates"]

STATE_LIFETIME: Final = Seconds(600)
_LONGEST: Final = 64 * 1024
"""A server's state, in characters."""
_LONGEST_SEALED: Final = 2 * _LONGEST
_BOUND: Final = ("tools/call", "resources/read", "prompts/get")
_MEMBER: Final = "requestState"


class RequestStates:
    """Seals and opens the states of one installation."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._seal = Seal(key, longest=_LONGEST_SEALED)
        self._clock = clock

    def opened(self, request: Request, server: ServerName, principal: Principal) -> Request:
        """`request` with the state as the server gave it out; as it is, where it carries none.

        Raises:
            RejectedError: -32602, the state is not good for this request.
        """
        params = request.params
        if request.method not in _BOUND or params is None or params.get(_MEMBER) is None:
            return request
        text = params[_MEMBER]
        claims = self._seal.open(text) if isinstance(text, str) else None
        if claims is None or not self._is_good(claims, request, server, principal):
            raise RejectedError(
                400,
                "Invalid or expired requestState",
                rpc_code=INVALID_PARAMS,
                data={"reason": "invalid_request_state"},
            ).about(request.id)
        return Request(request.id, request.method, {**params, _MEMBER: claims["s"]})

    def sealed(
        self, result: JsonObject, request: Request, server: ServerName, principal: Principal
    ) -> JsonObject:
        """`result` with its state sealed for whoever made `request`; as it is, where it has none.

        Raises:
            UpstreamError: the state is no string, or longer than may be.
        """
        if result.get("resultType") != "input_required" or _MEMBER not in result:
            return result
        state = result[_MEMBER]
        if not isinstance(state, str) or len(state) > _LONGEST:
            raise UpstreamError("the server's request state is no string, or too long")
        claims = {
            **_binding(request, server, principal),
            "e": self._clock.now() + STATE_LIFETIME,
            "s": state,
        }
        return {**result, _MEMBER: self._seal.seal(claims)}

    def _is_good(
        self, claims: JsonObject, request: Request, server: ServerName, principal: Principal
    ) -> bool:
        expires = claims.get("e")
        bound = _binding(request, server, principal)
        return (
            isinstance(expires, int)
            and self._clock.now() < expires
            and isinstance(claims.get("s"), str)
            and all(claims.get(name) == value for name, value in bound.items())
        )


def _binding(request: Request, server: ServerName, principal: Principal) -> JsonObject:
    """What a state is bound to. The arguments are named one by one: progress tokens and traces may differ."""
    params = request.params or {}
    about: Json = params.get("uri") if request.method == "resources/read" else params.get("name")
    arguments = canonical_bytes(params.get("arguments") or {})
    return {
        "p": principal.claims(),
        "v": str(server),
        "m": request.method,
        "n": about,
        "a": hashlib.sha256(arguments).hexdigest(),
    }
