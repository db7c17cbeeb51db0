"""A recorded decision made into a question that can be asked again, as far as the log goes.

Values that the log does not hold are said to be missing, and never guessed: an argument that is kept as a token
has some value of its type in its place, and it is told which of the policies would have read it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from remit.audit.context import Context, Network
from remit.canonical import Json, JsonObject
from remit.clock import EpochSeconds
from remit.guard import Call
from remit.guard.target import Target, find_target
from remit.ids import AgentId, ClientId, GrantId, ScopeName, ServerName, TenantId
from remit.model import Argument, ArgumentType, Catalog, Environment, Sensitivity, Server
from remit.policy import ResourceKind
from remit.policy.places import PolicyPlace
from remit.tokens import AccessToken

__all__ = ["Rebuilt", "kind_of", "moment_of", "rebuild", "value_at"]

_LIFETIME: Final = 600
_NO_CURRENCY: Final = "XXX"
"""What ISO 4217 has for none: it stands where the log does not hold the currency."""
_LONGEST_KEPT: Final = 256
_PLACEHOLDERS: Final[Mapping[ArgumentType, Json]] = {
    ArgumentType.STRING: "",
    ArgumentType.INTEGER: 0,
    ArgumentType.BOOLEAN: False,
    ArgumentType.DECIMAL: "0",
    ArgumentType.MONEY: "0",
    ArgumentType.STRINGS: [],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The call and the token of a record. `unknown`: arguments that policies read and the log does not hold."""

    call: Call
    token: AccessToken
    target: Target | None
    now: EpochSeconds
    unknown: tuple[str, ...]


def rebuild(
    entry: JsonObject,
    catalog: Catalog,
    places: Mapping[str, PolicyPlace],
    attributes: Mapping[str, str],
) -> Rebuilt | None:
    """The question behind `entry`; `None` when it names no caller, no server, or nothing that is used.

    `attributes` are those of the person now: the log has their names alone.
    """
    body = _object(entry.get("body"))
    server = catalog.server_named(ServerName(_text(body.get("server"))))
    kind = kind_of(_text(body.get("method")))
    agent, tenant = entry.get("agent"), entry.get("tenant")
    if server is None or kind is None or not agent or tenant not in catalog.tenants:
        return None
    now = moment_of(entry)
    name = _text(body.get("name"))
    target = find_target(server, kind, name)
    arguments, unknown = _arguments(body, target, _read_arguments(places.values()))
    network = _object(entry.get("net"))
    call = Call(
        server=server.name,
        method=_text(body.get("method")),
        authorization=(),
        context=Context(network=Network(_optional(network.get("ip")))),
        kind=kind,
        name=name,
        arguments=arguments,
        protocol_version=_optional(body.get("protocol_version")),
    )
    token = _token(entry, body, now, server)
    if token is None:
        return None
    return Rebuilt(
        call=call,
        token=replace(token, attributes=attributes),
        target=target,
        now=now,
        unknown=unknown,
    )


def kind_of(method: str) -> ResourceKind | None:
    """What a method uses; an operation of the management API is a tool."""
    if method == "resources/read":
        return ResourceKind.RESOURCE
    if method == "prompts/get":
        return ResourceKind.PROMPT
    return ResourceKind.TOOL if method == "tools/call" or " /" in method else None


def moment_of(entry: JsonObject) -> EpochSeconds:
    """When it was decided."""
    return EpochSeconds(int(datetime.fromisoformat(_text(entry.get("time"))).timestamp()))


def value_at(document: Json, pointer: str) -> Json:
    """What stands at an RFC 6901 pointer; `None` when nothing does."""
    value = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _token(
    entry: JsonObject, body: JsonObject, now: EpochSeconds, server: Server
) -> AccessToken | None:
    claims = _object(body.get("claims"))
    agent = AgentId(_text(entry.get("agent")))
    auth_time = claims.get("auth_time")
    try:
        sensitivity = Sensitivity(_text(claims.get("sensitivity")))
    except ValueError:
        return None
    return AccessToken(
        iss="",
        sub=_optional(entry.get("user")) or agent,
        aud=server.name,
        client_id=ClientId(_text(entry.get("client"))),
        jti="",
        iat=now,
        exp=EpochSeconds(now + _LIFETIME),
        scopes=tuple(ScopeName(one) for one in _texts(body.get("scopes_token"))),
        grant_id=GrantId(_text(entry.get("grant"))),
        agent_id=agent,
        organization_id=TenantId(_text(entry.get("tenant"))),
        environment=Environment(_text(entry.get("env"))),
        sensitivity=sensitivity,
        roles=_texts(claims.get("roles")),
        purpose=_text(claims.get("purpose")),
        acr=_optional(claims.get("acr")),
        amr=_texts(claims.get("amr")),
        auth_time=EpochSeconds(auth_time) if isinstance(auth_time, int) else None,
    )


def _arguments(
    body: JsonObject, target: Target | None, read: frozenset[str]
) -> tuple[JsonObject, tuple[str, ...]]:
    """The declared arguments with something of their type for what is not held, and what of that is read."""
    kept = _object(body.get("input"))
    arguments: JsonObject = {}
    unknown: list[str] = []
    for one in () if target is None else target.arguments:
        value = value_at(kept, one.pointer)
        if value is None and not one.required:
            continue
        if _is_held(value):
            _put(arguments, one.pointer, value)
        else:
            _put(arguments, one.pointer, _PLACEHOLDERS[one.type])
            if one.name in read or "" in read:
                unknown.append(one.name)
        _put_currency(arguments, kept, one)
    return arguments, tuple(unknown)


def _put_currency(arguments: JsonObject, kept: JsonObject, argument: Argument) -> None:
    if argument.currency_pointer is not None:
        currency = value_at(kept, argument.currency_pointer)
        _put(arguments, argument.currency_pointer, currency if _is_held(currency) else _NO_CURRENCY)


def _is_held(value: Json) -> bool:
    """Whether the log has the value itself: not a token in its place, nor the last of it, nor its beginning."""
    if isinstance(value, str):
        return not value.startswith(("tok1.", "****")) and len(value) < _LONGEST_KEPT
    if isinstance(value, list):
        return all(_is_held(one) for one in value)
    return value is not None and not isinstance(value, dict)


def _put(document: JsonObject, pointer: str, value: Json) -> None:
    *path, last = [one.replace("~1", "/").replace("~0", "~") for one in pointer.split("/")[1:]]
    here = document
    for part in path:
        below = here.setdefault(part, {})
        if not isinstance(below, dict):
            return
        here = below
    here[last] = value


def _read_arguments(places: Iterable[PolicyPlace]) -> frozenset[str]:
    """The arguments that any policy reads, by name; an empty name when one reads all of them."""
    return frozenset(
        f"{path}..".split(".")[2]
        for place in places
        for path in place.reads
        if path.startswith("context.arguments")
    )


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _optional(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
