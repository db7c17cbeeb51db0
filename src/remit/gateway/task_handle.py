"""The handle under which a caller finds a task again, and nobody else does.

A server's own name for a task never goes down. What the caller holds in its place says, sealed,
which task of which server it is, of which tool, for which principal, under which decision it began,
why, and what the policies read of the arguments: so it outlives a restart, and every process of one
installation knows it. It is no proof of who calls. A handle that was never given out, has expired,
is another server's or somebody else's is the same: unknown.

Source: MCP extension tasks (security considerations); MCP security best practices (state handles).
"""

from dataclasses import dataclass
from typing import Final

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.clock import Clock, EpochSeconds, Seconds
from remit.gateway.principal import Principal
from remit.gateway.rejection import UpstreamError
from remit.gateway.sealed import Seal
from remit.ids import ServerName
from remit.model import Tool

__all__ = ["TASK_LIFETIME", "Task", "TaskHandles", "kept_arguments"]

TASK_LIFETIME: Final = Seconds(30 * 24 * 3600)
"""How long a handle is good, whatever the server says of its task."""
_LONGEST_ID: Final = 1024
_LONGEST_ARGUMENTS: Final = 4096
_LONGEST: Final = 12 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task behind. `id` is the server's name for it, `arguments` what policies read of the call's."""

    id: str
    server: ServerName
    tool: str
    principal: Principal
    decision_id: str
    arguments: "JsonObject | None" = None
    justification: str | None = None
    """Why the call was made; each use of the task is decided as the call was."""


class TaskHandles:
    """Gives out handles, and knows its own."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._seal = Seal(key, longest=_LONGEST)
        self._clock = clock

    def issue(self, task: Task) -> str:
        """A handle for `task`, good for `TASK_LIFETIME`.

        Raises:
            UpstreamError: the server's name for it, or what is to be kept of the call, is too long.
        """
        if not 0 < len(task.id) <= _LONGEST_ID:
            raise UpstreamError("the server's name for the task is empty, or too long")
        if task.arguments is not None and len(canonical_bytes(task.arguments)) > _LONGEST_ARGUMENTS:
            raise UpstreamError("the call has become a task, but is too large to be decided again")
        return self._seal.seal(
            {
                "i": task.id,
                "s": str(task.server),
                "t": task.tool,
                "p": task.principal.claims(),
                "d": task.decision_id,
                "a": task.arguments,
                "j": task.justification,
                "e": self._clock.now() + TASK_LIFETIME,
            }
        )

    def find(self, handle: Json, server: ServerName, principal: Principal) -> Task | None:
        """The task of `principal`'s on `server` that `handle` stands for; `None` if it stands for none."""
        claims = self._seal.open(handle) if isinstance(handle, str) else None
        if claims is None or claims.get("s") != server or claims.get("p") != principal.claims():
            return None
        expires = claims.get("e")
        if not isinstance(expires, int) or EpochSeconds(expires) <= self._clock.now():
            return None
        arguments, justification = claims.get("a"), claims.get("j")
        return Task(
            id=str(claims["i"]),
            server=server,
            tool=str(claims["t"]),
            principal=principal,
            decision_id=str(claims["d"]),
            arguments=arguments if isinstance(arguments, dict) else None,
            justification=justification if isinstance(justification, str) else None,
        )


def kept_arguments(tool: Tool | None, arguments: "JsonObject | None") -> "JsonObject | None":
    """What is kept of `arguments`, so that every use of the task is decided as the call was: what policies read."""
    if tool is None or arguments is None:
        return None
    pointers = [argument.pointer for argument in tool.arguments]
    pointers += [one.currency_pointer for one in tool.arguments if one.currency_pointer is not None]
    paths = [_steps(pointer) for pointer in pointers]
    kept = _kept(arguments, paths)
    return kept if isinstance(kept, dict) else None


def _steps(pointer: str) -> tuple[str, ...]:
    """The steps of an RFC 6901 pointer."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _kept(value: Json, paths: list[tuple[str, ...]]) -> Json:
    # What a path ends at is kept whole, and so is a list: its places are numbers.
    if not isinstance(value, dict) or () in paths:
        return value
    inner = {name: [path[1:] for path in paths if path[0] == name] for name in value}
    return {name: _kept(value[name], further) for name, further in inner.items() if further}
