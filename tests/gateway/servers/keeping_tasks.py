"""A server on the official SDK that makes tasks of its calls, by the SDK's seam for extensions. Serves stdio when run.

A task asks once for a name, and is done as soon as it has one.
"""

import secrets
from typing import Any

from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, RequestParams

TASKS = "io.modelcontextprotocol/tasks"
TIMES = {"createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:00Z"}
QUESTION = {
    "method": "elicitation/create",
    "params": {
        "mode": "form",
        "message": "who?",
        "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
}


class OneTask(RequestParams):
    task_id: str
    input_responses: dict[str, Any] | None = None


class KeepingTasks(Extension):
    """The tasks of one server, in memory."""

    identifier = TASKS

    def __init__(self) -> None:
        self.names: dict[str, str | None] = {}

    def methods(self):
        return [
            MethodBinding("tasks/get", OneTask, self.get),
            MethodBinding("tasks/update", OneTask, self.update),
            MethodBinding("tasks/cancel", OneTask, self.cancel),
        ]

    async def intercept_tool_call(self, params, ctx, call_next):
        if params.name != "hello":
            return await call_next(ctx)
        task_id = secrets.token_hex(8)
        self.names[task_id] = None
        return {"resultType": "task", "ttlMs": None, **self.state(task_id)}

    def state(self, task_id: str) -> dict[str, Any]:
        if task_id not in self.names:
            raise MCPError(INVALID_PARAMS, "no such task here")
        name = self.names[task_id]
        if name is None:
            return {"taskId": task_id, "status": "working", **TIMES}
        content = [{"type": "text", "text": f"hello {name}"}]
        return {
            "taskId": task_id,
            "status": "completed",
            "result": {
                "content": content,
                "structuredContent": {"result": f"hello {name}"},
                "isError": False,
            },
            **TIMES,
        }

    async def get(self, ctx, params):
        state = self.state(params.task_id)
        if state["status"] == "working":
            state |= {"status": "input_required", "inputRequests": {"name": QUESTION}}
        return {"resultType": "complete", "ttlMs": None, **state}

    async def update(self, ctx, params):
        self.state(params.task_id)
        answer = (params.input_responses or {}).get("name", {})
        self.names[params.task_id] = answer.get("content", {}).get("name")
        return {"resultType": "complete"}

    async def cancel(self, ctx, params):
        del self.names[params.task_id]
        return {"resultType": "complete"}


def build() -> MCPServer:
    server = MCPServer("keeping-tasks", extensions=[KeepingTasks()])

    @server.tool()
    def hello() -> str:
        """Says hello to whoever gives a name."""
        return "hello nobody"

    @server.tool()
    def add(a: int, b: int) -> int:
        """Adds two numbers at once."""
        return a + b

    return server


if __name__ == "__main__":
    build().run("stdio")
