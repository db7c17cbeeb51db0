"""Words of the modern era, said in the legacy one.

Of a request's `_meta` what the modern era put there stays behind; of a result, the
members that a legacy client does not know. What has no counterpart is left out and
never invented, but for what a legacy receiver must find: a version, a name, an id.

Source: MCP 2026-07-28 base protocol (`_meta`, `resultType`), discovery, caching;
MCP 2025-11-25 lifecycle, schema.
"""

from remit.canonical import Json, JsonObject
from remit.gateway.jsonrpc import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    MISSING_CAPABILITY,
    Response,
)
from remit.gateway.protocol import (
    CAPABILITIES_KEY,
    CLIENT_INFO_KEY,
    LATEST_LEGACY_VERSION,
    LEGACY_VERSIONS,
    LOG_LEVEL_KEY,
    SERVER_INFO_KEY,
    SUBSCRIPTION_KEY,
    VERSION_KEY,
)

__all__ = [
    "legacy_capabilities",
    "legacy_headers",
    "legacy_initialize_result",
    "legacy_params",
    "legacy_response",
    "opening_params",
    "without_meta",
]

_MODERN_META = frozenset({VERSION_KEY, CAPABILITIES_KEY, CLIENT_INFO_KEY, LOG_LEVEL_KEY})
_MODERN_MEMBERS = frozenset({"resultType", "ttlMs", "cacheScope"})
_ROUND_MEMBERS = frozenset({"inputResponses", "requestState"})
_CLIENT_CAPABILITIES = ("elicitation", "experimental", "roots", "sampling")
_RESOURCE_NOT_FOUND = -32002
_NOBODY: JsonObject = {"name": "remit", "version": "1"}


def legacy_params(params: "JsonObject | None") -> "JsonObject | None":
    """The parameters of a modern request as a legacy server may have them."""
    if params is None:
        return None
    kept: JsonObject = {name: value for name, value in params.items() if name not in _ROUND_MEMBERS}
    return without_meta(kept, _MODERN_META) or None


def legacy_headers(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """`headers` without those of the modern era."""
    return tuple((name, value) for name, value in headers if not name.lower().startswith("mcp-"))


def opening_params(meta: JsonObject, capabilities: JsonObject) -> JsonObject:
    """The parameters of `initialize`, from what a modern request says of its client."""
    said = meta.get(CLIENT_INFO_KEY)
    info = said if isinstance(said, dict) and _names_somebody(said) else _NOBODY
    return {
        "protocolVersion": LATEST_LEGACY_VERSION,
        "capabilities": capabilities,
        "clientInfo": info,
    }


def legacy_capabilities(capabilities: Json) -> JsonObject:
    """What a modern client says it can do, as far as the legacy era has a word for it.

    A bridged client has no way to say that its roots have changed.
    """
    if not isinstance(capabilities, dict):
        return {}
    known: JsonObject = {
        name: value
        for name in _CLIENT_CAPABILITIES
        if isinstance(value := capabilities.get(name), dict)
    }
    if "roots" in known:
        known["roots"] = {}
    return known


def legacy_initialize_result(discovered: JsonObject, asked: Json) -> JsonObject:
    """The answer to `initialize`, from what the server says of itself.

    The version is the one that was `asked` for, if anybody knows it.
    """
    meta = discovered.get("_meta")
    said = meta.get(SERVER_INFO_KEY) if isinstance(meta, dict) else None
    capabilities = discovered.get("capabilities")
    result: JsonObject = {
        "protocolVersion": asked
        if isinstance(asked, str) and asked in LEGACY_VERSIONS
        else LATEST_LEGACY_VERSION,
        "capabilities": _server_capabilities(capabilities),
        "serverInfo": said if isinstance(said, dict) and _names_somebody(said) else dict(_NOBODY),
    }
    if isinstance(instructions := discovered.get("instructions"), str):
        result["instructions"] = instructions
    return result


def legacy_response(response: Response, method: str, uri: Json = None) -> Response:
    """A modern server's answer as a legacy client may have it. `uri` is the resource it is about."""
    if response.error is not None:
        return Response(response.id, error=_legacy_error(response.error, method, uri))
    result = {
        name: value
        for name, value in (response.result or {}).items()
        if name not in _MODERN_MEMBERS
    }
    return Response(response.id, result=without_meta(result, {SERVER_INFO_KEY, SUBSCRIPTION_KEY}))


def without_meta(value: JsonObject, keys: "frozenset[str] | set[str]") -> JsonObject:
    """`value` whose `_meta` lacks `keys`; without `_meta` once nothing is left in it."""
    meta = value.get("_meta")
    if not isinstance(meta, dict):
        return value
    kept: JsonObject = {name: one for name, one in meta.items() if name not in keys}
    if kept:
        return {**value, "_meta": kept}
    return {name: one for name, one in value.items() if name != "_meta"}


def _server_capabilities(capabilities: Json) -> JsonObject:
    if not isinstance(capabilities, dict):
        return {}
    return {name: value for name, value in capabilities.items() if name != "extensions"}


def _legacy_error(error: JsonObject, method: str, uri: Json) -> JsonObject:
    code, data = error.get("code"), error.get("data")
    if code == MISSING_CAPABILITY:
        return {**error, "code": INVALID_PARAMS}
    if code == HEADER_MISMATCH:
        # The headers were made here, so the client has nothing to correct.
        return {**error, "code": INTERNAL_ERROR}
    about = data.get("uri") if isinstance(data, dict) else None
    if method == "resources/read" and code == INVALID_PARAMS and about == uri is not None:
        return {**error, "code": _RESOURCE_NOT_FOUND}
    return error


def _names_somebody(info: JsonObject) -> bool:
    return isinstance(info.get("name"), str) and isinstance(info.get("version"), str)
