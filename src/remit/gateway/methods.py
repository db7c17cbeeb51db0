"""What the gateway does with each method: decide, filter, let pass, or refuse.

A method that is not in this table is refused, whatever the server behind offers:
a new revision's method is carried once somebody has said how it is decided. A
notification is held against a table of its own: many servers dispatch by `method` and
never look for an `id`, so that a notification named `tools/call` would be a call that
nobody decided and nobody recorded.

Source: MCP 2026-07-28 and 2025-11-25 schema (client requests, client notifications).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from remit.canonical import Json, JsonObject
from remit.gateway.protocol import Era
from remit.gateway.rejection import RejectedError, invalid_params
from remit.policy.evaluation import ResourceKind

__all__ = [
    "Authenticated",
    "Decided",
    "Listed",
    "Subject",
    "Treatment",
    "carries_notification",
    "subject_of",
    "treatment_of",
]


@dataclass(frozen=True, slots=True)
class Decided:
    """The guard decides this very call."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Whoever may use the server may ask; the answer holds only what they may see.

    `member` names the list in the result, `key` what identifies an item of it.
    """

    kind: ResourceKind
    member: str
    key: str


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Whoever may use the server at all may ask, and there is nothing to filter."""


Treatment = Decided | Listed | Authenticated


@dataclass(frozen=True, slots=True)
class Subject:
    """What a decided call is about. `arguments` are the caller's own words."""

    kind: ResourceKind
    name: str
    arguments: "JsonObject | None" = None


_BOTH: Mapping[str, Treatment] = {
    "tools/call": Decided(),
    "resources/read": Decided(),
    "prompts/get": Decided(),
    "completion/complete": Decided(),
    "tools/list": Listed(ResourceKind.TOOL, "tools", "name"),
    "resources/list": Listed(ResourceKind.RESOURCE, "resources", "uri"),
    "resources/templates/list": Listed(ResourceKind.RESOURCE, "resourceTemplates", "uriTemplate"),
    "prompts/list": Listed(ResourceKind.PROMPT, "prompts", "name"),
}
_MODERN: Mapping[str, Treatment] = {**_BOTH, "server/discover": Authenticated()}
_LEGACY: Mapping[str, Treatment] = {
    **_BOTH,
    "initialize": Authenticated(),
    "ping": Authenticated(),
    "logging/setLevel": Authenticated(),
    "resources/subscribe": Decided(),
    "resources/unsubscribe": Decided(),
}
_NOTIFICATIONS = "notifications/"
_CARRIED_NOTIFICATIONS = frozenset(
    {
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
    }
)


def treatment_of(method: str, era: Era) -> Treatment | None:
    """How `method` is treated in `era`; `None` if it is not carried."""
    return (_MODERN if era is Era.MODERN else _LEGACY).get(method)


def carries_notification(method: str) -> bool:
    """Whether a client's notification goes on to a server of the legacy era; what does not is dropped.

    Raises:
        RejectedError: 400, it is a request that lacks its `id`, or pretends to be none.
    """
    if not method.startswith(_NOTIFICATIONS):
        raise RejectedError(400, "a message without an `id` is no request, and no notification")
    return method in _CARRIED_NOTIFICATIONS


def subject_of(method: str, params: "JsonObject | None") -> Subject:
    """What a decided call is about, read from the body.

    Raises:
        RejectedError: -32602, the body does not say.
    """
    values = params or {}
    match method:
        case "tools/call":
            return Subject(ResourceKind.TOOL, _text(values, "name"), _arguments(values))
        case "prompts/get":
            return Subject(ResourceKind.PROMPT, _text(values, "name"), _arguments(values))
        case "completion/complete":
            return _completed(values)
        case _:
            return Subject(ResourceKind.RESOURCE, _text(values, "uri"))


def _completed(values: JsonObject) -> Subject:
    """To complete an argument is to look into the prompt or resource it belongs to."""
    reference = values.get("ref")
    if isinstance(reference, dict) and reference.get("type") == "ref/prompt":
        return Subject(ResourceKind.PROMPT, _text(reference, "name"))
    if isinstance(reference, dict) and reference.get("type") == "ref/resource":
        return Subject(ResourceKind.RESOURCE, _text(reference, "uri"))
    raise invalid_params("parameter `ref` is neither a prompt nor a resource")


def _text(values: Mapping[str, Json], member: str) -> str:
    value = values.get(member)
    if not isinstance(value, str) or not value:
        raise invalid_params(f"parameter `{member}` is not a string")
    return value


def _arguments(values: JsonObject) -> "JsonObject | None":
    arguments = values.get("arguments")
    if arguments is None:
        return None
    if not isinstance(arguments, dict):
        raise invalid_params("parameter `arguments` is not an object")
    return arguments
