"""A server on the official SDK that speaks one era, or both. `python one_era.py ERA [--port N]`; without a port, stdio.

It offers the same in each: what asks the client does so in the way of the era of the call.
"""

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import runner
from mcp.server.lowlevel import server as lowlevel
from mcp.server.mcpserver import Context, MCPServer, RequestStateSecurity
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    EmptyResult,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    SubscribeRequestParams,
    TextContent,
)
from pydantic import BaseModel

MODERN = "2026-07-28"
SCHEMA = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}


class Choice(BaseModel):
    colour: str


def build(notes: Path | None = None) -> MCPServer:
    server = MCPServer(
        "one-era",
        instructions="ask away",
        version="7",
        request_state_security=RequestStateSecurity(
            keys=[b"a key for tests, thirty-two bytes at least"]
        ),
    )
    _plain(server)
    _asking(server)
    _lasting(server, notes)

    @server.resource("notes://today")
    def today() -> str:
        return "buy milk"

    @server.prompt()
    def greet(name: str) -> str:
        return f"say hello to {name}"

    async def taken(_ctx: object, _params: object) -> EmptyResult:
        return EmptyResult()

    server._lowlevel_server.add_request_handler(
        "resources/subscribe", SubscribeRequestParams, taken
    )
    return server


def _plain(server: MCPServer) -> None:
    @server.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    def era(ctx: Context) -> str:
        """The version that this call is made in, and what its client can do."""
        return f"{ctx.protocol_version} {able(ctx)}"

    @server.tool()
    def hidden() -> str:
        """Not for everybody."""
        return "seen"


def able(ctx: Context) -> list[str]:
    said = ctx.client_capabilities
    if said is None and (client := ctx.session.client_params) is not None:
        said = client.capabilities
    return sorted(said.model_dump(exclude_none=True)) if said is not None else []


def is_modern(ctx: Context) -> bool:
    return ctx.protocol_version == MODERN


def _asking(server: MCPServer) -> None:
    async def asked(ctx: Context, key: str) -> Any:
        """What the person says; or, in the modern era, the question that is still open."""
        if not is_modern(ctx):
            answer = await ctx.elicit(f"which {key}?", Choice)
            return answer.data.colour if answer.action == "accept" else answer.action
        given = (ctx.input_responses or {}).get(key)
        if given is not None:
            return given.content["colour"] if given.action == "accept" else given.action
        params = ElicitRequestFormParams(message=f"which {key}?", requested_schema=SCHEMA)
        return ElicitRequest(params=params)

    @server.tool()
    async def pick(ctx: Context) -> str | InputRequiredResult:
        """Ask the person."""
        answer = await asked(ctx, "colour")
        if isinstance(answer, ElicitRequest):
            return InputRequiredResult(input_requests={"colour": answer})
        return answer

    @server.tool()
    async def pick_two(ctx: Context) -> str | InputRequiredResult:
        """Ask the person, and then again."""
        if not is_modern(ctx):
            return f"{await asked(ctx, 'wall')} and {await asked(ctx, 'floor')}"
        said = json.loads(ctx.request_state or "[]")
        key = ("wall", "floor")[len(said)]
        answer = await asked(ctx, key)
        if not isinstance(answer, ElicitRequest):
            said.append(answer)
            if len(said) == 2:
                return " and ".join(said)
            key, answer = "floor", await asked(ctx, "floor")
        return InputRequiredResult(input_requests={key: answer}, request_state=json.dumps(said))

    @server.tool()
    async def ask_for_ever(ctx: Context) -> str | InputRequiredResult:
        """Ask, and be content with no answer."""
        while not is_modern(ctx):
            await asked(ctx, "colour")
        params = ElicitRequestFormParams(message="which?", requested_schema=SCHEMA)
        return InputRequiredResult(input_requests={"colour": ElicitRequest(params=params)})

    @server.tool()
    async def think(ctx: Context) -> str | InputRequiredResult:
        """Ask the model."""
        message = SamplingMessage(role="user", content=TextContent(type="text", text="2+2?"))
        if not is_modern(ctx):
            reply = await ctx.session.create_message(
                [message], max_tokens=8, related_request_id=ctx.request_id
            )
            return reply.content.text
        given = (ctx.input_responses or {}).get("sum")
        if given is not None:
            return given.content.text
        params = CreateMessageRequestParams(messages=[message], max_tokens=8)
        return InputRequiredResult(input_requests={"sum": CreateMessageRequest(params=params)})

    @server.tool()
    async def folders(ctx: Context) -> str | InputRequiredResult:
        """Ask which folders the client has."""
        if not is_modern(ctx):
            return str(len((await ctx.session.list_roots()).roots))
        given = (ctx.input_responses or {}).get("roots")
        if given is not None:
            return str(len(given.roots))
        return InputRequiredResult(input_requests={"roots": ListRootsRequest()})


def _lasting(server: MCPServer, notes: Path | None) -> None:
    @server.tool()
    async def steps(ctx: Context) -> str:
        """Report progress, and say something."""
        await ctx.report_progress(1, 2, "half way")
        await ctx.info("half way, it says")
        await ctx.report_progress(2, 2, "there")
        return "done"

    @server.tool()
    async def wait_for_ever(ctx: Context) -> str:
        """Say when it begins and when it is cancelled."""
        await ctx.report_progress(0, 1, "waiting")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if notes is not None:
                (notes / "cancelled").write_text("yes")
            raise
        return "never"

    @server.tool()
    def crash() -> str:
        """End the process."""
        os._exit(3)


def only(era: str, app):
    """`app` as a server that knows nothing of the other era."""

    async def gated(scope, receive, send):
        version = dict(scope.get("headers", ())).get(b"mcp-protocol-version", b"").decode()
        if scope["type"] != "http" or era == "dual" or (version == MODERN) == (era == "modern"):
            await app(scope, receive, send)
            return
        error = {"code": -32600, "message": "Bad Request: Unsupported protocol version"}
        if era == "modern":
            data = {"supported": [MODERN], "requested": version or "2025-11-25"}
            error = {"code": -32022, "message": "Unsupported protocol version", "data": data}
        body = json.dumps({"jsonrpc": "2.0", "id": "server-error", "error": error}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return gated


def app_of(era: str, notes: Path | None = None):
    return only(era, build(notes).streamable_http_app())


def speak_only(era: str) -> None:
    """Let servers of this process speak one era over their standard streams."""

    async def legacy(server, read, write, *, lifespan_state, init_options=None, **more):
        await runner._serve_legacy_stream(
            server, read, write, lifespan_state=lifespan_state, session_id=None,
            init_options=init_options, raise_exceptions=False,
        )  # fmt: skip

    async def modern(server, read, write, *, lifespan_state, **more):
        await runner._serve_modern_stream(
            server, read, write, lifespan_state=lifespan_state, raise_exceptions=False
        )

    if era != "dual":
        lowlevel.serve_dual_era_loop = legacy if era == "legacy" else modern


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("era", choices=["modern", "legacy", "dual"])
    parser.add_argument("--port", type=int)
    arguments = parser.parse_args()
    notes = Path(os.environ["NOTES"]) if "NOTES" in os.environ else None
    if arguments.port is None:
        speak_only(arguments.era)
        build(notes).run("stdio")
        return
    uvicorn.run(app_of(arguments.era, notes), port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
