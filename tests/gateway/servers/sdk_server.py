"""A server on the official SDK, for the gateway to stand in front of. `python sdk_server.py` serves stdio."""

import os
from pathlib import Path

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import SamplingMessage, TextContent
from pydantic import BaseModel


class Choice(BaseModel):
    colour: str


def build(notes: Path) -> MCPServer:
    server = MCPServer("sdk-server", instructions="ask away")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @server.tool()
    def hidden() -> str:
        """Not for everybody."""
        return "seen"

    @server.tool()
    async def steps(ctx: Context) -> str:
        """Report progress, then wait until the test lets go."""
        await ctx.report_progress(1, 2, "half way")
        with anyio.fail_after(30):
            while True:
                if (notes / "go").exists():
                    break
                await anyio.sleep(0.02)
        await ctx.report_progress(2, 2, "there")
        return "done"

    @server.tool()
    async def wait_for_ever(ctx: Context) -> str:
        """Say when it begins and when it is cancelled."""
        await ctx.report_progress(0, 1, "waiting")
        try:
            await anyio.sleep(60)
        except anyio.get_cancelled_exc_class():
            (notes / "cancelled").write_text("yes")
            raise
        return "never"

    @server.tool()
    async def pick(ctx: Context) -> str:
        """Ask the person."""
        answer = await ctx.elicit("which colour?", Choice)
        return answer.data.colour if answer.action == "accept" else answer.action

    @server.tool()
    async def think(ctx: Context) -> str:
        """Ask the model."""
        message = SamplingMessage(role="user", content=TextContent(type="text", text="2+2?"))
        reply = await ctx.session.create_message(
            [message], max_tokens=8, related_request_id=ctx.request_id
        )
        return reply.content.text

    @server.tool()
    def environment() -> list[str]:
        """The names of the variables the server sees."""
        return sorted(os.environ)

    @server.tool()
    def crash() -> str:
        """End the process."""
        os._exit(3)

    @server.resource("notes://today")
    def today() -> str:
        return "buy milk"

    @server.resource("notes://{day}")
    def of_day(day: str) -> str:
        return f"notes of {day}"

    @server.prompt()
    def greet(name: str) -> str:
        return f"say hello to {name}"

    return server


if __name__ == "__main__":
    build(Path(os.environ["NOTES"])).run("stdio")
