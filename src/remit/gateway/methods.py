"""What the gateway does with each method: decide, filter, let pass, or refuse.

A method that is not in this table is refused, whatever the server behind offers, unless
the declaration of that server allows it by its exact name: a new revision's method is
carried once somebody has said how it is decided. A
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
    "LISTEN",
    "Allowed",
    "Authenticated",
    "Decided",
    "Listed",
    "Listening",
    "Subject",
    "TaskList",
    "TaskUse",
    "Treatment",
    "carries_notification",
    "is_decided_here",
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


@dataclass(frozen=True, slots=True)
class Allowed:
    """Allowed by the server's declaration: whoever may use the server at all may send it, and it is recorded."""


@dataclass(frozen=True, slots=True)
class TaskUse:
    """Decided as the tool behind the task that it names."""


@dataclass(frozen=True, slots=True)
class TaskList:
    """The answer holds only the caller's own tasks, of tools that they may use."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Opens a stream of changes; decided for each thing that it names."""


Treatment = Decided | Listed | Authenticated | Allowed | TaskUse | TaskList | Listening


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
LISTEN = "subscriptions/listen"

_TASKS: Mapping[str, Treatment] = {"tasks/get": TaskUse(), "tasks/cancel": TaskUse()}
_MODERN: Mapping[str, Treatment] = {
    **_BOTH,
    **_TASKS,
    "server/discover": Authenticated(),
    "tasks/update": TaskUse(),
    LISTEN: Listening(),
}
_LEGACY: Mapping[str, Treatment] = {
    **_BOTH,
    **_TASKS,
    "tasks/result": TaskUse(),
    "tasks/list": TaskList(),
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


_ALLOWED = Allowed()


def treatment_of(method: str, era: Era, allowed: tuple[str, ...] = ()) -> Treatment | None:
    """How `method` is treated in `era`, on a server that allows some by name; `None` if it is not carried."""
    treatment = (_MODERN if era is Era.MODERN else _LEGACY).get(method)
    if treatment is None and method in allowed and not is_decided_here(method):
        return _ALLOWED
    return treatment


def is_decided_here(method: str) -> bool:
    """Whether the gateway has its own way with `method`, in whatever era, so that no declaration can change it."""
    return method in _MODERN or method in _LEGACY or method.startswith((_NOTIFICATIONS, "tasks/"))


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
