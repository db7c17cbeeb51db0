"""A recorded decision made into a question that can be asked again, exactly, as far as the log goes.

What the record holds sealed is opened; what it holds neither openly nor sealed is said to be missing, and never
guessed: an argument that is not known has some value of its type in its place, so that whoever asks can tell
whether any policy reads it. A call that cannot be asked again is told why, in one word.

Source: docs/adr/0022-replay.md; `guard.withheld`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import orjson

from remit.audit.context import Context, Network
from remit.audit.record_seal import RecordSeal, RecordSealBrokenError
from remit.canonical import Json, JsonObject
from remit.clock import EpochSeconds
from remit.guard import Call
from remit.guard.facts import value_at
from remit.guard.target import Target
from remit.guard.withheld import (
    ARGUMENTS,
    ATTRIBUTES,
    AUDIENCE,
    DETAILS,
    JUSTIFICATION,
    NAME,
    is_shown,
)
from remit.ids import AgentId, ClientId, GrantId, ScopeName, ServerName, TenantId
from remit.model import Argument, ArgumentType, AuditTreatment, Environment, Sensitivity
from remit.policy import ResourceKind
from remit.policy.history import History, history_of
from remit.replay.skipped import Skipped
from remit.tokens.access_token import AccessToken, Delegate

__all__ = ["Rebuilder", "Rebuilt", "completed", "moment_of"]

_LIFETIME: Final = 600
_LONGEST_NAME: Final = 256
_MOST_TOKENS: Final = 8_192
_NOTHING: Final[Mapping[str, Json]] = MappingProxyType({})
_OMITTED: Final = "+omitted"
_PLACEHOLDERS: Final[Mapping[ArgumentType, Json]] = MappingProxyType(
    {
        ArgumentType.STRING: "",
        ArgumentType.INTEGER: 0,
        ArgumentType.BOOLEAN: False,
        ArgumentType.DECIMAL: "0",
        ArgumentType.MONEY: "0",
        ArgumentType.STRINGS: [],
    }
)
_KINDS: Final[Mapping[str, ResourceKind]] = MappingProxyType(
    {
        "tools/call": ResourceKind.TOOL,
        "resources/read": ResourceKind.RESOURCE,
        "resources/subscribe": ResourceKind.RESOURCE,
        "resources/unsubscribe": ResourceKind.RESOURCE,
        "prompts/get": ResourceKind.PROMPT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """The call and the token of a record. `call.arguments` hold tokens where the log does; see `completed`.

    `opened` are the pointers whose values came out of the seal, `unsaid` the arguments that a policy wanted kept
    nowhere. Without `attributes_known` the person had attributes of which the log has the names alone.
    """

    call: Call
    token: AccessToken
    now: EpochSeconds
    history: History
    opened: frozenset[str]
    unsaid: frozenset[str]
    attributes: tuple[str, ...]
    """The names of the person's attributes."""
    attributes_known: bool
    justification_known: bool


class Rebuilder:
    """Makes questions of records. Callers that come again are one and the same object. For one thread."""

    __slots__ = ("_guards", "_seal", "_tokens", "unsealed")

    def __init__(self, seal: RecordSeal | None) -> None:
        self._seal = seal
        self._guards: dict[str, RecordSeal] = {}
        self._tokens: dict[bytes, AccessToken] = {}
        self.unsealed = 0
        """Records whose sealed part did not open."""

    def rebuild(self, entry: Mapping[str, Any]) -> Rebuilt | Skipped:
        """The question behind the decision `entry`, which names an agent and a tenant.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is no record that this version reads.
        """
        body = entry["body"]
        sealed = self._opened(entry, body)
        name = sealed.get(NAME) or body["name"]
        if isinstance(name, str) and len(name) >= _LONGEST_NAME and NAME not in sealed:
            return Skipped.CUT
        claims = body["claims"]
        names = tuple(claims.get("attributes") or ())
        known = not names or ATTRIBUTES in sealed
        if claims.get("details") and DETAILS not in sealed:
            return Skipped.DETAILS
        token = self._token(entry, claims, sealed)
        values = sealed.get(ARGUMENTS) or {}
        call = Call(
            server=ServerName(body["server"]),
            method=body["method"],
            authorization=(),
            context=Context(network=Network(entry["net"]["ip"])),
            kind=_kind_of(body),
            name=name,
            arguments=_overlaid(body["input"], values),
            protocol_version=body.get("protocol_version"),
            justification=sealed.get(JUSTIFICATION) or body.get("justification"),
            task_of=body.get("task_of"),
        )
        return Rebuilt(
            call=call,
            token=token,
            now=moment_of(entry),
            history=history_of(body.get("history") or _NOTHING),
            opened=frozenset(values),
            unsaid=frozenset(
                one["value"] for one in body.get("obligations") or () if one["kind"] == "redact"
            ),
            attributes=names,
            attributes_known=known,
            justification_known=JUSTIFICATION in sealed or body.get("justification") is None,
        )

    def _opened(self, entry: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the record holds sealed; nothing when it does not open, which is counted."""
        sealed = body.get("sealed_arguments")
        if not sealed or self._seal is None:
            return _NOTHING
        seal = self._seal
        if body.get("guard"):
            server = body["server"]
            known = self._guards.get(server)
            seal = known or self._guards.setdefault(server, self._seal.for_server(server))
        try:
            content = seal.open(sealed, decision=body["decision_id"], tenant=entry["tenant"])
            found: dict[str, Any] = orjson.loads(content)
        except (RecordSealBrokenError, orjson.JSONDecodeError):
            self.unsealed += 1
            return _NOTHING
        return found

    def _token(
        self, entry: Mapping[str, Any], claims: Mapping[str, Any], sealed: Mapping[str, Any]
    ) -> AccessToken:
        """The token that says what the record does; the same object for the same words."""
        who = [entry[one] for one in ("agent", "client", "user", "tenant", "env", "grant")]
        attributes, details = sealed.get(ATTRIBUTES), sealed.get(DETAILS)
        scopes = entry["body"]["scopes_token"]
        said = [*who, claims, scopes, attributes, details, sealed.get(AUDIENCE)]
        name = orjson.dumps(said)
        token = self._tokens.get(name)
        if token is None:
            if len(self._tokens) >= _MOST_TOKENS:
                self._tokens = {}
            token = self._tokens[name] = _token_of(entry, claims, sealed)
        return token


def completed(rebuilt: Rebuilt, target: Target | None) -> tuple[Call, tuple[str, ...]]:
    """The call as it can be asked about `target`, and the names of its declared arguments that are not known."""
    if target is None or rebuilt.call.kind is not ResourceKind.TOOL or not target.arguments:
        return rebuilt.call, ()
    arguments = rebuilt.call.arguments or {}
    unknown = [one for one in target.arguments if not _is_known(rebuilt, one, arguments)]
    if not unknown:
        return rebuilt.call, ()
    filled: Json = arguments
    for one in unknown:
        stands_in = _PLACEHOLDERS[one.type] if one.required else None
        filled = _with(filled, _parts(one.pointer), stands_in)
        if one.required and one.currency_pointer is not None:
            filled = _with(filled, _parts(one.currency_pointer), "XXX")
    held = filled if isinstance(filled, dict) else {}
    return replace(rebuilt.call, arguments=held), tuple(one.name for one in unknown)


def moment_of(entry: Mapping[str, Any]) -> EpochSeconds:
    """When it was decided; of what a guard inside a server decided, by that guard's clock."""
    time = (entry["body"].get("guard") or _NOTHING).get("time") or entry["time"]
    return EpochSeconds(int(datetime.fromisoformat(str(time)).timestamp()))


def _is_known(rebuilt: Rebuilt, argument: Argument, arguments: JsonObject) -> bool:
    if argument.pointer not in rebuilt.opened:
        if argument.audit is AuditTreatment.DROP or argument.name in rebuilt.unsaid:
            return False
        value = value_at(arguments, argument.pointer)
        if value is None:
            return not _may_hide(arguments, argument.pointer)
        if not is_shown(value) or _is_cut(value):
            return False
    pointer = argument.currency_pointer
    return pointer is None or pointer in rebuilt.opened or is_shown(value_at(arguments, pointer))


def _is_cut(value: Json) -> bool:
    return isinstance(value, list) and len(value) >= 128


def _may_hide(arguments: JsonObject, pointer: str) -> bool:
    """Whether something may have stood at `pointer` that the log left out, or whose name it does not tell."""
    here: Json = arguments
    for part in _parts(pointer):
        if isinstance(here, str):
            return here.startswith("tok1.tree.")
        if not isinstance(here, dict):
            return False
        if _OMITTED in here or any(name.startswith("tok1.key.") for name in here):
            return True
        here = here.get(part)
    return False


def _kind_of(body: Mapping[str, Any]) -> ResourceKind | None:
    """What a method uses; an operation of the management API is a tool, and so is what a task is of."""
    method, name = body["method"], body["name"]
    if body.get("task_of") or " /" in method:
        return ResourceKind.TOOL
    if method == "completion/complete" and name is not None:
        return ResourceKind.RESOURCE if "://" in name else ResourceKind.PROMPT
    return _KINDS.get(method)


def _token_of(
    entry: Mapping[str, Any], claims: Mapping[str, Any], sealed: Mapping[str, Any]
) -> AccessToken:
    agent = AgentId(entry["agent"])
    actors = tuple(
        Delegate(AgentId(one[0]), ClientId(one[1])) for one in claims.get("actors") or ()
    )
    # Of a workload the log names no person: it acts for itself, or for the agent the chain began with.
    first = actors[-1].agent_id if actors else agent
    now = moment_of(entry)
    auth_time = claims.get("auth_time")
    return AccessToken(
        iss="",
        sub=entry["user"] or first,
        aud=sealed.get(AUDIENCE, entry["body"]["server"]),
        client_id=ClientId(entry["client"] or ""),
        jti="",
        iat=now,
        exp=EpochSeconds(now + _LIFETIME),
        scopes=tuple(ScopeName(one) for one in entry["body"]["scopes_token"]),
        grant_id=GrantId(entry["grant"] or ""),
        agent_id=agent,
        organization_id=TenantId(entry["tenant"]),
        environment=Environment(entry["env"] or ""),
        sensitivity=Sensitivity(claims["sensitivity"]),
        roles=tuple(claims["roles"]),
        attributes=MappingProxyType(dict(sealed.get(ATTRIBUTES) or {})),
        purpose=claims["purpose"],
        acr=claims.get("acr"),
        amr=tuple(claims["amr"]),
        auth_time=None if auth_time is None else EpochSeconds(auth_time),
        actors=actors,
        authorization_details=tuple(sealed.get(DETAILS) or ()),
    )


def _overlaid(kept: JsonObject, values: Mapping[str, Json]) -> JsonObject:
    """What the log has of the arguments, with the values that came out of the seal. `kept` stays as it is."""
    arguments: Json = kept
    for pointer, value in values.items():
        arguments = _with(arguments, _parts(pointer), value)
    return arguments if isinstance(arguments, dict) else {}


def _with(document: Json, path: Sequence[str], value: Json) -> Json:
    """`document` with `value` where `path` leads, and nothing there for `None`; what is on the way is copied."""
    if not path:
        return value
    name, rest = path[0], path[1:]
    if isinstance(document, list):
        if not name.isdigit() or int(name) >= len(document):
            return document
        items = list(document)
        items[int(name)] = _with(items[int(name)], rest, value)
        return items
    members = dict(document) if isinstance(document, dict) else {}
    if value is None and not rest:
        members.pop(name, None)
    else:
        members[name] = _with(members.get(name), rest, value)
    return members


def _parts(pointer: str) -> list[str]:
    """The names of an RFC 6901 pointer."""
    return [one.replace("~1", "/").replace("~0", "~") for one in pointer.split("/")[1:]]
