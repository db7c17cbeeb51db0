"""The metadata of a server: who may grant access to it, and that it is this very server."""

import json
from dataclasses import replace

import pytest

from remit.gateway.protected_resource import metadata_document, metadata_url
from tests.gateway.doubles import (
    BASE_HEADERS,
    PUBLIC_URL,
    ListGuard,
    ScriptedServer,
    Wire,
    answering,
    changed,
    gateway,
    post,
    server_of,
    without,
)

PATH = "/.well-known/oauth-protected-resource/mcp/crm"
HOST = (("host", "127.0.0.1:8080"),)


@pytest.fixture
def app():
    return gateway(ListGuard(), ScriptedServer(answering({})))


async def get(app, path=PATH, method="GET", headers=HOST):
    return await Wire(app, method, path, headers=headers).run()


async def test_the_document_names_the_url_that_clients_use(app):
    answer = await get(app)
    assert answer.status == 200
    assert answer.json == {
        "resource": f"{PUBLIC_URL}/mcp/crm",
        "authorization_servers": [PUBLIC_URL],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256", "Ed25519", "EdDSA"],
        "resource_name": "CRM",
        "scopes_supported": ["crm:accounts.read"],
    }


async def test_a_server_that_asks_for_bound_tokens_says_so():
    server = changed(server_of(), dpop_required=True)
    app = gateway(ListGuard(), ScriptedServer(answering({})), server)
    assert (await get(app)).json["dpop_bound_access_tokens_required"] is True


async def test_the_challenge_leads_to_the_document(app):
    challenged = await post(
        app, without(BASE_HEADERS, "authorization"), {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    )
    assert challenged.status == 401
    header = challenged.header("www-authenticate")
    url = header.split('resource_metadata="')[1].split('"')[0]
    assert (await get(app, url.removeprefix(PUBLIC_URL))).status == 200
    assert "error=" not in header
    assert 'scope="crm:accounts.read"' in header


async def test_any_page_may_read_it_and_it_may_be_cached(app):
    answer = await get(app, headers=(*HOST, ("origin", "https://anywhere.example")))
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("cache-control") == "public, max-age=300"


async def test_a_preflight_allows_the_version_header(app):
    answer = await get(
        app, method="OPTIONS", headers=(*HOST, ("origin", "https://anywhere.example"))
    )
    assert answer.status == 204
    assert "mcp-protocol-version" in answer.header("access-control-allow-headers")


async def test_a_server_without_a_baseline_names_no_scopes():
    server = changed(server_of(), baseline_scopes=())
    answer = await get(gateway(ListGuard(), ScriptedServer(answering({})), server))
    assert "scopes_supported" not in answer.json


@pytest.mark.parametrize(
    "path", [f"{PATH}x", f"{PATH}/", "/.well-known/oauth-protected-resource/mcp/"]
)
async def test_there_is_no_document_for_an_unknown_server(app, path):
    assert (await get(app, path)).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_is_only_read(app, method):
    assert (await get(app, method=method)).status == 405


async def test_a_foreign_host_learns_nothing(app):
    answer = await get(app, headers=(("host", "evil.example"),))
    assert answer.status == 421
    assert "resource" not in json.loads(answer.body)


def test_a_server_that_guards_itself_has_its_document_beside_itself():
    own = replace(server_of(), resource_identifier="https://crm.example/deep/mcp")
    assert (
        metadata_url(PUBLIC_URL, own)
        == "https://crm.example/.well-known/oauth-protected-resource/deep/mcp"
    )
    document = metadata_document(own, public_url=PUBLIC_URL, issuer=PUBLIC_URL)
    assert document["resource"] == "https://crm.example/deep/mcp"
