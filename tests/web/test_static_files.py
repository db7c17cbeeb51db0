"""Static files have names that change with their content."""

import hashlib
import re
from importlib.resources import files

import httpx2
import pytest
from starlette.applications import Starlette

from remit.web import static_routes, static_url


@pytest.fixture
async def client():
    transport = httpx2.ASGITransport(app=Starlette(routes=static_routes()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("remit.css", "text/css"),
        ("mark.svg", "image/svg+xml"),
        ("passkey.js", "text/javascript"),
    ],
)
async def test_a_file_is_served_under_its_digest_for_ever(client, name, media_type):
    answer = await client.get(static_url(name))
    content = files("remit").joinpath("web", "static", name).read_bytes()
    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert hashlib.sha256(content).hexdigest()[:16] in static_url(name)


@pytest.mark.parametrize(
    "path",
    [
        "/static/remit.css",
        "/static/remit.0000000000000000.css",
        "/static/..%2fpage.py",
        "/static/",
        "/static/%2e%2e/page.py",
    ],
)
async def test_nothing_else_is_served(client, path):
    assert (await client.get(path)).status_code == 404


def test_an_unknown_file_has_no_address():
    with pytest.raises(KeyError):
        static_url("remit.js")


def test_the_script_fetches_nothing_and_writes_no_markup():
    script = files("remit").joinpath("web", "static", "passkey.js").read_text()
    assert not re.search(r"fetch\(|XMLHttpRequest|import\b|eval|innerHTML|Function\(|http", script)


def test_the_style_sheet_fetches_nothing():
    css = files("remit").joinpath("web", "static", "remit.css").read_text()
    assert not re.search(r"url\(|@import|@font-face", css)
