"""A CRM whose one tool takes as long as it is told: until somebody makes the file `release`.

It makes the file `begun` when a call arrives. `python -m tests.e2e.servers.slow_crm PORT FOLDER`.
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
from mcp.server.mcpserver import MCPServer


def build(folder: Path) -> MCPServer:
    server = MCPServer("crm", version="1.0.0")

    @server.tool()
    async def get_account(organization_id: str, account_id: str) -> str:
        """Read one account, slowly."""
        (folder / "begun").touch()
        while not (folder / "release").exists():  # noqa: ASYNC110  the file is another process's
            await asyncio.sleep(0.02)
        return f"{account_id} of {organization_id}, at last"

    return server


if __name__ == "__main__":
    uvicorn.run(
        build(Path(sys.argv[2])).streamable_http_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
    )
