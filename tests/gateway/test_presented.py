"""What a call brings that is made for somebody, over real sockets, in both eras: on every message, and never the caller's own."""

import base64
import json

import pytest

from remit.gateway import ConnectionNeededError, Roster, bearer
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.port import Presented
from remit.model import (
    ConnectionCredential,
    ExchangedCredential,
    HttpUpstream,
    SecretCredential,
)
from tests.gateway.doubles import (
    BASE_HEADERS,
    META,
    ListGuard,
    Wire,
    call_tool,
    gateway,
    modern,
    post,
    server_of,
    without,
)
from tests.gateway.noting import Behind
from tests.gateway.sockets import serving

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "c", "version": "1"},
    },
}
CALL = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "find"}}
ADDRESS = "https://remit.example/account"
BY_ADDRESS = {"elicitation": {"url": {}}}
KINDS = {
    "connection": ConnectionCredential(),
    "exchange": ExchangedCredential(audience="https://crm.example", scopes=("crm:accounts.read",)),
}


class Wallet:
    """Credentials of people, by name; a renewal is noted."""

    def __init__(self) -> None:
        self.tokens = {"dana": "dana-own-token", "eve": "eve-own-token"}
        self.next: str | None = None
        self.renewals = 0
        self.needed = False

    async def of(self, server, token) -> Presented:
        if self.needed:
            raise ConnectionNeededError("Books", ADDRESS)
        if token.sub not in self.tokens:
            raise UpstreamError("none at present")
        return bearer(self.tokens[token.sub])

    async def renewed(self, server, token, refused) -> Presented | None:
        self.renewals += 1
        if self.next is None:
            return None
        self.tokens[token.sub] = self.next
        return bearer(self.next)


@pytest.fixture(params=["modern", "legacy"])
async def behind(request):
    made = Behind(request.param)
    async with serving(made) as url:
        made.url = f"{url}/mcp"
        yield made


@pytest.fixture
def wallet():
    return Wallet()


@pytest.fixture
def guard():
    return ListGuard()


@pytest.fixture(params=KINDS)
async def app(request, behind, wallet, guard):
    upstream = HttpUpstream(url=behind.url, credential=KINDS[request.param])
    made = gateway(guard, Roster(str, credentials=wallet), server_of(upstream=upstream))
    made.start()
    yield made
    await made.drain()


async def _session(app, **capabilities):
    body = {**INITIALIZE, "params": {**INITIALIZE["params"], "capabilities": capabilities}}
    answer = await post(app, BASE_HEADERS, body)
    assert answer.status == 200, answer.body
    return (
        *BASE_HEADERS,
        ("mcp-session-id", answer.header("mcp-session-id")),
        ("mcp-protocol-version", "2025-11-25"),
    )


async def test_a_modern_call_brings_the_credential_of_its_caller_on_every_message(app, behind):
    answer = await call_tool(app)
    assert answer.status == 200, answer.body
    assert behind.brought[-1][0] in {"tools/call", "DELETE"}
    assert {said for _, said in behind.brought} == {"Bearer dana-own-token"}


async def test_a_session_brings_it_on_every_message_and_at_its_end(app, behind):
    headers = await _session(app)
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await post(app, headers, note)).status == 202
    assert (await post(app, headers, CALL)).status == 200
    await Wire(app, method="GET", headers=headers).run()
    assert (await Wire(app, method="DELETE", headers=headers).run()).status == 204
    if behind.era == "legacy":
        assert [one for one, _ in behind.brought] == [
            "initialize", "notifications/initialized", "tools/call", "GET", "DELETE",
        ]  # fmt: skip
    assert {said for _, said in behind.brought} == {"Bearer dana-own-token"}


async def test_nothing_of_the_callers_own_goes_up(app, behind):
    mine = (*without(BASE_HEADERS, "authorization"), ("authorization", "Bearer dana"))
    more = (
        ("x-api-key", "mine"),
        ("cookie", "mine"),
        ("dpop", "mine"),
        ("proxy-authorization", "mine"),
    )
    headers, body = modern("tools/call", {"name": "find", "arguments": {}}, name="find")
    assert (await post(app, (*headers, *more), body)).status == 200
    await post(app, (*mine, *more), INITIALIZE)
    for _, sent, _ in behind.requests:
        assert not {"x-api-key", "cookie", "dpop", "proxy-authorization"} & sent.keys()
        assert "Bearer dana" not in sent.values()
        assert "mine" not in json.dumps(sent)


async def test_two_people_bring_each_their_own(app, behind):
    headers, body = modern("tools/call", {"name": "find", "arguments": {}}, name="find")
    eve = (*without(headers, "authorization"), ("authorization", "Bearer eve"))
    assert (await post(app, headers, body)).status == 200
    before = len(behind.requests)
    assert (await post(app, eve, body)).status == 200
    calls = [said for method, said in behind.done if method == "tools/call"]
    assert calls == ["Bearer dana-own-token", "Bearer eve-own-token"]
    assert "Bearer dana-own-token" not in {said for _, said in behind.brought[before:]}


async def test_what_is_refused_is_renewed_once_and_sent_again(app, behind, wallet):
    behind.refused, wallet.next = {"dana-own-token"}, "dana-new-token"
    answer = await call_tool(app)
    assert answer.status == 200, answer.body
    assert wallet.renewals == 1
    calls = [said for method, said in behind.done if method == "tools/call"]
    assert calls == ["Bearer dana-new-token"]


async def test_what_is_refused_again_is_not_tried_a_third_time(app, behind, wallet, guard):
    behind.refused, wallet.next = {"dana-own-token", "dana-new-token"}, "dana-new-token"
    answer = await call_tool(app)
    assert answer.status == 502
    assert answer.json["error"]["data"] == {"reason": "upstream_failed"}
    methods = [method for method, _ in behind.brought]
    assert all(methods.count(one) <= 4 for one in methods)
    assert guard.outcomes == ["upstream_failed"]


async def test_where_nothing_newer_is_to_be_had_the_call_fails(app, behind, wallet):
    behind.refused = {"dana-own-token"}
    assert (await call_tool(app)).status == 502
    assert "dana-own-token" not in json.dumps((await call_tool(app)).json)


async def test_without_a_credential_nothing_goes_up(app, behind, wallet, guard):
    wallet.tokens.clear()
    assert (await call_tool(app)).status == 502
    await post(app, BASE_HEADERS, INITIALIZE)
    assert behind.requests == []
    assert guard.outcomes == ["upstream_failed"]


async def test_who_has_to_connect_is_told_in_words_where_nothing_better_is_understood(
    app, behind, wallet, guard
):
    wallet.needed = True
    answer = await call_tool(app)
    result = answer.json["result"]
    assert (answer.status, result["isError"]) == (200, True)
    assert ADDRESS in result["content"][0]["text"]
    assert result["_meta"]["remit/refusal"] == {"reason": "connection_needed", "url": ADDRESS}
    assert (behind.requests, guard.outcomes) == ([], ["connection_needed"])


async def test_a_modern_client_is_asked_to_show_the_address_and_comes_again(app, behind, wallet):
    wallet.needed = True
    meta = {**META, "io.modelcontextprotocol/clientCapabilities": BY_ADDRESS}
    params = {"name": "find", "arguments": {}, "_meta": meta}
    headers, body = modern("tools/call", params, name="find")
    asked = (await post(app, headers, body)).json["result"]
    assert asked["resultType"] == "input_required"
    assert asked["inputRequests"]["remit/connect"]["params"]["url"] == ADDRESS
    wallet.needed = False
    body["params"]["inputResponses"] = {"remit/connect": {"action": "accept"}}
    again = await post(app, headers, body)
    assert again.json["result"]["content"][0]["text"] == "done"
    assert "remit/connect" not in json.dumps([sent for _, _, sent in behind.requests])


@pytest.mark.parametrize("declared", [{}, {"elicitation": {}}, {"elicitation": {"form": {}}}])
async def test_a_client_that_shows_no_addresses_is_not_asked_to(app, wallet, declared):
    wallet.needed = True
    meta = {**META, "io.modelcontextprotocol/clientCapabilities": declared}
    headers, body = modern("tools/call", {"name": "find", "_meta": meta}, name="find")
    assert (await post(app, headers, body)).json["result"]["resultType"] == "complete"


async def test_a_legacy_client_is_given_the_error_that_has_it_show_the_address(app, wallet, guard):
    headers = await _session(app, **BY_ADDRESS)
    wallet.needed = True
    error = (await post(app, headers, CALL)).json["error"]
    assert error["code"] == -32042
    [elicitation] = error["data"]["elicitations"]
    assert (elicitation["mode"], elicitation["url"]) == ("url", ADDRESS)
    assert elicitation["elicitationId"]
    assert guard.outcomes[-1] == "connection_needed"


async def test_a_legacy_client_that_shows_no_addresses_is_told_in_words(app, wallet):
    headers = await _session(app)
    wallet.needed = True
    result = (await post(app, headers, CALL)).json["result"]
    assert (result["isError"], ADDRESS in result["content"][0]["text"]) == (True, True)
    assert "resultType" not in result


async def test_what_asks_for_no_tool_is_told_in_an_error(app, wallet):
    wallet.needed = True
    headers, body = modern("tools/list")
    error = (await post(app, headers, body)).json["error"]
    assert error["data"] == {"reason": "connection_needed", "url": ADDRESS}


ECHOES = {
    "plain": lambda secret: secret,
    "header": lambda secret: f"authorization: Bearer {secret}",
    "base64": lambda secret: base64.b64encode(f"you: {secret}".encode()).decode(),
    "basic": lambda secret: base64.urlsafe_b64encode(f"remit:{secret}!".encode()).decode(),
    "hex": lambda secret: secret.encode().hex(),
    "percent": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "backwards": lambda secret: secret[::-1],
    "html": lambda secret: "".join(f"&#{ord(one)};" for one in secret),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_what_a_call_brought_does_not_come_back(app, behind, echo, caplog):
    behind.text = echo("dana-own-token")
    answer = await call_tool(app)
    assert answer.status == 502
    assert behind.text not in answer.body.decode()
    assert "dana-own-token" not in caplog.text


async def test_what_another_call_brought_is_no_secret_of_this_one(app, behind):
    behind.text = "eve-own-token"
    assert (await call_tool(app)).json["result"]["content"][0]["text"] == "eve-own-token"


@pytest.mark.parametrize(
    ("credential", "name", "value"),
    [
        (SecretCredential(secret="env:S"), "authorization", "Bearer hunter2-hunter2"),
        (SecretCredential(secret="env:S", header="x-api-key", scheme=""), "x-api-key", "hunter2-hunter2"),
        (SecretCredential(secret="env:S", scheme="token"), "authorization", "token hunter2-hunter2"),
    ],
    ids=["bearer", "header", "scheme"],
)  # fmt: skip
async def test_a_secret_goes_up_in_its_header(behind, guard, credential, name, value):
    upstream = HttpUpstream(url=behind.url, credential=credential)
    roster = Roster({"env:S": "hunter2-hunter2"}.__getitem__)
    made = gateway(guard, roster, server_of(upstream=upstream))
    assert (await call_tool(made)).status == 200
    assert {sent.get(name) for _, sent, _ in behind.requests} == {value}
    assert all(
        ("authorization" in sent) == (name == "authorization") for _, sent, _ in behind.requests
    )
    await made.drain()


@pytest.mark.parametrize("secret", ["a\r\nx-evil: 1", "a\nb", "ü" * 8, "a\x00bcdefg", " padded "])
async def test_a_secret_that_is_no_value_of_a_header_is_not_sent(behind, guard, secret):
    upstream = HttpUpstream(url=behind.url, credential=SecretCredential(secret="env:S"))
    made = gateway(guard, Roster({"env:S": secret}.__getitem__), server_of(upstream=upstream))
    answer = await call_tool(made)
    assert answer.status == 502
    assert secret not in json.dumps(answer.json, ensure_ascii=False)
    assert behind.requests == []
    await made.drain()


async def test_a_server_that_needs_a_caller_and_has_no_source_of_credentials_is_not_asked(
    behind, guard
):
    upstream = HttpUpstream(url=behind.url, credential=ConnectionCredential())
    made = gateway(guard, Roster(str), server_of(upstream=upstream))
    assert (await call_tool(made)).status == 502
    assert behind.requests == []
    await made.drain()
