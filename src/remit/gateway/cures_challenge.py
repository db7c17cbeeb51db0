"""Which token would do, where a person can cure a refusal alone by authorizing their client again.

An elevated scope is asked for with 403 `insufficient_scope`, a stronger or fresher authentication with 401
`insufficient_user_authentication`; where both are wanted the 403 names all of it, since clients that hold a refresh token
answer a 401 with that, and never meet their person. The scopes that the token has are named besides wherever the client
would otherwise give them up. What is issued afterwards is not what allows the call: the authorization server leads the
person over the page of the request, and the elevation that comes of it is found by the call itself.

Source: RFC 9470 §3, §4; RFC 6750 §3.1; MCP 2026-07-28 authorization (step-up); docs/adr/0025-cures.md.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from remit.guard.call import Call
from remit.guard.challenge import RefusalResponse
from remit.guard.elevations import AskedState
from remit.guard.limits import is_workload
from remit.guard.outcome import Deny
from remit.ids import ScopeName
from remit.policy.duties import age_of, strengths_of
from remit.policy.obligation import Obligation, ObligationKind
from remit.scopes import is_scope_token
from remit.tokens.access_token import AccessToken
from remit.tokens.dpop import DPOP_ALGORITHMS

__all__ = ["acr_values_of", "can_be_challenged", "challenged", "max_age_of"]

INSUFFICIENT_SCOPE: Final = "insufficient_scope"
INSUFFICIENT_AUTHENTICATION: Final = "insufficient_user_authentication"
_STRENGTHS: Final = frozenset({ObligationKind.STEP_UP, ObligationKind.CONFIRM})


def can_be_challenged(deny: Deny, token: AccessToken) -> bool:
    """Whether the person behind `token` could cure `deny` alone, by authorizing the client again that sent it."""
    asked = deny.asked
    return (
        asked is not None
        and asked.alone
        and asked.state is AskedState.WAITING
        and not token.actors
        and not is_workload(token)
    )


def challenged(
    refusal: RefusalResponse, deny: Deny, call: Call, token: AccessToken, *, metadata_url: str
) -> RefusalResponse:
    """`refusal` as a challenge to whoever sent `call` with `token`."""
    elevated = tuple(
        ScopeName(one.value) for one in deny.needs if one.kind is ObligationKind.REQUIRE_SCOPE
    )
    error = INSUFFICIENT_SCOPE if elevated else INSUFFICIENT_AUTHENTICATION
    # A 401 makes clients ask for what it names and for nothing else, in both eras.
    held = token.scopes if call.replaces_scopes or not elevated else ()
    parameters = [("error", error), ("error_description", _speakable(deny.detail))]
    scopes = [one for one in dict.fromkeys((*held, *elevated)) if is_scope_token(one)]
    if scopes:
        parameters.append(("scope", " ".join(scopes)))
    acr_values, max_age = acr_values_of(deny.needs), max_age_of(deny.needs)
    if acr_values:
        parameters.append(("acr_values", " ".join(acr_values)))
    if max_age is not None:
        parameters.append(("max_age", str(max_age)))
    parameters.append(("resource_metadata", metadata_url))
    scheme = "Bearer"
    if token.jkt is not None:
        scheme = "DPoP"
        parameters.append(("algs", " ".join(DPOP_ALGORITHMS)))
    said = ", ".join(f'{name}="{value}"' for name, value in parameters)
    return replace(
        refusal,
        status=403 if elevated else 401,
        headers=(*refusal.headers, ("WWW-Authenticate", f"{scheme} {said}")),
    )


def acr_values_of(needs: Iterable[Obligation]) -> tuple[str, ...]:
    """The strengths of which any meets all of `needs`, the least first; none where any strength does."""
    wanted = [strengths_of(one.value) for one in needs if one.kind in _STRENGTHS]
    return min((one for one in wanted if one), key=len, default=())


def max_age_of(needs: Iterable[Obligation]) -> int | None:
    """The shortest age of an authentication, in seconds, that any of `needs` allows."""
    ages = [age_of(one.value) for one in needs if one.kind is ObligationKind.STEP_UP]
    return min((int(one) for one in ages if one is not None), default=None)


def _speakable(text: str) -> str:
    return "".join(one if " " <= one <= "~" and one not in '"\\' else "'" for one in text)
