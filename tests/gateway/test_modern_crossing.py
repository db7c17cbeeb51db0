"""Extensions and methods that a server's declaration allows, and all the others."""

import pytest

from remit.gateway.jsonrpc import Response
from tests.gateway.doubles import (
    META,
    VERSION,
    ListGuard,
    ScriptedServer,
    changed,
    gateway,
    modern,
    post,
    server_of,
    without,
)

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SEARCH = "com.example/search"
ALLOWING = changed(server_of(), allowed_methods=("search/query",), allowed_extensions=(SEARCH,))


@pytest.fixture
def guard():
    return ListGuard()


async def test_an_allowed_method_is_decided_carried_and_accounted_for(guard):
    server = ScriptedServer(lambda o: [Response(o.message.id, result={"found": 1})])
    app = gateway(guard, server, ALLOWING)
    answer = await post(app, *modern("search/query", {"q": "x"}))
    assert answer.json["result"] == {"found": 1, "resultType": "complete"}
    [call] = guard.decided
    assert (call.method, call.kind, call.name) == ("search/query", None, None)
    assert guard.outcomes == ["ok"]
    assert server.asked[0].message.params["q"] == "x"


@pytest.mark.parametrize(
    "method",
    [
        "Search/Query", "search/query ", "search/quer", "search/query/", "search%2Fquery",
        "search/que\u0301ry", "search/query\u200b", "search/delete",
    ],
)  # fmt: skip
async def test_a_method_is_allowed_by_its_exact_name(guard, method):
    server = ScriptedServer(lambda o: [Response(o.message.id, result={})])
    app = gateway(guard, server, ALLOWING)
    headers, body = modern(method)
    for said in ("search/query", method.encode().decode("latin-1")):
        answer = await post(app, (*without(headers, "mcp-method"), ("mcp-method", said)), body)
        assert "error" in answer.json
    assert server.asked == []
    assert guard.decided == []


@pytest.mark.parametrize(
    "method", ["tools/call", "tasks/list", "tasks/x", "ping", "notifications/x"]
)
async def test_no_declaration_changes_what_is_decided_here(guard, method):
    server = ScriptedServer(lambda o: [Response(o.message.id, result={})])
    app = gateway(guard, server, changed(server_of(), allowed_methods=(method,)))
    answer = await post(app, *modern(method, name="find" if method == "tools/call" else None))
    assert "error" in answer.json
    assert server.asked == []


async def test_an_allowed_method_is_nobodys_without_a_token(guard):
    server = ScriptedServer(lambda o: [Response(o.message.id, result={})])
    headers, body = modern("search/query")
    answer = await post(gateway(guard, server, ALLOWING), without(headers, "authorization"), body)
    assert answer.status == 401
    assert server.asked == []


async def test_an_allowed_extension_is_spoken_of_in_both_directions(guard):
    offered = {"extensions": {SEARCH: {"x": 1}, "com.example/Search": {}, "a/b": {}}}
    discovered = {"supportedVersions": [VERSION], "capabilities": offered}
    server = ScriptedServer(lambda o: [Response(o.message.id, result=discovered)])
    app = gateway(guard, server, ALLOWING)
    meta = {**META, CAPABILITIES: offered}
    answer = await post(app, *modern("server/discover", {"_meta": meta}))
    kept = {"extensions": {SEARCH: {"x": 1}}}
    assert answer.json["result"]["capabilities"] == kept
    assert server.asked[0].message.params["_meta"][CAPABILITIES] == kept
