"""Tasks, which the gateway does not carry: nobody behind it learns that a caller could.

A call that became a task would outlive its decision and its record. Nothing is
refused: who does not offer tasks processes a request that asks for one like any other.

Source: MCP 2025-11-25 tasks (receivers without the capability ignore `task`);
MCP 2026-07-28 extensions (`io.modelcontextprotocol/tasks`).
"""

from remit.canonical import JsonObject
from remit.gateway.jsonrpc import Request
from remit.gateway.protocol import CAPABILITIES_KEY

__all__ = ["without_tasks"]

_TASKS = "io.modelcontextprotocol/tasks"


def without_tasks(request: Request) -> Request:
    """`request` without the wish to become a task, and without the promise that its sender knows them."""
    params = request.params
    if params is None:
        return request
    kept: JsonObject = {name: value for name, value in params.items() if name != "task"}
    capabilities = kept.get("capabilities")
    if request.method == "initialize" and isinstance(capabilities, dict):
        kept["capabilities"] = _without(capabilities, "tasks")
    meta = kept.get("_meta")
    if isinstance(meta, dict):
        kept["_meta"] = _without_extension(meta)
    return Request(request.id, request.method, kept)


def _without_extension(meta: JsonObject) -> JsonObject:
    capabilities = meta.get(CAPABILITIES_KEY)
    extensions = capabilities.get("extensions") if isinstance(capabilities, dict) else None
    if not isinstance(capabilities, dict) or not isinstance(extensions, dict):
        return meta
    carried: JsonObject = {**capabilities, "extensions": _without(extensions, _TASKS)}
    return {**meta, CAPABILITIES_KEY: carried}


def _without(members: JsonObject, name: str) -> JsonObject:
    return {key: value for key, value in members.items() if key != name}
