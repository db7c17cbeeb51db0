"""A CRM that notes each call that reaches it: the count that nobody on Remit's side keeps.

`python -m tests.e2e.servers.counting_crm PORT FOLDER` appends the account of each call to FOLDER/executed.
"""

import os
import sys
from pathlib import Path

import uvicorn
from mcp.server.mcpserver import MCPServer


def build(folder: Path) -> MCPServer:
    server = MCPServer("crm", version="1.0.0")
    executed = os.open(folder / "executed", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @server.tool()
    async def get_account(organization_id: str, account_id: str) -> str:
        """Read one account, and note it."""
        os.write(executed, f"{account_id}\n".encode())
        return f"{account_id} of {organization_id}"

    return server


if __name__ == "__main__":
    uvicorn.run(
        build(Path(sys.argv[2])).streamable_http_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
    )
