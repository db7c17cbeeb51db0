"""Words of the legacy era, said in the modern one.

Every result is of a type, and says of itself whether it may be kept: it may not. A
notification goes down only where this era has one, and the caller asked to hear it.

Source: MCP 2026-07-28 base protocol (`resultType`), caching, discovery, logging; MCP 2025-11-25 schema.
"""

from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import INVALID_PARAMS, Notification, Response
from remit.gateway.protocol import (
    CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    LOG_LEVEL_KEY,
    MODERN_VERSIONS,
    SERVER_INFO_KEY,
    VERSION_KEY,
)

__all__ = [
    "LOG_LEVELS",
    "RELATED_TASK_KEY",
    "discover_result",
    "meta_of",
    "modern_meta",
    "modern_notification",
    "modern_response",
]

LOG_LEVELS = (
    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency",
)  # fmt: skip
RELATED_TASK_KEY = "io.modelcontextprotocol/related-task"

_KEPT_BY_CLIENTS = frozenset(
    {
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "tools/list",
    }
)
_RESOURCE_NOT_FOUND = -32002


def meta_of(params: "JsonObject | None") -> JsonObject:
    """The `_meta` of `params`; empty where there is none."""
    meta = params.get("_meta") if params else None
    return meta if isinstance(meta, dict) else {}


def modern_meta(
    params: "JsonObject | None", client: JsonObject, *, level: str | None
) -> JsonObject:
    """`params` with what every modern request says of its client. `client` is how it initialised."""
    capabilities = client.get("capabilities")
    meta: JsonObject = {
        **meta_of(params),
        VERSION_KEY: MODERN_VERSIONS[-1],
        CAPABILITIES_KEY: _client_capabilities(capabilities),
    }
    if isinstance(info := client.get("clientInfo"), dict):
        meta[CLIENT_INFO_KEY] = info
    if level is not None:
        meta[LOG_LEVEL_KEY] = level
    return {**(params or {}), "_meta": meta}


def discover_result(initialized: JsonObject) -> JsonObject:
    """The answer to `server/discover`, from the server's answer to `initialize`."""
    capabilities = initialized.get("capabilities")
    result: JsonObject = {
        "resultType": "complete",
        "supportedVersions": list(MODERN_VERSIONS),
        "capabilities": {
            name: value
            for name, value in (capabilities if isinstance(capabilities, dict) else {}).items()
            if name != "tasks"
        },
        "ttlMs": 0,
        "cacheScope": "private",
    }
    if isinstance(instructions := initialized.get("instructions"), str):
        result["instructions"] = instructions
    return _signed(result, initialized)


def modern_response(response: Response, method: str, initialized: JsonObject) -> Response:
    """A legacy server's answer to `method` as a modern client may have it."""
    if response.error is not None:
        error = response.error
        if error["code"] == _RESOURCE_NOT_FOUND:
            error = {**error, "code": INVALID_PARAMS}
        return Response(response.id, error=error)
    result: JsonObject = {**(response.result or {}), "resultType": "complete"}
    if method in _KEPT_BY_CLIENTS:
        result |= {"ttlMs": 0, "cacheScope": "private"}
    tools = result.get("tools")
    if method == "tools/list" and isinstance(tools, list):
        result["tools"] = [_modern_tool(tool) for tool in tools]
    return Response(response.id, result=_signed(result, initialized))


def modern_notification(message: Notification, level: Json) -> Notification | None:
    """`message` as it may stand on the stream of one call; `None` if it may not.

    `level` is from where on the caller wants to hear what the server logs; without it, nothing.
    """
    if message.method == "notifications/progress":
        return message
    if message.method != "notifications/message" or message.params is None:
        return None
    said = message.params.get("level")
    if not (isinstance(level, str) and level in LOG_LEVELS) or said not in LOG_LEVELS:
        return None
    heard = LOG_LEVELS.index(str(said)) >= LOG_LEVELS.index(level)
    return message if heard else None


def _client_capabilities(capabilities: Json) -> JsonObject:
    if not isinstance(capabilities, dict):
        return {}
    return {name: value for name, value in capabilities.items() if name != "tasks"}


def _modern_tool(tool: Json) -> Json:
    """`tool` without its wish to become a task."""
    if not isinstance(tool, dict):
        return tool
    return {name: value for name, value in tool.items() if name != "execution"}


def _signed(result: JsonObject, initialized: JsonObject) -> JsonObject:
    """`result`, with the name that the server gives itself."""
    info = initialized.get("serverInfo")
    if not isinstance(info, dict):
        return result
    return {**result, "_meta": {**meta_of(result), SERVER_INFO_KEY: info}}
