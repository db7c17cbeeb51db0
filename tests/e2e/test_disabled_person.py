"""A person who is disabled: their streams end at once, and so does what their agents hold."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.e2e.application import application
from tests.e2e.test_revocation import ACCEPT, INITIALIZE, WITHIN

pytestmark = [pytest.mark.e2e]


async def test_the_open_stream_of_a_disabled_person_ends_and_nothing_begins_anew(stage, erin, dana):
    url = stage.server("crm")
    async with application(stage) as app, httpx2.AsyncClient(timeout=WITHIN) as http:
        tokens = await _tokens(app, erin)
        async with application(stage) as another:
            others = await _tokens(another, dana)
            async with _stream(http, url, tokens) as hers, _stream(http, url, others) as his:
                await stage.remit("users", "disable", erin.username, "--reason", "has left")
                assert await asyncio.wait_for(hers, WITHIN)
                assert not his.done()
        again = await http.post(url, json=INITIALIZE, headers=_headers(tokens))
        assert again.status_code == 401
        refreshed = await http.post(
            f"{stage.url}/token",
            data={
                "grant_type": "refresh_token",
                "refresh_token": tokens["refresh_token"],
                "client_id": app.client_id,
            },
        )
        assert refreshed.status_code == 400
        assert refreshed.json()["error"] == "invalid_grant"


async def _tokens(app, person):
    arrived = await person.walk(app.request(scope="crm:handbook.read"), app.redirect_uri)
    (code,) = parse_qs(urlsplit(arrived).query)["code"]
    return await app.redeem(code)


def _headers(tokens):
    return ACCEPT | {"Authorization": f"Bearer {tokens['access_token']}"}


@asynccontextmanager
async def _stream(http, url, tokens):
    """A session's open stream, begun: a task that is done when it has ended."""
    opened = await http.post(url, json=INITIALIZE, headers=_headers(tokens))
    assert opened.status_code == 200, opened.text
    session = _headers(tokens) | {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
    begun = asyncio.Event()

    async def listen():
        async with http.stream("GET", url, headers=session) as answer:
            assert answer.status_code == 200
            async for _ in answer.aiter_raw():
                begun.set()
        return True

    listening = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(WITHIN):
            await begun.wait()
        yield listening
    finally:
        listening.cancel()
