"""How a refusal is said on the wire: status, `WWW-Authenticate`, JSON-RPC error.

A 401 or a 403 with a challenge means that another token would do, and says which. A
refusal that no token changes carries none. Our own JSON-RPC codes are positive,
where the specification reserves nothing; what a server says of an unknown tool or
wrong arguments is said with the server's own code, so that a hidden thing is
answered like a missing one.

Source: RFC 6585 §4; RFC 6750 §3; RFC 9110 §10.2.3; RFC 9449 §7.1, §9; RFC 9728 §5.1; O21 §3.2.4 (characters); JSON-RPC 2.0 §5.1; MCP
2026-07-28 authorization, error handling.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.canonical import JsonObject
from remit.guard.outcome import Challenge, Deny, RefusalReason
from remit.guard.remedy import MISSING_SERVER, Obtainable, remedy_of
from remit.ids import ScopeName
from remit.scopes import is_scope_token
from remit.tokens.dpop import DPOP_ALGORITHMS

__all__ = ["RefusalResponse", "refusal_response", "www_authenticate"]

_INVALID_REQUEST: Final = -32600
_INVALID_PARAMS: Final = -32602
_RETRY_AFTER: Final = 1
_UNSPEAKABLE: Final = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


@dataclass(frozen=True, slots=True)
class _Wire:
    """How one reason is said. `error` is the code of RFC 6750 §3.1, where there is one."""

    status: int
    code: int
    error: str | None = None


_WIRE: Final[Mapping[RefusalReason, _Wire]] = MappingProxyType(
    {
        RefusalReason.MISSING_TOKEN: _Wire(401, 1001),
        RefusalReason.INVALID_TOKEN: _Wire(401, 1002, error="invalid_token"),
        RefusalReason.INVALID_PROOF: _Wire(401, 1012, error="invalid_dpop_proof"),
        RefusalReason.NONCE_NEEDED: _Wire(401, 1013, error="use_dpop_nonce"),
        RefusalReason.TOO_MANY_PROOFS: _Wire(503, 1014),
        RefusalReason.INSUFFICIENT_SCOPE: _Wire(403, 1003, error="insufficient_scope"),
        RefusalReason.MALFORMED_REQUEST: _Wire(400, _INVALID_REQUEST, error="invalid_request"),
        RefusalReason.FORBIDDEN: _Wire(403, 1004),
        RefusalReason.NOT_FOUND: _Wire(200, _INVALID_PARAMS),
        RefusalReason.INVALID_ARGUMENTS: _Wire(200, _INVALID_PARAMS),
        RefusalReason.OUTSIDE_DETAILS: _Wire(403, 1015),
        RefusalReason.WRONG_TENANT: _Wire(403, 1005),
        RefusalReason.WRONG_ENVIRONMENT: _Wire(403, 1006),
        RefusalReason.ABOVE_CLEARANCE: _Wire(403, 1007),
        RefusalReason.QUARANTINED: _Wire(403, 1016),
        RefusalReason.RATE_LIMITED: _Wire(429, 1017),
        RefusalReason.TOO_MANY_CALLS: _Wire(429, 1018),
        RefusalReason.JUSTIFICATION_NEEDED: _Wire(403, 1019),
        RefusalReason.STEP_UP_NEEDED: _Wire(403, 1020),
        RefusalReason.APPROVAL_NEEDED: _Wire(403, 1021),
        RefusalReason.LIMIT_REACHED: _Wire(429, 1022),
        RefusalReason.CONFIRMATION_NEEDED: _Wire(403, 1023),
        RefusalReason.ELEVATION_NEEDED: _Wire(403, 1024),
        RefusalReason.ENGINE_ERROR: _Wire(500, 1008),
        RefusalReason.STALE_SNAPSHOT: _Wire(503, 1009),
        RefusalReason.AUDIT_UNAVAILABLE: _Wire(503, 1010),
    }
)

_MISSING_SERVER: Final = _Wire(404, 1011)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalResponse:
    """`error` is the JSON-RPC error object; what stands in its `data` is on the reference page of refusals."""

    status: int
    headers: tuple[tuple[str, str], ...]
    error: JsonObject


def refusal_response(
    outcome: Challenge | Deny, *, resource_metadata_url: str, baseline: Sequence[ScopeName] = ()
) -> RefusalResponse:
    """What a door sends for `outcome`; `baseline` are the server's, for a 401."""
    wire, remedy = _WIRE[outcome.reason], remedy_of(outcome.reason)
    if isinstance(outcome, Deny) and outcome.about_server:
        wire, remedy = _MISSING_SERVER, MISSING_SERVER
    headers = [("Cache-Control", "no-store")]
    challenge = www_authenticate(
        outcome, resource_metadata_url=resource_metadata_url, baseline=baseline
    )
    if challenge is not None:
        headers.append(("WWW-Authenticate", challenge))
    data: JsonObject = {
        "reason": outcome.reason.value,
        "detail": outcome.detail,
        "message": remedy.message,
        "missing": _missing(outcome),
        "obtainable": remedy.obtainable.value,
        "how": remedy.how,
        "scopes": list(_scopes(outcome, baseline)),
        "retry": remedy.obtainable is Obtainable.WAIT,
        "decision": outcome.decision_id,
    }
    if remedy.obtainable is Obtainable.WAIT:
        seconds = (outcome.retry_after if isinstance(outcome, Deny) else None) or _RETRY_AFTER
        headers.append(("Retry-After", str(seconds)))
        data["retry_after"] = seconds
    error: JsonObject = {"code": wire.code, "message": outcome.detail, "data": data}
    return RefusalResponse(status=wire.status, headers=tuple(headers), error=error)


def www_authenticate(
    outcome: Challenge | Deny, *, resource_metadata_url: str, baseline: Sequence[ScopeName] = ()
) -> str | None:
    """The value of `WWW-Authenticate`; `None` where no credentials would change the answer."""
    wire = _WIRE[outcome.reason]
    if wire.error is None and outcome.reason is not RefusalReason.MISSING_TOKEN:
        return None
    parameters: list[tuple[str, str]] = []
    # RFC 6750 §3.1: to a request without credentials nothing is said about an error.
    if wire.error is not None:
        parameters += [("error", wire.error), ("error_description", outcome.detail)]
    scopes = _scopes(outcome, baseline)
    if scopes:
        parameters.append(("scope", " ".join(scopes)))
    parameters.append(("resource_metadata", resource_metadata_url))
    scheme = "Bearer"
    if isinstance(outcome, Challenge) and outcome.dpop:
        # RFC 9449 §7.1: which algorithms a proof may be signed with.
        scheme = "DPoP"
        parameters.append(("algs", " ".join(DPOP_ALGORITHMS)))
    said = ", ".join(f'{name}="{_speakable(value)}"' for name, value in parameters)
    return f"{scheme} {said}"


def _missing(outcome: Challenge | Deny) -> JsonObject:
    """What the call lacks: scopes that the token has not, the argument that is at fault, what policies want besides."""
    if isinstance(outcome, Deny):
        return _wanting(outcome) if outcome.argument is None else {"argument": outcome.argument}
    scopes = [scope for scope in outcome.missing if is_scope_token(scope)]
    return {"scopes": [*scopes]} if scopes else {}


def _wanting(deny: Deny) -> JsonObject:
    """What policies want besides, each under its kind: one as a text, several as a list."""
    wanting: JsonObject = {}
    for kind in dict.fromkeys(one.kind for one in deny.needs):
        values = list(dict.fromkeys(one.value for one in deny.needs if one.kind is kind))
        wanting[kind.value] = values[0] if len(values) == 1 else [*values]
    return wanting


def _scopes(outcome: Challenge | Deny, baseline: Sequence[ScopeName]) -> tuple[ScopeName, ...]:
    """What to ask for: everything this operation needs, or what a new token should start with."""
    match outcome:
        case Challenge(reason=RefusalReason.INSUFFICIENT_SCOPE):
            scopes: Sequence[ScopeName] = outcome.scopes
        case Challenge():
            scopes = baseline
        case Deny():
            scopes = ()
    return tuple(scope for scope in scopes if is_scope_token(scope))


def _speakable(text: str) -> str:
    """`text` in the characters a quoted parameter may hold; others could end it, or the header."""
    return _UNSPEAKABLE.sub("'", text)
