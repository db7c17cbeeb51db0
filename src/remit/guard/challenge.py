"""How a refusal is said on the wire: status, `WWW-Authenticate`, JSON-RPC error.

A 401 or a 403 with a challenge means that another token would do, and says which. A
refusal that no token changes carries none. Our own JSON-RPC codes are positive,
where the specification reserves nothing; what a server says of an unknown tool or
wrong arguments is said with the server's own code, so that a hidden thing is
answered like a missing one.

Source: RFC 6750 §3; RFC 9449 §7.1, §9; RFC 9728 §5.1; O21 §3.2.4 (characters); JSON-RPC 2.0 §5.1; MCP
2026-07-28 authorization, error handling.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.canonical import JsonObject
from remit.guard.outcome import Challenge, Deny, RefusalReason
from remit.ids import ScopeName
from remit.scopes import is_scope_token
from remit.tokens.dpop import DPOP_ALGORITHMS

__all__ = ["RefusalResponse", "refusal_response", "www_authenticate"]

_INVALID_REQUEST: Final = -32600
_INVALID_PARAMS: Final = -32602
_RETRY_AFTER: Final = "1"
_UNSPEAKABLE: Final = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


@dataclass(frozen=True, slots=True)
class _Wire:
    """How one reason is said. `error` is the code of RFC 6750 §3.1, where there is one."""

    status: int
    code: int
    how: str
    error: str | None = None
    retry: bool = False


_WIRE: Final[Mapping[RefusalReason, _Wire]] = MappingProxyType(
    {
        RefusalReason.MISSING_TOKEN: _Wire(401, 1001, "authorize, and send the token"),
        RefusalReason.INVALID_TOKEN: _Wire(
            401, 1002, "refresh the token, or authorize again", error="invalid_token"
        ),
        RefusalReason.INVALID_PROOF: _Wire(
            401,
            1012,
            "make a new proof for this very request, and repeat it",
            error="invalid_dpop_proof",
        ),
        RefusalReason.NONCE_NEEDED: _Wire(
            401,
            1013,
            "repeat the request with a proof that carries the nonce of `DPoP-Nonce`",
            error="use_dpop_nonce",
        ),
        RefusalReason.TOO_MANY_PROOFS: _Wire(503, 1014, "repeat the call later", retry=True),
        RefusalReason.INSUFFICIENT_SCOPE: _Wire(
            403,
            1003,
            "authorize again for the scopes named here, and repeat the call",
            error="insufficient_scope",
        ),
        RefusalReason.MALFORMED_REQUEST: _Wire(
            400,
            _INVALID_REQUEST,
            "send one `Authorization` header, with the token after its scheme",
            error="invalid_request",
        ),
        RefusalReason.FORBIDDEN: _Wire(
            403, 1004, "do not repeat the call as it is; tell the person what was refused"
        ),
        RefusalReason.NOT_FOUND: _Wire(
            200, _INVALID_PARAMS, "list what there is, and use a name from the list"
        ),
        RefusalReason.INVALID_ARGUMENTS: _Wire(
            200, _INVALID_PARAMS, "correct the argument, and repeat the call"
        ),
        RefusalReason.OUTSIDE_DETAILS: _Wire(
            403, 1015, "keep within the authorization details, or authorize again for this call"
        ),
        RefusalReason.WRONG_TENANT: _Wire(403, 1005, "use a server of your organization"),
        RefusalReason.WRONG_ENVIRONMENT: _Wire(403, 1006, "use a server of your environment"),
        RefusalReason.ABOVE_CLEARANCE: _Wire(403, 1007, "do not repeat the call"),
        RefusalReason.QUARANTINED: _Wire(
            403, 1016, "do not repeat the call; an administrator has to review the change"
        ),
        RefusalReason.RATE_LIMITED: _Wire(
            429, 1017, "repeat the call after the seconds in `Retry-After`", retry=True
        ),
        RefusalReason.TOO_MANY_CALLS: _Wire(
            429, 1018, "repeat the call when another has ended", retry=True
        ),
        RefusalReason.ENGINE_ERROR: _Wire(
            500, 1008, "do not repeat the call; an operator has to look into it"
        ),
        RefusalReason.STALE_SNAPSHOT: _Wire(503, 1009, "repeat the call later", retry=True),
        RefusalReason.AUDIT_UNAVAILABLE: _Wire(503, 1010, "repeat the call later", retry=True),
    }
)


_MISSING_SERVER: Final = _Wire(404, 1011, "use the address of a server you were given")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalResponse:
    """`error` is the JSON-RPC error object: `code`, `message`, `data` of reason, detail, scopes and how."""

    status: int
    headers: tuple[tuple[str, str], ...]
    error: JsonObject


def refusal_response(
    outcome: Challenge | Deny, *, resource_metadata_url: str, baseline: Sequence[ScopeName] = ()
) -> RefusalResponse:
    """What a door sends for `outcome`; `baseline` are the server's, for a 401."""
    wire = _WIRE[outcome.reason]
    if isinstance(outcome, Deny) and outcome.about_server:
        wire = _MISSING_SERVER
    headers = [("Cache-Control", "no-store")]
    challenge = www_authenticate(
        outcome, resource_metadata_url=resource_metadata_url, baseline=baseline
    )
    if challenge is not None:
        headers.append(("WWW-Authenticate", challenge))
    retry_after = outcome.retry_after if isinstance(outcome, Deny) else None
    if wire.retry:
        headers.append(("Retry-After", _RETRY_AFTER if retry_after is None else str(retry_after)))
    data: JsonObject = {
        "reason": outcome.reason.value,
        "detail": outcome.detail,
        "scopes": list(_scopes(outcome, baseline)),
        "how": wire.how,
        "decision": outcome.decision_id,
    }
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
