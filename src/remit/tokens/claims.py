"""The claims of a token, read strictly: each present, of its own type, and nothing guessed.

Refuses a claim that is missing, empty where a name is meant, of another type (a
boolean is no number), or a time that is not a whole number of seconds.
Source: RFC 9068 §2.2; RFC 7519 §4.1.
"""

from typing import ClassVar

from remit.canonical import Json, JsonObject
from remit.clock import EpochSeconds
from remit.errors import Error
from remit.ids import AgentId, ClientId, GrantId, ScopeName, TenantId
from remit.model import Environment, Sensitivity
from remit.scopes import parse_scope_param
from remit.tokens.access_token import AccessToken, Delegate

__all__ = ["InvalidTokenError", "not_before", "parse_claims"]

_MAX_TIME = 2**53
_MAX_ACTORS = 16


class InvalidTokenError(Error):
    """The token is not one of ours, not for this resource, or no longer good; `detail` says which."""

    code: ClassVar[str] = "invalid_token"


def parse_claims(claims: JsonObject) -> AccessToken:
    """The claims as a value.

    Raises:
        InvalidTokenError: one is missing or is not of its type.
    """
    scopes = parse_scope_param(_text(claims, "scope", empty=True))
    if scopes is None:
        raise InvalidTokenError("the claim `scope` is malformed")
    return AccessToken(
        iss=_text(claims, "iss"),
        sub=_text(claims, "sub"),
        # RFC 9068 §4 lets `aud` be a list; ours is one resource, so a list is not ours.
        aud=_text(claims, "aud"),
        client_id=ClientId(_text(claims, "client_id")),
        jti=_text(claims, "jti"),
        iat=_time(claims, "iat"),
        exp=_time(claims, "exp"),
        scopes=scopes,
        grant_id=GrantId(_text(claims, "sid")),
        agent_id=AgentId(_text(claims, "agent_id")),
        organization_id=TenantId(_text(claims, "organization_id")),
        environment=Environment(_text(claims, "environment")),
        sensitivity=_sensitivity(claims),
        roles=_texts(claims, "roles"),
        attributes=_attributes(claims),
        purpose=_text(claims, "purpose", empty=True) if "purpose" in claims else "",
        auth_time=_time(claims, "auth_time") if "auth_time" in claims else None,
        acr=_text(claims, "acr") if "acr" in claims else None,
        amr=_texts(claims, "amr"),
        jkt=_jkt(claims),
        actors=_actors(claims),
        may_act=_may_act(claims),
        authorization_details=_details(claims),
        temporary=tuple(ScopeName(one) for one in _texts(claims, "temporary_scopes")),
    )


def not_before(claims: JsonObject) -> EpochSeconds | None:
    """The claim `nbf`, which we never set but honour.

    Raises:
        InvalidTokenError: it is not a time.
    """
    return _time(claims, "nbf") if "nbf" in claims else None


def _text(claims: JsonObject, name: str, *, empty: bool = False) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not (value or empty):
        raise _wrong(name, value)
    return value


def _time(claims: JsonObject, name: str) -> EpochSeconds:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_TIME:
        raise _wrong(name, value)
    return EpochSeconds(value)


def _texts(claims: JsonObject, name: str) -> tuple[str, ...]:
    value = claims.get(name, [])
    if not isinstance(value, list):
        raise _wrong(name, value)
    texts = tuple(item for item in value if isinstance(item, str))
    if len(texts) != len(value):
        raise _wrong(name, value)
    return texts


def _attributes(claims: JsonObject) -> dict[str, str]:
    value = claims.get("attributes", {})
    if not isinstance(value, dict):
        raise _wrong("attributes", value)
    texts = {key: item for key, item in value.items() if isinstance(item, str)}
    if len(texts) != len(value):
        raise _wrong("attributes", value)
    return texts


def _jkt(claims: JsonObject) -> str | None:
    """The key it is bound to. A confirmation we do not know confirms nothing, and is refused (RFC 7800 §3.1)."""
    if "cnf" not in claims:
        return None
    value = claims["cnf"]
    if not isinstance(value, dict) or set(value) != {"jkt"}:
        raise _wrong("cnf", value)
    return _text(value, "jkt")


def _actors(claims: JsonObject) -> tuple[Delegate, ...]:
    """The chain under `act`, the one that acts now first."""
    actors: list[Delegate] = []
    left: Json = claims.get("act")
    if "act" in claims and left is None:
        raise _wrong("act", left)
    while left is not None:
        if not isinstance(left, dict) or len(actors) >= _MAX_ACTORS:
            raise InvalidTokenError("the claim `act` is not a chain of actors")
        agent_id, client_id = _text(left, "sub"), _text(left, "client_id")
        actors.append(Delegate(AgentId(agent_id), ClientId(client_id)))
        left = left.get("act")
    return tuple(actors)


def _may_act(claims: JsonObject) -> tuple[AgentId, ...]:
    value = claims.get("may_act", {"sub": []})
    if not isinstance(value, dict):
        raise _wrong("may_act", value)
    return tuple(AgentId(name) for name in _texts(value, "sub"))


def _details(claims: JsonObject) -> tuple[JsonObject, ...]:
    value = claims.get("authorization_details", [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _wrong("authorization_details", value)
    return tuple(one for one in value if isinstance(one, dict))


def _sensitivity(claims: JsonObject) -> Sensitivity:
    value = _text(claims, "sensitivity")
    try:
        return Sensitivity(value)
    except ValueError as error:
        raise InvalidTokenError("the claim `sensitivity` is not a known level") from error


def _wrong(name: str, value: Json) -> InvalidTokenError:
    how = "missing" if value is None else "not of its type"
    return InvalidTokenError(f"the claim `{name}` is {how}")
