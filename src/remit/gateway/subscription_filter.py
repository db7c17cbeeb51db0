"""What a client wants to hear of, as it says it, and as much of it as it may have.

Source: MCP 2026-07-28 subscriptions (`SubscriptionFilter`); MCP extension tasks (status notifications).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.canonical import Json, JsonObject
from remit.gateway.rejection import invalid_params
from remit.policy.evaluation import ResourceKind

__all__ = ["CHANGES", "MAX_NAMED", "Wanted", "is_within"]

MAX_NAMED: Final = 64
"""How many resources, and how many tasks, one subscription may name."""
_MAX_TEXT: Final = 16 * 1024
CHANGES: Final[Mapping[str, tuple[str, ResourceKind]]] = {
    "toolsListChanged": ("notifications/tools/list_changed", ResourceKind.TOOL),
    "promptsListChanged": ("notifications/prompts/list_changed", ResourceKind.PROMPT),
    "resourcesListChanged": ("notifications/resources/list_changed", ResourceKind.RESOURCE),
}
"""Each flag of the filter: the notification that it asks for, and the kind of thing that it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One filter. `tasks` are as whoever says it calls them."""

    flags: frozenset[str] = frozenset()
    uris: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    @classmethod
    def read(cls, params: "JsonObject | None") -> "Wanted":
        """What the parameters of a request, or of its acknowledgement, say.

        Raises:
            RejectedError: -32602, they say it in no known form, or too much.
        """
        said = params.get("notifications") if params else None
        if not isinstance(said, dict):
            raise invalid_params("parameter `notifications` is not an object")
        for flag in CHANGES:
            if said.get(flag) is not None and not isinstance(said.get(flag), bool):
                raise invalid_params(f"`notifications.{flag}` is not a boolean")
        return cls(
            flags=frozenset(flag for flag in CHANGES if said.get(flag) is True),
            uris=_texts(said, "resourceSubscriptions"),
            tasks=_texts(said, "taskIds"),
        )

    def to_json(self) -> JsonObject:
        said: dict[str, Json] = {flag: True for flag in CHANGES if flag in self.flags}
        if self.uris:
            said["resourceSubscriptions"] = list(self.uris)
        if self.tasks:
            said["taskIds"] = list(self.tasks)
        return said


def is_within(uri: str, subscribed: Iterable[str]) -> bool:
    """Whether news of `uri` is news of something subscribed to: of itself, or of a part of it."""
    return any(uri == one or uri.startswith(one.rstrip("/") + "/") for one in subscribed)


def _texts(said: JsonObject, member: str) -> tuple[str, ...]:
    values = said.get(member)
    if values is None:
        return ()
    if not isinstance(values, list) or len(values) > MAX_NAMED:
        raise invalid_params(f"`notifications.{member}` is not a list of at most {MAX_NAMED}")
    texts = [value for value in values if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT]
    if len(texts) != len(values):
        raise invalid_params(f"`notifications.{member}` holds something else than names")
    return tuple(dict.fromkeys(texts))
