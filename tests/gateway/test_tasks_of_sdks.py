"""Tasks through the gateway between the official SDKs: the extension in Python, the experiment before it in TypeScript."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx2
import pytest
from mcp import Client
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitResult, Request, RequestParams, Result

from remit.model import HttpUpstream, StdioUpstream
from tests.gateway.conftest import SERVERS, fronted, stdio
from tests.gateway.doubles import ListGuard
from tests.gateway.servers.keeping_tasks import TASKS, build
from tests.gateway.sockets import serving
from tests.gateway.test_carriage import HERE, MODULES, NODE


class TaskParams(RequestParams):
    taskId: str  # noqa: N815
    inputResponses: dict[str, Any] | None = None  # noqa: N815


class Created(Result):
    result_type: Literal["task"]
    task_id: str


class State(Result):
    status: str
    input_requests: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


class Acknowledged(Result):
    pass


class FollowingTasks(ClientExtension):
    """Follows a task to its end, and answers what it asks with one name."""

    identifier = TASKS

    def __init__(self) -> None:
        self.handles: list[str] = []

    def claims(self):
        return [ResultClaim(result_type="task", model=Created, resolve=self.follow)]

    async def follow(self, created, ctx):
        self.handles.append(created.task_id)
        while True:
            state = await use(ctx.session, "tasks/get", created.task_id)
            if state.status == "completed":
                return CallToolResult.model_validate(state.result)
            if state.input_requests:
                answer = {"name": {"action": "accept", "content": {"name": "Ann"}}}
                await use(ctx.session, "tasks/update", created.task_id, answer)


async def use(session, method, task_id, answers=None):
    params = TaskParams(taskId=task_id, inputResponses=answers)
    request = Request[TaskParams, str](method=method, params=params)
    kind = State if method == "tasks/get" else Acknowledged
    return await session.send_request(request, kind)


async def answered(context, params):
    return ElicitResult(action="decline")


@asynccontextmanager
async def client(url, extension, *, token="dana"):
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(
            transport, extensions=[extension], elicitation_callback=answered
        ) as connected:
            yield connected


@pytest.fixture
def guard():
    return ListGuard(forbidden=("hidden",))


@pytest.fixture(params=["http", "stdio"])
async def keeping(request, guard):
    if request.param == "stdio":
        async with fronted(guard, stdio("keeping_tasks.py")) as (url, _):
            yield url
        return
    async with (
        serving(build().streamable_http_app(), lifespan="on") as behind,
        fronted(guard, HttpUpstream(url=f"{behind}/mcp", timeout=30)) as (url, _),
    ):
        yield url


async def test_the_python_client_follows_a_task_of_the_python_server_to_its_end(keeping, guard):
    following, others = FollowingTasks(), FollowingTasks()
    async with client(keeping, following) as dana, client(keeping, others, token="eve") as eve:
        assert TASKS in dana.server_capabilities.extensions
        assert (await dana.call_tool("hello", {})).content[0].text == "hello Ann"
        assert (await dana.call_tool("add", {"a": 1, "b": 2})).content[0].text == "3"
        [handle] = following.handles
        assert handle.startswith("r1.")
        with pytest.raises(MCPError, match="unknown task"):
            await use(eve.session, "tasks/get", handle)
        await use(dana.session, "tasks/cancel", handle)
        with pytest.raises(MCPError, match="no such task here"):
            await use(dana.session, "tasks/get", handle)
    assert [call.method for call in guard.decided] == [
        "tools/call", "tasks/get", "tasks/update", "tasks/get", "tools/call", "tasks/cancel",
        "tasks/get",
    ]  # fmt: skip
    assert guard.outcomes == ["task", "task", "ok", "ok", "ok", "ok", "error"]


@pytest.mark.node
async def test_the_typescript_client_follows_a_task_of_the_typescript_server_to_its_end(guard):
    command = (shutil.which(str(NODE)), str(SERVERS / "tasks_server.mjs"), str(MODULES))
    upstream = StdioUpstream(command=command, timeout=30)
    async with fronted(guard, upstream) as (url, _):
        process = await asyncio.create_subprocess_exec(
            command[0], str(HERE / "tasks_client.mjs"), str(MODULES), url, "dana",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    seen = json.loads(out)
    assert seen["capabilities"]["requests"] == {"tools": {"call": {}}}
    assert seen["said"][0] == "taskCreated"
    assert (seen["said"][-1], seen["text"]) == ("result", "three"), seen
    assert seen["handle"].startswith("r1.")
    assert seen["status"] == "completed"
    assert seen["listed"] == [seen["handle"]]
    assert len(seen["refused"]) == 2
    assert all("unknown task" in message for message in seen["refused"])
    assert {call.name for call in guard.decided} == {"count"}
