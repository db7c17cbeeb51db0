"""One question of another gateway's, read strictly: whose token, which action, on what, with which arguments.

The subject is who the token says, so the token comes along; nothing that the asker says of
roles, attributes or scopes is looked at. Members that nobody here knows are ignored, as the
standard asks; a member that is missing or of another type is a bad request, and says which.

Source: AuthZEN 1.0 §5 (subject, resource, action, context), §6.1, §10.1.1 (unknown members).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import MappingProxyType
from typing import ClassVar, Final

from remit.canonical import Json, JsonObject
from remit.errors import Error
from remit.guard.justification import InvalidJustificationError, justification_of
from remit.policy import ResourceKind

__all__ = ["BadQuestionError", "Proof", "Question", "question_of", "token_of"]

_KINDS: Final[Mapping[str, ResourceKind]] = MappingProxyType(
    {kind.value: kind for kind in ResourceKind}
)
_ACTIONS: Final[Mapping[str, frozenset[ResourceKind]]] = MappingProxyType(
    {
        "tools/call": frozenset({ResourceKind.TOOL}),
        "resources/read": frozenset({ResourceKind.RESOURCE}),
        "resources/subscribe": frozenset({ResourceKind.RESOURCE}),
        "prompts/get": frozenset({ResourceKind.PROMPT}),
        "completion/complete": frozenset({ResourceKind.RESOURCE, ResourceKind.PROMPT}),
    }
)
_LONGEST: Final = 4_096


class BadQuestionError(Error):
    """The question is not one that the standard describes, or not one for this server (400)."""

    code: ClassVar[str] = "bad_question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What the caller brought to the asker to prove the possession of a key (RFC 9449)."""

    value: str = field(repr=False)
    method: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May the holder of `token` do `action` to the thing of `kind` called `name`?

    `kind` is `None` for an action that nobody here knows: nothing permits it. `ip` is where the
    asker says that the call came from.
    """

    subject_type: str
    subject_id: str
    token: str = field(repr=False)
    action: str
    kind: ResourceKind | None
    name: str
    arguments: "JsonObject | None" = field(default=None, repr=False)
    ip: str | None = None
    justification: str | None = field(default=None, repr=False)
    proof: Proof | None = None


def question_of(document: JsonObject, *, server: str) -> Question:
    """The question that `document` asks, on behalf of `server`.

    Raises:
        BadQuestionError: a member is missing, of another type, or about another server.
    """
    subject = _object(document, "subject")
    action = _object(document, "action")
    resource = _object(document, "resource")
    context = _optional_object(document, "context")
    name, kind = _text(action, "name", "action"), _text(resource, "type", "resource")
    known = _KINDS.get(kind)
    _require_server(resource, server)
    return Question(
        subject_type=_text(subject, "type", "subject"),
        subject_id=_text(subject, "id", "subject"),
        token=token_of(subject),
        action=name,
        kind=known if known in _ACTIONS.get(name, frozenset()) else None,
        name=_text(resource, "id", "resource"),
        arguments=_optional_object(_properties(action, "action"), "arguments"),
        ip=_ip(context),
        justification=_justification(context),
        proof=_proof(context),
    )


def token_of(subject: JsonObject) -> str:
    """The access token that the subject brought to the asker.

    Raises:
        BadQuestionError: there is none; who somebody is cannot be taken on trust.
    """
    token = _properties(subject, "subject").get("access_token")
    if not isinstance(token, str) or not token or not token.isascii() or " " in token:
        raise BadQuestionError("`subject.properties.access_token` is not the caller's token")
    return token


def _require_server(resource: JsonObject, server: str) -> None:
    named = _properties(resource, "resource").get("server", server)
    if named != server:
        raise BadQuestionError("a server asks about itself alone")


def _object(holder: JsonObject, member: str) -> JsonObject:
    value = holder.get(member)
    if not isinstance(value, dict):
        raise BadQuestionError(f"`{member}` is not an object")
    return value


def _optional_object(holder: "JsonObject | None", member: str) -> "JsonObject | None":
    value = None if holder is None else holder.get(member)
    if value is not None and not isinstance(value, dict):
        raise BadQuestionError(f"`{member}` is not an object")
    return value


def _properties(entity: JsonObject, name: str) -> JsonObject:
    value: Json = entity.get("properties")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadQuestionError(f"`{name}.properties` is not an object")
    return value


def _text(entity: JsonObject, member: str, of: str) -> str:
    value = entity.get(member)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise BadQuestionError(f"`{of}.{member}` is not a string of 1 to {_LONGEST} characters")
    return value


def _ip(context: "JsonObject | None") -> str | None:
    """The caller's address. One that cannot be read is refused: a policy would not see it."""
    value = None if context is None else context.get("ip")
    if value is None:
        return None
    try:
        return str(ip_address(value)) if isinstance(value, str) else _no_address()
    except ValueError:
        return _no_address()


def _justification(context: "JsonObject | None") -> str | None:
    """Why the caller calls, as the asker was told."""
    try:
        return justification_of(None if context is None else context.get("justification"))
    except InvalidJustificationError as error:
        raise BadQuestionError(f"`context.justification`: {error.detail}") from None


def _no_address() -> str:
    raise BadQuestionError("`context.ip` is not an address")


def _proof(context: "JsonObject | None") -> Proof | None:
    dpop = _optional_object(context, "dpop")
    if dpop is None:
        return None
    return Proof(
        value=_text(dpop, "proof", "context.dpop"),
        method=_text(dpop, "method", "context.dpop"),
        uri=_text(dpop, "uri", "context.dpop"),
    )
