"""The state of a multi round-trip request, on its way through the client and back.

What a server behind asks the client to keep is sealed for whoever it was given to: the principal,
the server, the method, what it is about and the arguments, for ten minutes. It is opened for the
same request alone. Refused, all in the same words: a state of another principal's or another
call's, one that has expired, was changed, or was never given out here.

Single use is the server's to enforce: two retries of one call are two calls, each decided. A state says under which
decision the call went up when its server asked: as what it was counted (`guard.account`), and for what was spent what people
said of it (`guard.elevations`). Where people are asked before anything goes up, the state is ours alone: whom it waits for, and
what the server's own was until then. It says that a call comes again, and never that it may be.

Source: MCP 2026-07-28 multi round-trip requests (server requirements 4, 5); docs/adr/0025-cures.md.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.clock import Clock, EpochSeconds, Seconds
from remit.gateway.jsonrpc import INVALID_PARAMS, Request
from remit.gateway.principal import Principal
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.sealed import Seal
from remit.guard.call import Earlier
from remit.ids import ServerName

__all__ = ["NOTHING_KEPT", "STATE_LIFETIME", "Kept", "RequestStates", "Waits"]

STATE_LIFETIME: Final = Seconds(600)
_LONGEST: Final = 64 * 1024
"""A server's state, in characters."""
_LONGEST_SEALED: Final = 2 * _LONGEST
_BOUND: Final = ("tools/call", "resources/read", "prompts/get")
_MEMBER: Final = "requestState"
_RESPONSES: Final = "inputResponses"


@dataclass(frozen=True, slots=True)
class Waits:
    """For which request to people a retry waits, and how often it was sent back without an answer."""

    request_id: str
    rounds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is known of a call that comes again, besides its server's own state."""

    earlier: Earlier | None = None
    """The decision under which it went up before."""
    justification: Json = None
    """Why, as its person said in a form."""
    asked_why: bool = False
    """Whether its person was given that form."""
    waits: Waits | None = None

    @property
    def causes(self) -> tuple[str, ...]:
        """What the call comes again for: an earlier decision, a request to people."""
        earlier = () if self.earlier is None else (self.earlier.decision_id,)
        return earlier if self.waits is None else (*earlier, self.waits.request_id)


NOTHING_KEPT: Final = Kept()


class RequestStates:
    """Seals and opens the states of one installation."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._seal = Seal(key, longest=_LONGEST_SEALED)
        self._clock = clock

    def now(self) -> EpochSeconds:
        """The time by which states end."""
        return self._clock.now()

    @staticmethod
    def are_in(request: Request) -> bool:
        """Whether `request` comes again with a state."""
        return request.method in _BOUND and (request.params or {}).get(_MEMBER) is not None

    def opened(self, request: Request, server: ServerName, principal: Principal) -> Request:
        """`request` with the state as the server gave it out; as it is, where it carries none.

        Raises:
            RejectedError: -32602, the state is not good for this request.
        """
        params = request.params
        if params is None or not self.are_in(request):
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
        rest, ours = dict(params), claims["s"]
        del rest[_MEMBER]
        answers, before = params.get(_RESPONSES), claims.get("i")
        if isinstance(before, dict):
            # What the client had answered its server when people were asked.
            rest[_RESPONSES] = {**before, **(answers if isinstance(answers, dict) else {})}
        if ours is not None:
            rest[_MEMBER] = ours
        return Request(request.id, request.method, rest)

    def kept(self, request: Request, server: ServerName) -> Kept:
        """What is known of the same call from when it came before, whoever made it; `NOTHING_KEPT` where nothing says so."""
        text = (request.params or {}).get(_MEMBER)
        claims = self._seal.open(text) if isinstance(text, str) else None
        if request.method not in _BOUND or claims is None:
            return NOTHING_KEPT
        if not self._is_good(claims, _binding(request, server)):
            return NOTHING_KEPT
        use, at, waits, rounds = (claims.get(name) for name in "utwr")
        return Kept(
            earlier=Earlier(use, EpochSeconds(at))
            if isinstance(use, str) and isinstance(at, int)
            else None,
            justification=claims.get("j"),
            asked_why=claims.get("f") is True,
            waits=Waits(waits, rounds)
            if isinstance(waits, str) and isinstance(rounds, int)
            else None,
        )

    def sealed(
        self,
        result: JsonObject,
        request: Request,
        server: ServerName,
        principal: Principal,
        *,
        kept: Kept = NOTHING_KEPT,
    ) -> JsonObject:
        """`result` with its state sealed for whoever made `request`; as it is, where it has none and nothing is kept.

        Raises:
            UpstreamError: the state is no string, or longer than may be.
        """
        state = result.get(_MEMBER)
        if result.get("resultType") != "input_required":
            return result
        if _MEMBER not in result and kept == NOTHING_KEPT:
            return result
        if (_MEMBER in result and not isinstance(state, str)) or len(str(state)) > _LONGEST:
            raise UpstreamError("the server's request state is no string, or too long")
        claims = self._claims(request, server, principal, kept) | {"s": state}
        return {**result, _MEMBER: self._seal.seal(claims)}

    def ours(
        self, request: Request, server: ServerName, principal: Principal, *, kept: Kept
    ) -> str:
        """A state of our own for `request`, which has been opened: what its server gave out and was answered is in it.

        More than a client can be asked to carry is left out, and the server asks for it anew.
        """
        params = request.params or {}
        before: JsonObject = {"s": params.get(_MEMBER)}
        if _RESPONSES in params:
            before["i"] = params[_RESPONSES]
        if len(canonical_bytes(before)) > _LONGEST:
            before = {"s": None}
        return self._seal.seal(self._claims(request, server, principal, kept) | before)

    def _claims(
        self, request: Request, server: ServerName, principal: Principal, kept: Kept
    ) -> JsonObject:
        claims: JsonObject = {
            **_binding(request, server, principal),
            "e": self._clock.now() + STATE_LIFETIME,
        }
        if kept.earlier is not None:
            claims |= {"u": kept.earlier.decision_id, "t": kept.earlier.at}
        if kept.justification is not None:
            claims["j"] = kept.justification
        if kept.asked_why:
            claims["f"] = True
        if kept.waits is not None:
            claims |= {"w": kept.waits.request_id, "r": kept.waits.rounds}
        return claims

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
