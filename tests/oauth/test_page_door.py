"""The door of the pages: whatever goes wrong is a page, and no grant."""

from dataclasses import replace

import pytest
from flows import answer, request_fields
from starlette.applications import Starlette
from structlog.testing import capture_logs

from remit.app.logs import redact
from remit.audit.events import AuthorizationRefused
from remit.oauth import routes


async def test_something_unforeseen_is_a_500_without_its_words(server):
    async def fails(request):
        raise RuntimeError("secret detail")

    application = Starlette(routes=routes(replace(server.deps, read_session=fails)))
    browser = server.browser(application=application)
    response = await browser.authorize()
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "location" not in response.headers


@pytest.mark.parametrize("path", ["/authorize?client_id=nobody", "/authorize/continue?request=x"])
async def test_a_log_that_cannot_take_it_is_a_503(server, path):
    server.audit.failing = True
    response = await server.browser().client.get(path)
    assert response.status_code == 503
    assert "location" not in response.headers


async def test_a_database_that_is_gone_is_a_503(server):
    browser = server.browser()
    server.database.close()
    response = await browser.authorize()
    assert response.status_code == 503


async def test_what_the_page_says_is_escaped(server):
    portal = await server.browser().authorize(redirect_uri="https://x.example/<b>&\"'")
    assert portal.status_code == 400
    assert "<b>" not in portal.text


async def test_a_refusal_names_the_address_and_the_browser(server):
    await server.browser("198.51.100.9").client.get(
        "/authorize?client_id=nobody", headers={"user-agent": "Test/1\x1b"}
    )
    (event,) = server.events(AuthorizationRefused)
    assert event.context.network.ip == "198.51.100.9"
    assert event.context.network.user_agent == "Test/1"
    assert event.context.trace is not None


async def test_a_trace_is_taken_over(server):
    trace = "0af7651916cd43dd8448eb211c80319c"
    browser = server.browser()
    browser.client.headers["traceparent"] = f"00-{trace}-b7ad6b7169203331-01"
    assert answer(await browser.authorize(response_type="token"))["error"]
    assert server.events(AuthorizationRefused)[0].context.trace.trace_id == trace


@pytest.mark.parametrize("path", ["/authorize", "/token"])
async def test_why_it_is_unavailable_can_be_read_in_the_log(server, path):
    fields = {**request_fields(), "grant_type": "refresh_token", "refresh_token": "x"}
    server.database.close()
    with capture_logs() as lines:
        response = await server.browser().client.post(path, data=fields)
    assert response.status_code == 503
    (line,) = [redact(None, "", dict(one)) for one in lines if one["log_level"] == "warning"]
    assert line["error"] == "database_unavailable"
