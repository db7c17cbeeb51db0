"""A server on the official SDK that says when something changes. `python changing.py` serves stdio."""

from mcp.server.mcpserver import Context, MCPServer


def build() -> MCPServer:
    server = MCPServer("changing")

    @server.tool()
    async def touch(uri: str, ctx: Context) -> str:
        """Say that a resource has changed."""
        await ctx.notify_resource_updated(uri)
        return "said"

    @server.tool()
    async def change(ctx: Context) -> str:
        """Say that the lists have changed."""
        await ctx.notify_tools_changed()
        await ctx.notify_prompts_changed()
        await ctx.notify_resources_changed()
        return "said"

    @server.resource("notes://today")
    def today() -> str:
        return "buy milk"

    @server.resource("notes://hidden")
    def hidden() -> str:
        return "a secret"

    @server.prompt()
    def greet(name: str) -> str:
        return f"say hello to {name}"

    return server


if __name__ == "__main__":
    build().run("stdio")
