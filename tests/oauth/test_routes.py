"""Where each endpoint stands."""

import pytest

PAGES = ["/authorize", "/authorize/continue", "/authorize/consent"]


async def test_every_endpoint_that_the_metadata_names_answers(server):
    client = server.browser().client
    document = (await client.get("/.well-known/oauth-authorization-server")).json()
    for name, url in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            method = "GET" if name in {"authorization_endpoint", "jwks_uri"} else "POST"
            status = (await client.request(method, url)).status_code
            assert status not in {404, 405, 500}, name


async def test_a_client_that_knows_no_metadata_finds_the_default_endpoints(server):
    """MCP 2025-03-26: without metadata, `/authorize`, `/token` and `/register` at the server's origin."""
    client = server.browser().client
    document = (await client.get("/.well-known/oauth-authorization-server")).json()
    origin = document["issuer"]
    defaults = {"authorization": "/authorize", "token": "/token", "registration": "/register"}
    assert {name: document[f"{name}_endpoint"] for name in defaults} == {
        name: origin + path for name, path in defaults.items()
    }
    assert server.deps.public_url == origin


@pytest.mark.parametrize("path", PAGES)
async def test_the_pages_of_people_have_no_cors(server, path):
    client = server.browser().client
    for method in ("GET", "POST", "OPTIONS"):
        response = await client.request(
            method,
            path,
            headers={"origin": "https://evil.example", "access-control-request-method": "POST"},
        )
        assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_the_pages_of_people_never_redirect_with_307(server):
    browser = server.browser()
    await server.add_user()
    response = await browser.authorize()
    seen = [response.status_code]
    page = await browser.to_consent()
    seen.append((await browser.decide(page)).status_code)
    assert seen == [303, 303]
