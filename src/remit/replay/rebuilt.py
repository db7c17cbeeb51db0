"""A recorded decision made into a question that can be asked again, exactly, as far as the log goes.

What the record holds sealed is opened; what it holds neither openly nor sealed is said to be missing, and never
guessed: an argument that is not known has some value of its type in its place, so that whoever asks can tell
whether any policy reads it. A call that cannot be asked again is told why, in one word.

Source: docs/adr/0022-replay.md; `guard.withheld`.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from remit.guard.elevations import Elevated, elevated_in
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

__all__ = ["Rebuilder", "Rebuilt", "completed", "is_partial", "is_whole", "moment_of"]

_LIFETIME: Final = 600
_LONGEST_NAME: Final = 256
_MOST_TOKENS: Final = 8_192
_NOTHING: Final[Mapping[str, Json]] = MappingProxyType({})
_OMITTED: Final = "+omitted"
_NO_PAST: Final[History] = MappingProxyType({})
_NONE: Final[frozenset[str]] = frozenset()
_NO_CURRENCY: Final = "XXX"
"""What ISO 4217 has for none: it stands where the log does not hold the currency."""
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


@dataclass(slots=True, kw_only=True, eq=False)
class Rebuilt:
    """What a record says of the call and the token, read so far as every call needs it; the rest when it is asked for.

    `kept` are the arguments as the log holds them, with tokens where it does; `values` what came out of the seal, by
    its pointer. `unsaid` are the arguments that a policy wanted kept nowhere, `attributes` the names of the person's
    attributes. Without `attributes_known` the log has those names alone. Nothing changes it.
    """

    server: ServerName
    method: str
    kind: ResourceKind | None
    name: str | None
    ip: str | None
    kept: JsonObject
    values: Mapping[str, Json]
    token: AccessToken
    now: EpochSeconds
    history: History
    unsaid: frozenset[str]
    attributes: tuple[str, ...]
    attributes_known: bool
    justification: str | None
    justification_known: bool
    protocol_version: str | None
    task_of: str | None
    elevated: Elevated | None = None
    """What people had said of the very call."""

    @property
    def call(self) -> Call:
        """The call. Its arguments hold tokens where the log does and nothing was sealed; see `completed`."""
        return Call(
            server=self.server,
            method=self.method,
            authorization=(),
            context=Context(network=Network(self.ip)),
            kind=self.kind,
            name=self.name,
            arguments=_overlaid(self.kept, self.values),
            protocol_version=self.protocol_version,
            justification=self.justification,
            task_of=self.task_of,
        )

    @property
    def opened(self) -> frozenset[str]:
        """The pointers whose values came out of the seal."""
        return frozenset(self.values)


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
        said, obliged = body.get("justification"), body.get("obligations")
        past = body.get("history")
        return Rebuilt(
            server=ServerName(body["server"]),
            method=body["method"],
            kind=_kind_of(body),
            name=name,
            ip=entry["net"]["ip"],
            kept=body["input"],
            values=sealed.get(ARGUMENTS) or _NOTHING,
            token=self._token(entry, claims, sealed),
            now=moment_of(entry),
            history=history_of(past) if past else _NO_PAST,
            unsaid=_unsaid(obliged) if obliged else _NONE,
            attributes=names,
            attributes_known=known,
            justification=sealed.get(JUSTIFICATION) or said,
            justification_known=said is None or JUSTIFICATION in sealed,
            protocol_version=body.get("protocol_version"),
            task_of=body.get("task_of"),
            elevated=elevated_in(body.get("elevation") or _NOTHING),
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
        brought = None
        if sealed:
            brought = (sealed.get(ATTRIBUTES), sealed.get(DETAILS), sealed.get(AUDIENCE))
        who = (entry["agent"], entry["client"], entry["user"], entry["tenant"], entry["env"])
        said = (entry["grant"], claims, entry["body"]["scopes_token"])
        name = orjson.dumps((who, said, brought))
        token = self._tokens.get(name)
        if token is None:
            if len(self._tokens) >= _MOST_TOKENS:
                self._tokens = {}
            token = self._tokens[name] = _token_of(entry, claims, sealed)
        return token


def completed(rebuilt: Rebuilt, target: Target | None) -> tuple[Call, tuple[str, ...]]:
    """The call as it can be asked about `target`, and the names of its declared arguments that are not known."""
    call = rebuilt.call
    if target is None or call.kind is not ResourceKind.TOOL or not target.arguments:
        return call, ()
    arguments = call.arguments or {}
    unknown = [one for one in target.arguments if not _is_known(rebuilt, one, arguments)]
    if not unknown:
        return call, ()
    filled: Json = arguments
    for one in unknown:
        stands_in = _PLACEHOLDERS[one.type] if one.required else None
        filled = _with(filled, _parts(one.pointer), stands_in)
        if one.required and one.currency_pointer is not None:
            filled = _with(filled, _parts(one.currency_pointer), _NO_CURRENCY)
    held = filled if isinstance(filled, dict) else {}
    return replace(call, arguments=held), tuple(one.name for one in unknown)


def moment_of(entry: Mapping[str, Any]) -> EpochSeconds:
    """When it was decided; of what a guard inside a server decided, by that guard's clock."""
    time = (entry["body"].get("guard") or _NOTHING).get("time") or entry["time"]
    return EpochSeconds(int(datetime.fromisoformat(str(time)).timestamp()))


def _is_known(rebuilt: Rebuilt, argument: Argument, arguments: JsonObject) -> bool:
    if argument.pointer not in rebuilt.values:
        if argument.audit is AuditTreatment.DROP or argument.name in rebuilt.unsaid:
            return False
        value = value_at(arguments, argument.pointer)
        if value is None:
            return not _may_hide(arguments, argument.pointer)
        if not is_whole(value):
            return False
    pointer = argument.currency_pointer
    return pointer is None or pointer in rebuilt.values or is_shown(value_at(arguments, pointer))


def is_whole(value: Json) -> bool:
    """Whether the log holds `value` as it was given."""
    return is_shown(value) and not (isinstance(value, list) and len(value) >= 128)


def _may_hide(arguments: JsonObject, pointer: str) -> bool:
    """Whether something may have stood at `pointer` that the log left out, or whose name it does not tell."""
    here: Json = arguments
    for part in _parts(pointer):
        if isinstance(here, str):
            return here.startswith("tok1.tree.")
        if not isinstance(here, dict):
            return False
        if is_partial(here):
            return True
        here = here.get(part)
    return False


def is_partial(members: JsonObject) -> bool:
    """Whether the log left some of `members` out, or does not tell the names of some."""
    return _OMITTED in members or any(name.startswith("tok1.key.") for name in members)


def _unsaid(obligations: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(one["value"] for one in obligations if one["kind"] == "redact")


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
        temporary=tuple(ScopeName(one) for one in claims.get("temporary") or ()),
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
