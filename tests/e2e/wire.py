"""MCP by hand, for what no client library would send: one modern request, its headers and its body."""

from typing import Any

import httpx2

VERSION = "2026-07-28"
ACCEPT = "application/json, text/event-stream"


def message(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """A request that stands alone, as every modern one does."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "by hand", "version": "1"},
    }
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {**(params or {}), "_meta": meta},
    }


def headers(
    method: str = "tools/list", *, name: str | None = None, token: str | None = None
) -> dict[str, str]:
    """The headers that go with it."""
    given = {
        "accept": ACCEPT,
        "content-type": "application/json",
        "mcp-protocol-version": VERSION,
        "mcp-method": method,
    }
    if name is not None:
        given["mcp-name"] = name
    if token is not None:
        given["authorization"] = f"Bearer {token}"
    return given


async def ask(
    server: str, method: str, params: dict[str, Any] | None = None, *, token: str | None = None
) -> httpx2.Response:
    """Send one request to an MCP server's URL."""
    named = (params or {}).get("name")
    async with httpx2.AsyncClient(timeout=60) as http:
        return await http.post(
            server,
            json=message(method, params),
            headers=headers(method, name=named, token=token),
        )
