"""What a thing that a server offers probably does, and how much harm it can do: guesses, to be reviewed.

The server's own annotations are hints from somebody who may lie, and names are only names: where
the two disagree, the worse counts. Nothing here decides anything.

Source: MCP 2026-07-28 schema (ToolAnnotations: hints, not to be trusted).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.canonical import Json, JsonObject
from remit.model import ArgumentType, Operation, Sensitivity

__all__ = ["Guess", "GuessedArgument", "guess_arguments", "guess_operation", "words_of"]

_VERBS: Final[Mapping[Operation, frozenset[str]]] = MappingProxyType(
    {
        Operation.READ: frozenset(
            [
                "get",
                "list",
                "read",
                "search",
                "find",
                "fetch",
                "show",
                "query",
                "lookup",
                "describe",
                "count",
                "check",
                "view",
                "browse",
                "explain",
                "inspect",
                "summarise",
                "summarize",
                "status",
                "whoami",
                "ping",
            ]
        ),
        Operation.EXPORT: frozenset(["export", "download", "dump", "backup", "extract"]),
        Operation.WRITE: frozenset(
            [
                "create",
                "add",
                "update",
                "set",
                "write",
                "put",
                "patch",
                "insert",
                "save",
                "edit",
                "rename",
                "move",
                "send",
                "post",
                "reply",
                "comment",
                "upload",
                "assign",
                "refund",
                "pay",
                "order",
                "book",
                "schedule",
                "submit",
                "merge",
                "sync",
                "tag",
            ]
        ),
        Operation.EXECUTE: frozenset(
            [
                "run",
                "exec",
                "execute",
                "eval",
                "invoke",
                "start",
                "stop",
                "trigger",
                "call",
                "deploy",
                "launch",
                "restart",
            ]
        ),
        Operation.DELETE: frozenset(
            ["delete", "remove", "drop", "purge", "destroy", "erase", "clear", "wipe"]
        ),
        Operation.ADMIN: frozenset(
            [
                "grant",
                "revoke",
                "admin",
                "configure",
                "close",
                "lock",
                "unlock",
                "enable",
                "disable",
                "approve",
                "reset",
                "rotate",
            ]
        ),
    }
)
_WORSE: Final = (
    Operation.READ, Operation.WRITE, Operation.EXPORT, Operation.EXECUTE, Operation.DELETE, Operation.ADMIN,
)  # fmt: skip
_SENSITIVITY: Final = MappingProxyType(
    {
        Operation.READ: Sensitivity.LOW,
        Operation.WRITE: Sensitivity.MEDIUM,
        Operation.EXPORT: Sensitivity.HIGH,
        Operation.EXECUTE: Sensitivity.HIGH,
        Operation.DELETE: Sensitivity.HIGH,
        Operation.ADMIN: Sensitivity.CRITICAL,
    }
)
_TYPES: Final = MappingProxyType(
    {
        "string": ArgumentType.STRING,
        "integer": ArgumentType.INTEGER,
        "boolean": ArgumentType.BOOLEAN,
        "number": ArgumentType.DECIMAL,
    }
)
_BOUNDARY: Final = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_ARGUMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a tool does to the world, and how it was guessed."""

    operation: Operation
    sensitivity: Sensitivity
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessedArgument:
    """An argument that a policy could read. `name` is the server's; `type` is `None` for one that none could."""

    name: str
    type: ArgumentType | None
    required: bool


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: `listAccounts`, `list_accounts` and `list-accounts` alike."""
    return tuple(word.lower() for word in _BOUNDARY.split(name) if word)


def guess_operation(name: str, annotations: Json) -> Guess:
    """What a tool of this name, with these annotations, probably does."""
    words = words_of(name)
    said = next(
        (
            (operation, word)
            for word in words
            for operation, verbs in _VERBS.items()
            if word in verbs
        ),
        None,
    )
    hint = _hinted(annotations)
    if said is None and hint is None:
        operation, because = Operation.WRITE, "neither its name nor an annotation says what it does"
    elif hint is None or (said is not None and _WORSE.index(said[0]) >= _WORSE.index(hint[0])):
        operation, because = (
            (said[0], f"its name says `{said[1]}`") if said else hint or (Operation.WRITE, "")
        )
    else:
        operation, because = hint
    sensitivity = _SENSITIVITY[operation]
    if (
        sensitivity is Sensitivity.LOW
        and isinstance(annotations, dict)
        and annotations.get("openWorldHint") is True
    ):
        sensitivity, because = Sensitivity.MEDIUM, f"{because}; it reaches the open world"
    return Guess(operation=operation, sensitivity=sensitivity, because=because)


def guess_arguments(schema: Json) -> tuple[GuessedArgument, ...]:
    """The top-level arguments of a tool with this `inputSchema`."""
    if not isinstance(schema, dict):
        return ()
    properties, required = schema.get("properties"), schema.get("required")
    names = (
        set(required)
        if isinstance(required, list) and all(isinstance(one, str) for one in required)
        else set()
    )
    return tuple(
        GuessedArgument(
            name=name, type=_type_of(inner), required=name in names and _type_of(inner) is not None
        )
        for name, inner in (properties.items() if isinstance(properties, dict) else ())
        if _ARGUMENT.fullmatch(name)
    )


def _hinted(annotations: Json) -> tuple[Operation, str] | None:
    if not isinstance(annotations, dict):
        return None
    if annotations.get("readOnlyHint") is True:
        return Operation.READ, "the server calls it read-only"
    if annotations.get("destructiveHint") is True:
        return Operation.DELETE, "the server calls it destructive"
    if annotations.get("readOnlyHint") is False:
        return Operation.WRITE, "the server says that it changes something"
    return None


def _type_of(schema: Json) -> ArgumentType | None:
    if not isinstance(schema, dict):
        return None
    declared = schema.get("type")
    if isinstance(declared, list):
        others = [one for one in declared if one != "null"]
        declared = others[0] if len(others) == 1 else None
    if declared is None and isinstance(schema.get("anyOf"), list):
        return _one_of(schema)
    if declared == "array":
        items = schema.get("items")
        of_strings = isinstance(items, dict) and items.get("type") == "string"
        return ArgumentType.STRINGS if of_strings else None
    return _TYPES.get(declared) if isinstance(declared, str) else None


def _one_of(schema: JsonObject) -> ArgumentType | None:
    """Of `anyOf` a type or nothing, the type."""
    options = schema["anyOf"]
    others = [
        one
        for one in (options if isinstance(options, list) else ())
        if not (isinstance(one, dict) and one.get("type") == "null")
    ]
    return _type_of(others[0]) if len(others) == 1 and isinstance(others[0], dict) else None
