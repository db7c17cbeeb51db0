"""The state of a multi round-trip request, on its way through the client and back.

What a server behind asks the client to keep is sealed for whoever it was given to: the principal,
the server, the method, what it is about and the arguments, for ten minutes. It is opened for the
same request alone. Refused, all in the same words: a state of another principal's or another
call's, one that has expired, was changed, or was never given out here.

Single use is the server's to enforce: two retries of one call are two calls, each decided. A state says as what the
call was counted when its server asked (`guard.account`); where a server keeps no state of its own, ours says that alone.

Source: MCP 2026-07-28 multi round-trip requests (server requirements 4, 5).
"""

import hashlib
from typing import Final

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.clock import Clock, EpochSeconds, Seconds
from remit.gateway.jsonrpc import INVALID_PARAMS, Request
from remit.gateway.principal import Principal
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.sealed import Seal
from remit.guard.call import Earlier
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
        if claims is None or not self._is_good(claims, _binding(request, server, principal)):
            raise RejectedError(
                400,
                "Invalid or expired requestState",
                rpc_code=INVALID_PARAMS,
                data={"reason": "invalid_request_state"},
            ).about(request.id)
        rest = {name: value for name, value in params.items() if name != _MEMBER}
        given = {} if claims["s"] is None else {_MEMBER: claims["s"]}
        return Request(request.id, request.method, {**rest, **given})

    def earlier(self, request: Request, server: ServerName) -> Earlier | None:
        """As what the same call was counted when it came before, whoever made it; `None` where nothing says so."""
        text = (request.params or {}).get(_MEMBER)
        claims = self._seal.open(text) if isinstance(text, str) else None
        if request.method not in _BOUND or claims is None:
            return None
        use, at = claims.get("u"), claims.get("t")
        if not isinstance(use, str) or not isinstance(at, int):
            return None
        good = self._is_good(claims, _binding(request, server))
        return Earlier(use, EpochSeconds(at)) if good else None

    def sealed(
        self,
        result: JsonObject,
        request: Request,
        server: ServerName,
        principal: Principal,
        *,
        counted: Earlier | None = None,
    ) -> JsonObject:
        """`result` with its state sealed for whoever made `request`; as it is, where it has none and nothing counts.

        Raises:
            UpstreamError: the state is no string, or longer than may be.
        """
        state = result.get(_MEMBER)
        if result.get("resultType") != "input_required":
            return result
        if _MEMBER not in result and counted is None:
            return result
        if (_MEMBER in result and not isinstance(state, str)) or len(str(state)) > _LONGEST:
            raise UpstreamError("the server's request state is no string, or too long")
        claims: JsonObject = {
            **_binding(request, server, principal),
            "e": self._clock.now() + STATE_LIFETIME,
            "s": state,
        }
        if counted is not None:
            claims |= {"u": counted.decision_id, "t": counted.at}
        return {**result, _MEMBER: self._seal.seal(claims)}

    def _is_good(self, claims: JsonObject, bound: JsonObject) -> bool:
        expires = claims.get("e")
        return (
            isinstance(expires, int)
            and self._clock.now() < expires
            and "s" in claims
            and all(claims.get(name) == value for name, value in bound.items())
        )


def _binding(
    request: Request, server: ServerName, principal: Principal | None = None
) -> JsonObject:
    """What a state is bound to; whose it is, where that is known. The arguments are named one by one: progress tokens and traces may differ."""
    params = request.params or {}
    about: Json = params.get("uri") if request.method == "resources/read" else params.get("name")
    arguments = canonical_bytes(params.get("arguments") or {})
    whose: JsonObject = {} if principal is None else {"p": principal.claims()}
    return {
        **whose,
        "v": str(server),
        "m": request.method,
        "n": about,
        "a": hashlib.sha256(arguments).hexdigest(),
    }
