"""Real servers of both eras over both transports, and a script for what none of them does."""

import os

import pytest

from remit.gateway import Roster, list_everything
from remit.gateway.jsonrpc import Response
from remit.gateway.rejection import UpstreamError, unsupported_version
from remit.model import HttpUpstream, StdioUpstream
from tests.gateway.conftest import SERVERS, stdio
from tests.gateway.doubles import ScriptedServer, server_of
from tests.gateway.servers.sdk_server import build
from tests.gateway.sockets import serving

LEGACY = ("2025-11-25",)


async def listing_of(upstream):
    roster = Roster(os.environ.__getitem__)
    try:
        return await list_everything(roster.of(server_of(upstream=upstream)))
    finally:
        await roster.close()


def names(listing, method="tools/list"):
    return [item["name"] for item in listing[method]]


async def test_a_modern_server_over_http_lists_everything(tmp_path):
    async with serving(build(tmp_path).streamable_http_app(), lifespan="on") as url:
        listing = await listing_of(HttpUpstream(url=f"{url}/mcp", timeout=30))
    assert "add" in names(listing)
    assert set(listing) == {
        "tools/list", "prompts/list", "resources/list", "resources/templates/list",
    }  # fmt: skip


async def test_a_modern_server_over_standard_streams_lists_everything(tmp_path):
    assert "add" in names(await listing_of(stdio("sdk_server.py", NOTES=str(tmp_path))))


async def test_a_server_of_the_other_era_is_asked_in_a_session_of_its_own():
    command = ("python", str(SERVERS / "one_era.py"), "legacy")
    listing = await listing_of(StdioUpstream(command=command, timeout=30))
    assert len(names(listing)) > 3
    assert listing["resources/list"]


async def test_a_server_that_has_no_lists_is_asked_for_none():
    listing = await listing_of(stdio("legacy_only.py"))
    assert not any(listing.values())


async def test_a_server_that_is_not_there_is_no_server_without_tools():
    with pytest.raises(UpstreamError):
        await listing_of(HttpUpstream(url="http://127.0.0.1:9/mcp", timeout=5))


def paged(outgoing):
    """Three pages of one tool each; of everything else nothing is known."""
    request = outgoing.message
    if request.method == "server/discover":
        return [Response(request.id, result={"capabilities": {"tools": {}, "prompts": {}}})]
    if request.method != "tools/list":
        return [Response(request.id, error={"code": -32601, "message": "unknown"})]
    page = int((request.params or {}).get("cursor", "0"))
    result = {"tools": [{"name": f"tool-{page}"}]}
    return [
        Response(request.id, result=result | ({"nextCursor": str(page + 1)} if page < 2 else {}))
    ]


async def test_every_page_is_asked_for():
    listing = await list_everything(ScriptedServer(paged))
    assert names(listing) == ["tool-0", "tool-1", "tool-2"]
    assert listing["prompts/list"] == []


def answering(result):
    return ScriptedServer(lambda outgoing: [Response(outgoing.message.id, result=result)])


@pytest.mark.parametrize(
    "result",
    [{"tools": [], "nextCursor": "again"}, {"tools": "none"}, {}],
    ids=["the-same-cursor", "no-list", "nothing"],
)
async def test_what_is_no_list_is_refused(result):
    with pytest.raises(UpstreamError):
        await list_everything(answering(result))


async def test_pages_without_end_are_refused():
    def endless(outgoing):
        page = int((outgoing.message.params or {}).get("cursor", "0"))
        result = {"tools": [{"name": str(page)}], "nextCursor": str(page + 1)}
        return [Response(outgoing.message.id, result=result)]

    with pytest.raises(UpstreamError, match="has no end"):
        await list_everything(ScriptedServer(endless))


async def test_an_error_is_no_empty_list():
    def failing(outgoing):
        return [Response(outgoing.message.id, error={"code": -32603, "message": "broken"})]

    with pytest.raises(UpstreamError):
        await list_everything(ScriptedServer(failing))


async def test_a_session_ends_with_the_last_list():
    def legacy(outgoing):
        request = outgoing.message
        if outgoing.version not in LEGACY:
            return [unsupported_version(outgoing.version, LEGACY)]
        if request.method == "initialize":
            return [Response(request.id, result={"protocolVersion": LEGACY[0]})]
        return paged(outgoing)

    server = ScriptedServer(legacy)
    assert names(await list_everything(server)) == ["tool-0", "tool-1", "tool-2"]
    assert [one.method for one in server.told] == ["notifications/initialized"]
    assert server.closed == 1


async def test_a_version_that_nobody_speaks_is_refused():
    def odd(outgoing):
        if outgoing.version not in LEGACY:
            return [unsupported_version(outgoing.version, LEGACY)]
        return [Response(outgoing.message.id, result={"protocolVersion": "1999-01-01"})]

    server = ScriptedServer(odd)
    with pytest.raises(UpstreamError):
        await list_everything(server)
    assert server.closed == 1
