"""Headers that no response lacks, and who may call by script."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from remit.web import SecurityHeaders, cors_route, error_page


async def _token(request):
    return JSONResponse({"method": request.method}, status_code=400)


async def _authorize(request):
    return PlainTextResponse("page")


async def _page(request):
    return error_page(404, "No", message="m")


def _client(*, secure: bool = True) -> httpx2.AsyncClient:
    application = Starlette(
        routes=[
            cors_route("/token", _token, methods=["POST"]),
            Route("/authorize", _authorize),
            Route("/page", _page),
        ]
    )
    transport = httpx2.ASGITransport(app=SecurityHeaders(application, secure=secure))
    return httpx2.AsyncClient(transport=transport, base_url="https://remit.example")


@pytest.mark.parametrize("path", ["/authorize", "/token", "/nothing"])
async def test_no_response_may_be_framed_or_guessed_at(path):
    headers = (await _client().get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["strict-transport-security"] == "max-age=31536000"


async def test_a_page_keeps_its_own_policy():
    assert "style-src 'self'" in (await _client().get("/page")).headers["content-security-policy"]


async def test_a_site_for_trying_out_does_not_pin_https():
    answer = await _client(secure=False).get("/authorize")
    assert "strict-transport-security" not in answer.headers


async def test_a_script_of_any_origin_may_ask_and_call_where_it_is_let_in():
    client = _client()
    preflight = await client.options(
        "/token",
        headers={
            "origin": "https://inspector.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "mcp-protocol-version, content-type",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-methods"] == "POST"
    allowed = preflight.headers["access-control-allow-headers"].lower().split(", ")
    assert {"authorization", "content-type", "mcp-protocol-version"} <= set(allowed)
    answer = await client.post("/token", headers={"origin": "https://inspector.example"})
    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]


async def test_no_script_may_send_cookies_along():
    answer = await _client().post("/token", headers={"origin": "https://a.example"})
    assert "access-control-allow-credentials" not in answer.headers


async def test_the_authorization_endpoint_lets_no_script_in():
    client = _client()
    answer = await client.get("/authorize", headers={"origin": "https://a.example"})
    preflight = await client.options("/authorize", headers={"origin": "https://a.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in preflight.headers
    assert preflight.status_code == 405


async def test_a_method_that_is_not_offered_is_refused():
    assert (await _client().get("/token")).status_code == 405
