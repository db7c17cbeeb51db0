"""What of a server's result reaches the caller.

A list holds only what the guard lets this caller see, and says so to caches: it is
private. A server's description of itself does not promise what the gateway refuses.
A result is of a known type. An error code that this revision does not know is turned into one that it knows.

Source: MCP 2026-07-28 caching (`cacheScope`), base protocol (error codes), discovery.
"""

from remit.canonical import Json, JsonObject
from remit.gateway.extensions import Offered, with_carried
from remit.gateway.jsonrpc import INTERNAL_ERROR, INVALID_PARAMS, Response
from remit.gateway.methods import Listed
from remit.gateway.parameter_headers import ToolSchemas
from remit.gateway.protocol import LEGACY_VERSIONS, MODERN_VERSIONS, Era
from remit.gateway.rejection import UpstreamError
from remit.guard.visible import Visible
from remit.policy.evaluation import ResourceKind

__all__ = ["as_private", "described", "filtered", "typed", "with_known_code"]

_RESOURCE_NOT_FOUND_BEFORE = -32002
_RESERVED = range(-32099, -32022)
_MAY_ASK = frozenset({"tools/call", "resources/read", "prompts/get"})


def filtered(
    result: JsonObject, listed: Listed, visible: Visible, *, schemas: ToolSchemas
) -> JsonObject:
    """`result` with only the items that `visible` admits; the cursor to the next page stays.

    Raises:
        UpstreamError: the result holds no such list.
    """
    items = result.get(listed.member)
    if not isinstance(items, list):
        raise UpstreamError(f"the server's answer has no list `{listed.member}`")
    if listed.kind is ResourceKind.TOOL:
        schemas.learn(items)
    seen: list[Json] = [item for item in items if _admitted(item, listed, visible)]
    return {**result, listed.member: seen}


def as_private(result: JsonObject) -> JsonObject:
    """`result`, to be cached for this caller alone."""
    return {**result, "cacheScope": "private"}


def described(result: JsonObject, era: Era, offered: Offered) -> JsonObject:
    """A server's description of itself, less what the gateway does not carry, with what it offers itself."""
    described_result = dict(result)
    capabilities = result.get("capabilities")
    if isinstance(capabilities, dict):
        described_result["capabilities"] = _carried(capabilities, era, offered)
    versions = result.get("supportedVersions")
    if isinstance(versions, list):
        known = MODERN_VERSIONS + LEGACY_VERSIONS
        described_result["supportedVersions"] = [one for one in versions if one in known]
    return described_result


def with_known_code(response: Response, era: Era) -> Response:
    """`response` without the codes that a modern receiver must never see (RS-41)."""
    if response.error is None or era is Era.LEGACY:
        return response
    code = response.error["code"]
    if code == _RESOURCE_NOT_FOUND_BEFORE:
        return Response(response.id, error={**response.error, "code": INVALID_PARAMS})
    if code in _RESERVED:
        return Response(response.id, error={**response.error, "code": INTERNAL_ERROR})
    return response


def typed(result: JsonObject, method: str) -> JsonObject:
    """`result` with its `resultType`, which an older server may have left out.

    Raises:
        UpstreamError: a type that nobody knows, or a demand for input where none may be made (RS-42).
    """
    kind = result.get("resultType", "complete")
    if kind == "input_required" and method not in _MAY_ASK:
        raise UpstreamError(f"the server asks for input in answer to `{method}`")
    if kind == "task" and method != "tools/call":
        raise UpstreamError(f"the server makes a task of `{method}`")
    if not isinstance(kind, str) or kind not in {"complete", "input_required", "task"}:
        raise UpstreamError("the server's result is of an unknown type")
    return {**result, "resultType": kind}


def _admitted(item: Json, listed: Listed, visible: Visible) -> bool:
    name = item.get(listed.key) if isinstance(item, dict) else None
    return isinstance(name, str) and visible.admits(listed.kind, name)


def _carried(capabilities: JsonObject, era: Era, offered: Offered) -> JsonObject:
    if era is Era.LEGACY:
        return with_carried(capabilities, offered)
    # In this era tasks are an extension, and no capability of their own.
    rest: JsonObject = {name: value for name, value in capabilities.items() if name != "tasks"}
    return with_carried(rest, offered, to_client=True)
