"""`allowed_methods` and `allowed_extensions` of a server: what passes beyond what the gateway knows.

Refused: a method of the protocol's own, which the gateway treats in its own way and no
declaration changes; a notification; an extension that is carried anyway, or that is on
authorization and so Remit's to offer; a name in no known form; a name said twice. Names are
compared as they stand.

Source: MCP 2026-07-28 base protocol (extensions, methods); MCP extension tasks (reservations).
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from remit.documents import mistake, quoted

__all__ = ["DECIDED_METHODS", "AllowedExtensions", "AllowedMethods"]

DECIDED_METHODS: Final = frozenset(
    {
        "completion/complete", "elicitation/create", "initialize", "logging/setLevel", "ping",
        "prompts/get", "prompts/list", "resources/list", "resources/read", "resources/subscribe",
        "resources/templates/list", "resources/unsubscribe", "roots/list", "sampling/createMessage",
        "server/discover", "subscriptions/listen", "tasks/cancel", "tasks/get", "tasks/list",
        "tasks/result", "tasks/update", "tools/call", "tools/list",
    }
)  # fmt: skip
"""The methods of the protocol and of its tasks, in every revision."""
_RESERVED: Final = ("notifications/", "tasks/")
_CARRIED: Final = "io.modelcontextprotocol/tasks"
_AUTHORIZATION: Final = frozenset(
    {
        "io.modelcontextprotocol/oauth-client-credentials",
        "io.modelcontextprotocol/enterprise-managed-authorization",
    }
)
_METHOD: Final = re.compile(r"[A-Za-z0-9_.$:-]+(?:/[A-Za-z0-9_.$:-]+)*")
_EXTENSION: Final = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"/[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"
)
_LONGEST: Final = 128


def _check_method(name: str) -> str:
    if name in DECIDED_METHODS:
        raise mistake(
            f"the method {quoted(name)} is decided by Remit itself",
            expected="methods of an extension or of the server's own",
        )
    if name.startswith(_RESERVED):
        raise mistake(
            f"{quoted(name)} is a notification, or reserved for tasks",
            expected="the name of a request, such as `search/query`",
        )
    if len(name) > _LONGEST or not _METHOD.fullmatch(name):
        raise mistake(f"{quoted(name)} is no name of a method", expected="such as `search/query`")
    return name


def _check_extension(name: str) -> str:
    if name == _CARRIED:
        raise mistake(f"the extension {quoted(name)} is carried anyway", expected="another")
    if name in _AUTHORIZATION:
        raise mistake(
            f"the extension {quoted(name)} is Remit's own to offer",
            expected="extensions that the server itself has",
        )
    if len(name) > _LONGEST or not _EXTENSION.fullmatch(name):
        raise mistake(
            f"{quoted(name)} is no name of an extension", expected="such as `com.example/search`"
        )
    return name


def _check_once(names: tuple[str, ...]) -> tuple[str, ...]:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise mistake(f"{quoted(name)} is said twice", expected="each name once")
    return names


AllowedMethods = Annotated[
    tuple[Annotated[str, AfterValidator(_check_method)], ...], AfterValidator(_check_once)
]
AllowedExtensions = Annotated[
    tuple[Annotated[str, AfterValidator(_check_extension)], ...], AfterValidator(_check_once)
]
