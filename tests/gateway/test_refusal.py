"""Refusals as they leave the gateway: the same words in both eras, and when to come back."""

import pytest

from remit.gateway.jsonrpc import Response
from remit.guard.outcome import Challenge, Deny, RefusalReason
from tests.gateway.doubles import BASE_HEADERS, ListGuard, ScriptedServer, gateway, modern, post

OPENED = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {}}
INITIALIZE = {
    "jsonrpc": "2.0", "id": 0, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
}  # fmt: skip
MEMBERS = {
    "reason", "detail", "message", "missing", "obtainable", "how", "scopes", "retry", "decision",
}  # fmt: skip


class Refusing(ListGuard):
    """Knows everybody, and refuses whatever they ask with `refusal`."""

    def __init__(self, refusal):
        super().__init__()
        self.refusal = refusal

    async def decide(self, call):
        return self.refusal

    async def visible(self, call):
        return self.refusal


def _script(outgoing):
    return [Response(outgoing.message.id, result=OPENED)]


async def asked(era, refusal, method="tools/call"):
    """What a client of `era` is answered, and what the server heard of it."""
    server = ScriptedServer(_script)
    app = gateway(Refusing(refusal), server)
    params = {"name": "find", "arguments": {}} if method == "tools/call" else {}
    if era == "modern":
        headers, body = modern(method, params, name=params.get("name"))
        return await post(app, headers, body), server
    opened = await post(app, BASE_HEADERS, INITIALIZE)
    headers = (
        *BASE_HEADERS,
        ("mcp-session-id", opened.header("mcp-session-id")),
        ("mcp-protocol-version", "2025-11-25"),
    )
    server.asked.clear()
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return await post(app, headers, body), server


@pytest.mark.parametrize("method", ["tools/call", "tools/list"])
@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize(
    ("reason", "code"), [(RefusalReason.RATE_LIMITED, 1017), (RefusalReason.TOO_MANY_CALLS, 1018)]
)
async def test_a_limit_is_429_with_the_seconds_in_header_and_body(era, reason, code, method):
    refusal = Deny(decision_id="dec_1", reason=reason, detail="too much", retry_after=17)
    answer, server = await asked(era, refusal, method)
    assert answer.status == 429
    assert answer.header("retry-after") == "17"
    error = answer.json["error"]
    assert (error["code"], error["message"]) == (code, "too much")
    assert set(error["data"]) == MEMBERS | {"retry_after"}
    assert (error["data"]["retry_after"], error["data"]["retry"]) == (17, True)
    assert (error["data"]["reason"], error["data"]["obtainable"]) == (reason.value, "wait")
    assert server.asked == []


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_missing_scopes_are_told_in_header_and_body(era):
    refusal = Challenge(
        decision_id="dec_1", reason=RefusalReason.INSUFFICIENT_SCOPE, detail="more is needed",
        scopes=("a:b.read", "a:b.write"), missing=("a:b.write",),
    )  # fmt: skip
    answer, _ = await asked(era, refusal)
    assert answer.status == 403
    assert 'scope="a:b.read a:b.write"' in answer.header("www-authenticate")
    data = answer.json["error"]["data"]
    assert set(data) == MEMBERS
    assert (data["missing"], data["obtainable"]) == ({"scopes": ["a:b.write"]}, "authorize")


@pytest.mark.parametrize("reason", list(RefusalReason))
async def test_both_eras_say_the_same_of_every_reason(reason):
    if reason in {RefusalReason.MISSING_TOKEN, RefusalReason.INSUFFICIENT_SCOPE}:
        refusal = Challenge(decision_id="dec_1", reason=reason, detail="why")
    else:
        refusal = Deny(decision_id="dec_1", reason=reason, detail="why")
    first, _ = await asked("modern", refusal)
    second, _ = await asked("legacy", refusal)
    assert first.status == second.status
    assert first.json == second.json
