"""Calls that wait for an answer of the client's to a question of the server's.

A handle is random, good once, good for a time, and good only in the hands of the
principal whose call it is, for the very request that began it. It proves nothing: the
request that brings it has been decided like any other. A handle that is unknown, used,
too old, or somebody else's looks the same.

Source: MCP 2026-07-28 multi round-trip requests (`requestState`); MCP security best practices (state handles).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.clock import Clock
from remit.gateway.bridge.legacy_call import LegacyCall
from remit.gateway.jsonrpc import Request
from remit.gateway.principal import Principal
from remit.gateway.rejection import RejectedError, invalid_params
from remit.ids import new_secret
from remit.tokens.access_token import AccessToken

__all__ = ["Suspended", "SuspendedCall", "digest_of"]

_CHANGES_BY_ROUND = frozenset({"_meta", "inputResponses", "requestState"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendedCall:
    """A call, the question that it waits with, and which request began it."""

    call: LegacyCall
    question: Request
    principal: Principal
    digest: str
    since: float


class Suspended:
    """The suspended calls of one server. One whose answer does not come within `seconds` is given up."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._waiting: dict[str, SuspendedCall] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, call: LegacyCall, question: Request, digest: str) -> str:
        """Take in `call`; the handle by which its answer finds it."""
        handle = new_secret("brg_")
        self._waiting[handle] = SuspendedCall(
            call=call,
            question=question,
            principal=call.session.principal,
            digest=digest,
            since=self._clock.monotonic(),
        )
        return handle

    def claim(self, handle: Json, principal: Principal, digest: str) -> SuspendedCall:
        """The call that `handle` stands for, which is forgotten here.

        Raises:
            RejectedError: -32602, there is none for this principal; or it is about another request.
        """
        found = self._waiting.get(handle) if isinstance(handle, str) else None
        if found is None or found.principal != principal or self._is_late(found):
            raise _unknown()
        if found.digest != digest:
            raise invalid_params("`requestState` belongs to a request with other parameters")
        del self._waiting[str(handle)]
        return found

    def oldest(self, principal: Principal | None = None) -> SuspendedCall | None:
        """The call that has waited longest, of `principal`'s or of all; it is forgotten here."""
        for handle, one in self._waiting.items():
            if principal is None or one.principal == principal:
                return self._waiting.pop(handle)
        return None

    def late(self) -> tuple[SuspendedCall, ...]:
        """The calls whose answer has not come in time; they are forgotten here."""
        return self._taken(self._is_late)

    def unbacked(self, backs: Callable[[AccessToken], bool]) -> tuple[SuspendedCall, ...]:
        """The calls of whoever may act no more; they are forgotten here."""
        return self._taken(lambda one: not _backed(one, backs))

    def all(self) -> tuple[SuspendedCall, ...]:
        """Every call; they are forgotten here."""
        return self._taken(lambda _: True)

    def _taken(self, wanted: Callable[[SuspendedCall], bool]) -> tuple[SuspendedCall, ...]:
        taken = {handle: one for handle, one in self._waiting.items() if wanted(one)}
        for handle in taken:
            del self._waiting[handle]
        return tuple(taken.values())

    def _is_late(self, one: SuspendedCall) -> bool:
        return self._clock.monotonic() - one.since > self._seconds


def digest_of(method: str, params: "JsonObject | None") -> str:
    """What must be the same in every round of one call."""
    same: JsonObject = {
        name: value for name, value in (params or {}).items() if name not in _CHANGES_BY_ROUND
    }
    return hashlib.sha256(canonical_bytes({"method": method, "params": same})).hexdigest()


def _backed(one: SuspendedCall, backs: Callable[[AccessToken], bool]) -> bool:
    token = one.call.session.token
    return token is None or backs(token)


def _unknown() -> RejectedError:
    return invalid_params("`requestState` is not known, has been used, or has waited too long")
