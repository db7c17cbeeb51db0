"""What real clients do when a person has to say yes to a call first: those of the official SDKs, and FastMCP's, in both eras."""

import asyncio
import json
from contextlib import asynccontextmanager

import fastmcp
import httpx2
import pytest
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError, UrlElicitationRequiredError
from mcp_types import ElicitResult

from remit.model import HttpUpstream
from tests.gateway.conftest import fronted, stdio
from tests.gateway.doubles import until
from tests.gateway.people import APPROVE, CONFIRM, WHY, Answered, PeopleGuard
from tests.gateway.servers.sdk_server import build
from tests.gateway.sockets import serving
from tests.gateway.test_carriage import MODULES, NODE
from tests.gateway.test_tasks_of_sdks import FollowingTasks

MODES = ("auto", "legacy")


class Page:
    """The page of the request, in little: whoever opens it says yes a moment later."""

    def __init__(self, answered, guard):
        self.answered, self.guard, self.opened = answered, guard, 0

    async def __call__(self, scope, receive, send):
        self.opened += 1
        asyncio.get_running_loop().call_later(0.2, self._yes)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"decide here"})

    def _yes(self):
        self.guard.approved = True
        self.answered.requests.add(self.guard.request_id)


@pytest.fixture
def guard():
    return PeopleGuard(CONFIRM)


@pytest.fixture
async def page(guard):
    made = Page(Answered(), guard)
    async with serving(made) as url:
        guard.page = f"{url}/approvals/apr_1"
        yield made


@pytest.fixture
async def url(guard, page, tmp_path):
    async with (
        serving(build(tmp_path).streamable_http_app(), lifespan="on") as behind,
        fronted(
            guard, HttpUpstream(url=f"{behind}/mcp", timeout=30), answers=page.answered, look=0.02
        ) as (address, _),
    ):
        yield address


@asynccontextmanager
async def python_client(url, mode, **more):
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer dana"}, timeout=60) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, **more) as client:
            yield client


async def opened(url):
    async with httpx2.AsyncClient() as browser:
        assert (await browser.get(url)).status_code == 200


async def person(context, params):
    """Opens the page in a browser, as a host does; or fills in the form."""
    if params.mode == "url":
        await opened(params.url)
        return ElicitResult(action="accept")
    return ElicitResult(action="accept", content={"reason": "ticket 7"})


async def test_the_modern_python_client_opens_the_page_and_its_one_call_comes_back(
    url, guard, page
):
    async with python_client(url, "auto", elicitation_callback=person) as client:
        result = await client.call_tool("add", {"a": 2, "b": 3})
        assert result.content[0].text == "5"
        assert (page.opened, guard.asked) == (1, 1)
        assert guard.outcomes == ["ok"]


async def test_the_legacy_python_client_is_told_of_the_page_and_of_the_end_and_calls_again(
    url, guard, page
):
    complete = asyncio.Event()

    async def hear(message):
        if getattr(message, "method", "") == "notifications/elicitation/complete":
            assert message.params.elicitation_id == "apr_1"
            complete.set()

    answers = {"elicitation_callback": person, "message_handler": hear}
    async with python_client(url, "legacy", **answers) as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("add", {"a": 2, "b": 3})
        [asked] = UrlElicitationRequiredError.from_error(refused.value.error).elicitations
        await opened(asked.url)
        async with asyncio.timeout(30):
            await complete.wait()
        assert (await client.call_tool("add", {"a": 2, "b": 3})).content[0].text == "5"
    assert (page.opened, guard.asked) == (1, 1)


async def test_what_its_server_asks_afterwards_is_answered_under_the_same_yes(url, guard, page):
    async def answers(context, params):
        if params.mode == "url":
            return await person(context, params)
        return ElicitResult(action="accept", content={"colour": "blue"})

    async with python_client(url, "auto", elicitation_callback=answers) as client:
        assert (await client.call_tool("pick", {})).content[0].text == "blue"
    assert (page.opened, guard.asked) == (1, 1)
    assert [one.earlier is not None for one in guard.decided] == [False, False, True]


async def test_a_resource_and_a_prompt_wait_for_people_too(url, guard, page):
    async with python_client(url, "auto", elicitation_callback=person) as client:
        read = await client.read_resource("notes://today")
        assert read.contents[0].text == "buy milk"
        assert "Ann" in str((await client.get_prompt("greet", {"name": "Ann"})).messages[0])
    assert page.opened == 2


async def test_a_call_that_becomes_a_task_was_confirmed_once(guard, page):
    following = FollowingTasks()
    async with (
        fronted(guard, stdio("keeping_tasks.py"), answers=page.answered, look=0.02) as (url, _),
        python_client(url, "auto", elicitation_callback=person, extensions=[following]) as client,
    ):
        assert (await client.call_tool("hello", {})).content[0].text == "hello Ann"
    assert (page.opened, guard.asked, len(following.handles)) == (1, 1, 1)


@pytest.mark.parametrize("mode", MODES)
async def test_the_python_client_that_shows_no_page_reads_the_link(url, guard, page, mode):
    guard.needs, guard.alone = (APPROVE,), False
    async with python_client(url, mode) as client:
        result = await client.call_tool("add", {"a": 2, "b": 3})
        assert result.is_error
        assert guard.page in result.content[0].text
        await opened(guard.page)
        await until(lambda: guard.approved)
        assert (await client.call_tool("add", {"a": 2, "b": 3})).content[0].text == "5"


@pytest.mark.parametrize("mode", MODES)
async def test_the_python_client_has_its_person_say_why(url, guard, mode):
    guard.needs = (WHY,)
    async with python_client(url, mode, elicitation_callback=person) as client:
        assert (await client.call_tool("add", {"a": 2, "b": 3})).content[0].text == "5"
    assert json.loads(guard.said_why[0]) == {"reason": "ticket 7"}


@pytest.mark.parametrize("mode", MODES)
async def test_the_python_client_without_authorization_of_its_own_fails_once_and_reads_the_link_then(
    url, guard, mode
):
    async with python_client(url, mode) as client:
        with pytest.raises(Exception):  # noqa: B017  whatever it makes of a 401
            await client.call_tool("add", {"a": 2, "b": 3})
        result = await client.call_tool("add", {"a": 2, "b": 3})
    assert result.is_error
    assert guard.page in result.content[0].text


@pytest.mark.parametrize("mode", MODES)
async def test_the_client_of_fastmcp_reads_the_link(url, guard, mode):
    guard.needs, guard.alone = (APPROVE,), False
    transport = StreamableHttpTransport(url, headers={"Authorization": "Bearer dana"})
    async with fastmcp.Client(transport, mode=mode) as client:
        with pytest.raises(ToolError) as refused:
            await client.call_tool("add", {"a": 2, "b": 3})
    assert guard.page in str(refused.value)


def showing_pages(url, mode):
    async def handler(message, response_type, params, context):
        await opened(params.url)
        return {}

    transport = StreamableHttpTransport(url, headers={"Authorization": "Bearer dana"})
    return fastmcp.Client(transport, mode=mode, elicitation_handler=handler)


async def test_the_modern_client_of_fastmcp_opens_the_page_and_its_one_call_comes_back(url, page):
    async with showing_pages(url, "auto") as client:
        assert (await client.call_tool("add", {"a": 2, "b": 3})).data.result == 5
    assert page.opened == 1


async def test_the_legacy_client_of_fastmcp_is_told_of_the_page(url, guard):
    async with showing_pages(url, "legacy") as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("add", {"a": 2, "b": 3})
        [asked] = UrlElicitationRequiredError.from_error(refused.value.error).elicitations
        assert asked.url == guard.page
        await opened(asked.url)
        await until(lambda: guard.approved)
        assert (await client.call_tool("add", {"a": 2, "b": 3})).data.result == 5


async def typescript(url, mode, can):
    process = await asyncio.create_subprocess_exec(
        str(NODE), "cures.mjs", mode, url, "dana", json.dumps(can),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=MODULES,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()[-2000:]
    return json.loads(out)


@pytest.mark.node
async def test_the_modern_typescript_client_opens_the_page_and_its_one_call_comes_back(
    url, guard, page
):
    seen = await typescript(url, "auto", {"form": {}, "url": {}})
    assert seen["version"] == "2026-07-28"
    assert seen["first"] == {"text": "5", "error": False}
    assert (seen["asked"][0], seen["opened"], page.opened) == ("url", 2, 2)
    assert seen["second"] == {"text": "5", "error": False}, "asked about anew"


@pytest.mark.node
async def test_the_legacy_typescript_client_is_told_of_the_page_and_of_the_end_and_calls_again(
    url, guard, page
):
    seen = await typescript(url, "legacy", {"form": {}, "url": {}})
    assert seen["version"] == "2025-11-25"
    assert (seen["first"]["code"], seen["first"]["pages"]) == (-32042, [guard.page])
    assert seen["complete"] == ["apr_1"]
    assert seen["second"] == {"text": "5", "error": False}
    assert (seen["asked"], page.opened, guard.asked) == ([], 1, 1)


@pytest.mark.node
@pytest.mark.parametrize("mode", MODES)
async def test_the_typescript_client_that_shows_no_page_reads_the_link(url, guard, mode):
    guard.needs, guard.alone = (APPROVE,), False
    seen = await typescript(url, mode, None)
    assert seen["first"]["error"] is True
    assert guard.page in seen["first"]["text"]


@pytest.mark.node
@pytest.mark.parametrize("mode", MODES)
async def test_the_typescript_client_has_its_person_say_why(url, guard, mode):
    guard.needs = (WHY,)
    seen = await typescript(url, mode, {"form": {}})
    assert seen["first"] == {"text": "5", "error": False}
    assert seen["asked"] == ["form", "form"]


@pytest.mark.node
@pytest.mark.parametrize("mode", MODES)
async def test_the_typescript_client_without_authorization_fails_once_and_reads_the_link_then(
    url, guard, mode
):
    seen = await typescript(url, mode, None)
    assert "thrown" in seen["first"]
    assert seen["second"]["error"] is True
    assert guard.page in seen["second"]["text"]
