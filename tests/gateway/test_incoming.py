"""A request with a proof, as the gateway hands it to the real guard, and what the client hears of it."""

import json

import pytest

from remit.testing.catalog import CRM
from remit.testing.dpop import ProofKey
from tests.gateway.doubles import (
    BASE_HEADERS,
    ScriptedServer,
    Wire,
    gateway,
    modern,
    without,
)
from tests.gateway.test_legacy import INITIALIZE, OPENED, script
from tests.guard.conftest import URL, World

KEY = ProofKey()
URI = f"{URL}/mcp/crm"


@pytest.fixture
def world(clock):
    return World(clock)


@pytest.fixture
def server():
    return ScriptedServer(script)


@pytest.fixture
def app(world, server):
    catalog = world.directory.catalog
    return gateway(
        world.guard, server, catalog.servers[CRM], clock=world.clock, public_url=URL,
        allowed_origins=("https://page.example",),
    )  # fmt: skip


class Caller:
    """Somebody with a bound token, who makes a proof for each request."""

    def __init__(self, app, world):
        self.app, self.world = app, world
        self.token = world.raw(jkt=KEY.jkt)
        self.nonce = None

    def headers(self, headers, method="POST", *, scheme="DPoP", **changes):
        proof = KEY.proof(
            method, URI, at=self.world.clock.now(), token=self.token, nonce=self.nonce, **changes
        )
        kept = (*without(headers, "authorization", "host"), ("host", "remit.example"))
        return (*kept, ("authorization", f"{scheme} {self.token}"), ("dpop", proof))

    async def send(self, headers=BASE_HEADERS, body=None, method="POST", **changes):
        raw = b"" if body is None else json.dumps(body).encode()
        lines = self.headers(headers, method, **changes)
        counted = (*lines, ("content-length", str(len(raw)))) if body is not None else lines
        answer = await Wire(self.app, method, headers=counted, chunks=[raw]).run()
        self.nonce = answer.header("dpop-nonce") or self.nonce
        return answer

    async def call(self, **changes):
        return await self.send(*modern_call(), **changes)


def modern_call():
    arguments = {"name": "get_account", "arguments": {"account": "a"}}
    return modern("tools/call", arguments, name="get_account")


@pytest.fixture
def caller(app, world):
    return Caller(app, world)


async def test_the_first_answer_offers_a_nonce_and_with_it_the_call_goes_through(caller, server):
    first = await caller.call()
    assert first.status == 401
    challenge = first.header("www-authenticate")
    assert challenge.startswith('DPoP error="use_dpop_nonce"')
    assert 'algs="ES256 Ed25519 EdDSA"' in challenge
    assert f'resource_metadata="{URL}/.well-known/oauth-protected-resource/mcp/crm"' in challenge
    assert server.asked == []
    second = await caller.call()
    assert (second.status, second.json["result"]["content"]) == (200, [])
    assert second.header("dpop-nonce") == caller.nonce


async def test_a_request_that_is_sent_again_is_refused(caller, app):
    await caller.call()
    headers, body = modern_call()
    lines = caller.headers(headers)
    statuses = []
    for _ in range(2):
        raw = json.dumps(body).encode()
        answer = await Wire(app, headers=lines, chunks=[raw]).run()
        statuses.append(answer.status)
    assert statuses == [200, 401]
    assert 'error="invalid_dpop_proof"' in answer.header("www-authenticate")


async def test_a_large_body_is_asked_about_twice_and_its_proof_taken_once(caller):
    await caller.call()
    headers, body = modern(
        "tools/call",
        {"name": "get_account", "arguments": {"account": "a" * 100_000}},
        name="get_account",
    )
    assert (await caller.send(headers, body)).status == 200


async def test_a_proof_goes_no_further_than_here(caller, server):
    await caller.call()
    await caller.call()
    names = {name.lower() for outgoing in server.asked for name, _ in outgoing.headers}
    assert names & {"dpop", "authorization"} == set()


async def test_a_bound_token_is_refused_as_a_bearer_token(caller):
    await caller.call()
    answer = await caller.call(scheme="Bearer")
    assert answer.status == 401
    assert answer.header("www-authenticate").startswith('DPoP error="invalid_token"')


@pytest.mark.parametrize(
    "changes", [{"htm": "GET"}, {"htu": f"{URL}/mcp/payments"}, {"iat": 1}, {"jti": ""}], ids=str
)
async def test_a_proof_for_another_request_is_refused(caller, changes):
    await caller.call()
    answer = await caller.call(**changes)
    assert answer.status == 401
    assert answer.header("www-authenticate").startswith('DPoP error="invalid_dpop_proof"')


async def test_a_legacy_session_takes_a_proof_with_every_verb(caller, server):
    await caller.call()
    opened = await caller.send(BASE_HEADERS, INITIALIZE)
    assert (opened.status, opened.json["result"]["protocolVersion"]) == (
        200,
        OPENED["protocolVersion"],
    )
    session = (*BASE_HEADERS, ("mcp-session-id", opened.header("mcp-session-id")))
    server.unasked.put_nowait(None)
    stream = await caller.send(session, method="GET")
    assert (stream.status, stream.header("content-type")) == (200, "text/event-stream")
    assert stream.header("dpop-nonce") == caller.nonce
    told = await caller.send(session, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert told.status == 202
    again = await caller.send(session, method="GET", htm="POST")
    assert again.status == 401
    assert (await caller.send(session, method="DELETE")).status == 204


async def test_a_bearer_token_needs_no_proof_and_is_offered_none(app, world):
    headers, body = modern_call()
    lines = (*without(headers, "authorization", "host"), ("host", "remit.example"))
    lines = (*lines, ("authorization", f"Bearer {world.raw()}"))
    answer = await Wire(app, headers=lines, chunks=[json.dumps(body).encode()]).run()
    assert answer.status == 200
    assert answer.header("dpop-nonce") is None


async def test_a_page_may_send_proofs_and_read_nonces(app):
    headers = (("host", "remit.example"), ("origin", "https://page.example"))
    answer = await Wire(app, "OPTIONS", headers=headers).run()
    assert "dpop" in answer.header("access-control-allow-headers").split(", ")
    assert "dpop-nonce" in answer.header("access-control-expose-headers").split(", ")
