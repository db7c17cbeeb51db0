"""The CRM of the demonstration, guarding itself: `python guarded_crm.py KIND PORT`, or `KIND` alone for stdio.

`sdk` is the official SDK's server, `fastmcp` FastMCP's, `modern` and `legacy` a plain ASGI application that
knows but one era.
"""

import asyncio
import os
import sys
from pathlib import Path

import uvicorn
from fastmcp import FastMCP

from remit.demo.crm_server import build
from remit.guard import protect

ACCOUNTS = {"acc-1001": "Juniper Bakery", "acc-1002": "Halden Bikes"}


def fast():
    server = FastMCP("crm")

    @server.tool()
    def list_accounts(organization_id: str) -> list[str]:
        return [*ACCOUNTS]

    @server.tool()
    def get_account(organization_id: str, account_id: str) -> str:
        return ACCOUNTS[account_id]

    @server.tool()
    def delete_account(organization_id: str, account_id: str) -> str:
        return "deleted"

    @server.resource("crm://handbook")
    def handbook() -> str:
        return "Be brief, be kind, and never promise a date."

    return server


def knowing(era, application):
    """`application`, for one era alone, as servers are that were written before the other or after it."""

    async def serve(scope, receive, send):
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if (headers.get(b"mcp-protocol-version") == b"2026-07-28") == (era == "modern"):
            await application(scope, receive, send)
            return
        start = {
            "type": "http.response.start",
            "status": 400,
            "headers": [(b"content-type", b"text/plain")],
        }
        await send(start)
        await send({"type": "http.response.body", "body": b"what is this"})

    return serve


def main():
    kind, *port = sys.argv[1:]
    servers = {
        "sdk": build,
        "fastmcp": fast,
        "modern": lambda: knowing("modern", build().streamable_http_app()),
        "legacy": lambda: knowing("legacy", build().streamable_http_app()),
    }
    app = protect(
        servers[kind](),
        remit=os.environ["REMIT_URL"],
        name="crm",
        secret=os.environ["CRM_GUARD_SECRET"],
        folder=Path(os.environ["GUARD_FOLDER"]),
    )
    if port:
        uvicorn.run(app, port=int(port[0]), log_level="info", lifespan="on")
    else:
        asyncio.run(app.serve_stdio())


main()
