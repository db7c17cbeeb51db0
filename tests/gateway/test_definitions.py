"""When servers are asked, and what of a list goes on. The whole, with a real Remit: tests/app/test_definitions.py."""

import asyncio
from dataclasses import replace

import pytest

from remit.clock import SystemClock
from remit.errors import UnavailableError
from remit.gateway import DefinitionWatch
from remit.gateway.definitions import can_be_asked
from remit.gateway.jsonrpc import Notification, Response
from remit.gateway.methods import Listed
from remit.gateway.rejection import UpstreamError
from remit.guard.definitions import Definitions
from remit.model import (
    ConnectionCredential,
    ExchangedCredential,
    HttpUpstream,
    Pinning,
    SecretCredential,
)
from remit.policy.evaluation import ResourceKind
from tests.gateway.doubles import (
    FixedDirectory,
    ListGuard,
    ScriptedServer,
    answering,
    call_tool,
    catalog_of,
    changed,
    gateway,
    modern,
    post,
    server_of,
    until,
)

TOOLS = Listed(ResourceKind.TOOL, "tools", "name")
FIND = ("crm", ResourceKind.TOOL, "find")
LIST = {"tools": [{"name": "find"}, {"name": "other"}]}
URL = "http://127.0.0.1:1/mcp"


def everything(outgoing):
    if outgoing.message.method == "server/discover":
        return [Response(outgoing.message.id, result={})]
    member = {
        "tools/list": "tools", "prompts/list": "prompts", "resources/list": "resources",
        "resources/templates/list": "resourceTemplates",
    }[outgoing.message.method]  # fmt: skip
    items = LIST["tools"] if member == "tools" else []
    return [Response(outgoing.message.id, result={member: items})]


class Listener:
    """Keeps what it hears; a failure can be set."""

    def __init__(self, directory) -> None:
        self.directory = directory
        self.heard: list[tuple[str, bool, list[str]]] = []
        self.failure: Exception | None = None

    async def take(self, server, offers, *, own):
        if self.failure is not None:
            raise self.failure
        self.heard.append((server.name, own, [offer.name for offer in offers]))
        if own:
            self.directory.definitions = Definitions()


@pytest.fixture
def directory():
    return FixedDirectory(server_of())


@pytest.fixture
def listener(directory):
    return Listener(directory)


@pytest.fixture
def behind():
    return ScriptedServer(everything)


@pytest.fixture
async def watch(behind, directory, listener):
    watch = DefinitionWatch(behind, directory, listener.take, interval=3_600, clock=SystemClock())
    yield watch
    await watch.stop()


def server(directory):
    return directory.catalog.servers["crm"]


async def test_at_the_start_every_server_is_asked(watch, listener):
    watch.start()
    await until(lambda: listener.heard)
    assert listener.heard == [("crm", True, ["find", "other"])]


async def test_a_server_of_another_catalog_is_asked(watch, listener, directory):
    watch.start()
    await until(lambda: listener.heard)
    watch.look_again()
    directory.catalog = catalog_of(server_of("hr"))
    watch.look_again()
    await until(lambda: ("hr", True, ["find", "other"]) in listener.heard)


async def test_a_server_that_says_that_a_list_changed_is_asked_again(watch, listener):
    watch.start()
    await until(lambda: listener.heard)
    watch.heard("crm", Notification("notifications/progress"))
    watch.heard("crm", Notification("notifications/tools/list_changed"))
    await until(lambda: len(listener.heard) == 2)


@pytest.mark.parametrize(
    ("credential", "asked"),
    [
        (None, True),
        (SecretCredential(secret="env:X"), True),
        (ConnectionCredential(), False),
        (ExchangedCredential(audience="https://x.example"), False),
    ],
    ids=["none", "secret", "connection", "exchanged"],
)
def test_only_a_credential_of_remits_own_is_used_to_ask(credential, asked):
    upstream = HttpUpstream(url=URL, credential=credential)
    assert can_be_asked(server_of(upstream=upstream)) is asked


def test_a_server_whose_definitions_do_not_count_is_not_asked():
    assert not can_be_asked(changed(server_of(), pinning=Pinning.OFF))


async def test_who_has_no_credential_of_its_own_shows_nothing(watch):
    upstream = HttpUpstream(url=URL, credential=ConnectionCredential())
    with pytest.raises(UpstreamError, match="only those who use the server"):
        await watch.listing(server_of(upstream=upstream))


async def test_the_first_call_waits_and_many_ask_once(watch, listener, directory, behind):
    directory.definitions = Definitions(unseen=frozenset({FIND}))
    await asyncio.gather(
        *(watch.ready(server(directory), ResourceKind.TOOL, "find") for _ in range(20))
    )
    assert len(listener.heard) == 1
    assert sum(one.message.method == "tools/list" for one in behind.asked) == 1


@pytest.mark.parametrize(
    ("kind", "name"),
    [(None, None), (ResourceKind.TOOL, "other"), (ResourceKind.PROMPT, "find")],
)
async def test_what_is_known_waits_for_nothing(watch, listener, directory, kind, name):
    directory.definitions = Definitions(unseen=frozenset({FIND}))
    await watch.ready(server(directory), kind, name)
    assert listener.heard == []


async def test_a_caller_who_leaves_does_not_stop_the_question_for_the_others(
    watch, listener, directory, behind
):
    let_go = asyncio.Event()
    behind.script = lambda outgoing: [let_go, *everything(outgoing)]
    directory.definitions = Definitions(unseen=frozenset({FIND}))
    leaves = asyncio.create_task(watch.ready(server(directory), ResourceKind.TOOL, "find"))
    stays = asyncio.create_task(watch.ready(server(directory), ResourceKind.TOOL, "find"))
    await until(lambda: behind.asked)
    leaves.cancel()
    let_go.set()
    await stays
    assert len(listener.heard) == 1


async def test_a_server_that_does_not_answer_is_not_asked_for_every_call(
    watch, listener, directory, behind
):
    behind.script = lambda outgoing: [UpstreamError("gone")]
    directory.definitions = Definitions(unseen=frozenset({FIND}))
    for _ in range(10):
        await watch.ready(server(directory), ResourceKind.TOOL, "find")
    assert len(behind.asked) == 1
    assert FIND in directory.definitions.unseen


async def test_a_list_that_passes_is_heard_and_loses_what_is_quarantined(
    watch, listener, directory
):
    directory.definitions = Definitions(quarantined=frozenset({FIND}))
    passed = await watch.passed(server(directory), TOOLS, Response(1, result={**LIST, "x": 1}))
    assert passed.result == {"tools": [{"name": "other"}], "x": 1}
    assert listener.heard == [("crm", False, ["find", "other"])]


async def test_an_entry_that_has_no_name_is_not_taken_for_another(watch, directory):
    directory.definitions = Definitions(quarantined=frozenset({FIND}))
    items = [{"name": ["find"]}, {"name": {"find": 1}}, {"name": "find"}, "find"]
    passed = await watch.passed(server(directory), TOOLS, Response(1, result={"tools": items}))
    assert passed.result == {"tools": [{"name": ["find"]}, {"name": {"find": 1}}, "find"]}


@pytest.mark.parametrize(
    "response",
    [Response(1, error={"code": -32603, "message": "no"}), Response(1, result={"tools": "odd"})],
    ids=["error", "no-list"],
)
async def test_what_is_no_list_passes_by(watch, listener, directory, response):
    assert await watch.passed(server(directory), TOOLS, response) is response
    assert listener.heard == []


async def test_a_list_whose_news_cannot_be_recorded_does_not_pass(watch, listener, directory):
    listener.failure = UnavailableError("the database does not answer")
    with pytest.raises(UpstreamError, match="cannot be recorded"):
        await watch.passed(server(directory), TOOLS, Response(1, result=LIST))


def fronting(behind, watch):
    app = gateway(ListGuard(), behind)
    deps = replace(app._deps, definitions=watch)
    return type(app)(deps)


async def test_through_the_gateway_a_call_waits_and_a_list_is_heard(watch, listener, directory):
    app = fronting(ScriptedServer(answering({"content": []})), watch)
    directory.definitions = Definitions(unseen=frozenset({FIND}))
    assert (await call_tool(app)).status == 200
    assert listener.heard == [("crm", True, ["find", "other"])]
    app = fronting(ScriptedServer(everything), watch)
    headers, body = modern("tools/list")
    assert (await post(app, headers, body)).status == 200
    assert listener.heard[-1] == ("crm", False, ["find", "other"])


async def test_who_brings_no_token_has_nothing_asked_on_their_account(watch, listener, directory):
    directory.definitions = Definitions(unseen=frozenset({FIND}))
    app = fronting(ScriptedServer(everything), watch)
    headers, body = modern("tools/call", {"name": "find", "arguments": {}}, name="find")
    headers = tuple(one for one in headers if one[0] != "authorization")
    assert (await post(app, headers, body)).status == 401
    assert listener.heard == []


async def test_a_token_that_is_no_good_has_nothing_asked_on_its_account(watch, listener, directory):
    """A stranger would otherwise have a process started, and a server asked, as often as they liked."""
    directory.definitions = Definitions(unseen=frozenset({FIND}))
    app = fronting(ScriptedServer(everything), watch)
    headers, body = modern("tools/call", {"name": "find", "arguments": {}}, name="find")
    forged = [one for one in headers if one[0] != "authorization"]
    answer = await post(app, (*forged, ("authorization", "Bearer forged")), body)
    assert answer.status == 401
    assert listener.heard == []
