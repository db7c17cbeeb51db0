"""A server that guards itself, and the Remit it belongs to: what each knows of the other, and when it stops serving."""

import asyncio
import json

import httpx2
import pytest
import pytest_asyncio

from remit.audit import read_events
from remit.demo.agent import Keyring
from tests.e2e.guarded import Guarded, dance, guarded
from tests.e2e.wire import ACCEPT, ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),  # several processes start, one after the other
]

ACME = {"organization_id": "acme", "account_id": "acc-1001"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guard(tmp_path_factory):
    async with guarded(tmp_path_factory.mktemp("guarded")) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def token(guard: Guarded) -> str:
    keyring = Keyring()
    async with guard.server("sdk"):
        await dance(guard, keyring)
    return keyring.tokens.access_token


async def test_a_token_for_another_server_is_good_for_nothing_here(guard, token):
    stage, keyring = guard.stage, Keyring()
    await dance(guard, keyring, stage.server("payments"))
    async with guard.server("sdk"):
        other = await ask(guard.url, "tools/list", token=keyring.tokens.access_token)
        assert other.status_code == 401
        assert other.json()["error"]["data"]["reason"] == "invalid_token"
        assert (await ask(guard.url, "tools/list", token=token)).status_code == 200
    # And the gateway does not take a token for the server that guards itself at another address.
    assert (await ask(stage.server("payments"), "tools/list", token=token)).status_code == 401


async def test_what_a_guard_decided_stands_in_the_log_of_remit(guard, token):
    async with guard.server("sdk"):
        answer = await ask(
            guard.url, "tools/call", {"name": "get_account", "arguments": ACME}, token=token
        )
        decided = await eventually(lambda: the_last(guard, "decision"))
        await eventually(lambda: the_last(guard, "call.completed"))
    assert answer.status_code == 200
    body = decided["body"]
    assert (body["outcome"], body["server"], body["name"]) == ("allow", "crm", "get_account")
    assert body["guard"]["instance"].startswith("crm-")
    assert body["guard"]["sequence"] > 0
    assert (decided["agent"], decided["tenant"]) == ("support-assistant", "acme")
    assert body["input"]["organization_id"] == "acme"
    assert "acc-1001" not in json.dumps(decided)
    completed = the_last(guard, "call.completed")
    assert completed["body"]["decision_id"] == body["decision_id"]
    seen = [one["body"] for one in events(guard) if one["kind"] == "guard.seen"]
    assert body["guard"]["instance"] in {one["instance"] for one in seen}


async def test_a_suspended_agent_is_refused_and_its_streams_end(guard, token):
    async with guard.server("sdk"), httpx2.AsyncClient(timeout=60) as http:
        session = await open_session(http, guard.url, token)
        async with http.stream("GET", guard.url, headers=session) as stream:
            assert stream.status_code == 200
            await guard.stage.remit("agents", "suspend", "support-assistant")
            try:
                async for _ in stream.aiter_raw():
                    pass  # it ends, which it would not for as long as the session lasts
                refused = await ask(guard.url, "tools/list", token=token)
                assert refused.status_code == 401
            finally:
                await guard.stage.remit("agents", "resume", "support-assistant")
        await eventually(lambda: ask(guard.url, "tools/list", token=token), is_ok)


async def test_with_a_wrong_secret_a_server_serves_nobody(guard, token):
    async with guard.server("sdk", CRM_GUARD_SECRET="guessed"):
        refused = await ask(guard.url, "tools/list", token=token)
    assert refused.status_code == 503
    assert refused.json()["error"]["data"]["reason"] == "stale_snapshot"


async def test_a_server_that_starts_before_remit_waits_for_it_and_serves_nobody(tmp_path):
    async with guarded(tmp_path, serving=False) as guard, guard.server("sdk"):
        refused = await ask(guard.url, "tools/list", token="whatever")
        assert refused.status_code == 503
        async with guard.remit():
            await eventually(lambda: ask(guard.url, "tools/list"), is_unauthorized)


def events(guard: Guarded):
    return list(read_events(guard.stage.data / "audit"))


def the_last(guard: Guarded, kind: str):
    """The last event of a kind that a guard delivered about the tool."""
    found = [
        one
        for one in events(guard)
        if one["kind"] == kind and one["body"].get("guard") and one["body"]["name"] == "get_account"
    ]
    return found[-1] if found else None


def is_ok(answer) -> bool:
    return answer.status_code == 200


def is_unauthorized(answer) -> bool:
    return answer.status_code == 401


async def eventually(look, holds=bool):
    """What `look` finds once it holds; looked for again and again, not once after a pause."""
    async with asyncio.timeout(60):
        while True:
            found = look()
            found = await found if asyncio.iscoroutine(found) else found
            if holds(found):
                return found
            await asyncio.sleep(0.1)


async def open_session(http: httpx2.AsyncClient, url: str, token: str) -> dict[str, str]:
    """A session of the older era, and the headers that belong to it."""
    headers = {"authorization": f"Bearer {token}", "accept": ACCEPT}
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "by hand", "version": "1"},
    }
    first = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    opened = await http.post(url, json=first, headers=headers)
    headers["mcp-session-id"] = opened.headers["mcp-session-id"]
    headers["mcp-protocol-version"] = "2025-11-25"
    initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await http.post(url, json=initialized, headers=headers)).status_code == 202
    return headers
