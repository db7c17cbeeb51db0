import webbrowser

import httpx2
import pytest

from remit.demo.listener import browse_yourself
from remit.demo.stage import free_port

AUTHORIZE = "http://127.0.0.1:1/authorize?client_id=c"


@pytest.fixture
def redirect_uri() -> str:
    return f"http://127.0.0.1:{free_port()}/callback"


async def test_the_browser_opens_and_brings_the_code_back(monkeypatch, redirect_uri):
    opened, told = [], []

    def browser(url: str) -> bool:
        opened.append(url)
        assert "Go back to the terminal" in httpx2.get(f"{redirect_uri}?code=c&state=s").text
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    arrived = await browse_yourself(AUTHORIZE, redirect_uri, tell=told.append)
    assert arrived == f"{redirect_uri}?code=c&state=s"
    assert opened == [AUTHORIZE]
    assert AUTHORIZE in told[0]


async def test_what_else_a_browser_asks_for_is_not_taken_for_the_answer(monkeypatch, redirect_uri):
    def browser(url: str) -> bool:
        origin = redirect_uri.removesuffix("/callback")
        assert httpx2.get(f"{origin}/favicon.ico").status_code == 404
        assert httpx2.get(f"{origin}/callback/x?code=false").status_code == 404
        httpx2.get(f"{redirect_uri}?code=true")
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    arrived = await browse_yourself(AUTHORIZE, redirect_uri, tell=lambda _: None)
    assert arrived == f"{redirect_uri}?code=true"


async def test_the_first_answer_counts_and_the_door_closes_behind_it(monkeypatch, redirect_uri):
    def browser(url: str) -> bool:
        httpx2.get(f"{redirect_uri}?code=first")
        httpx2.get(f"{redirect_uri}?code=second")
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    arrived = await browse_yourself(AUTHORIZE, redirect_uri, tell=lambda _: None)
    assert arrived.endswith("code=first")
    with pytest.raises(httpx2.TransportError):
        httpx2.get(redirect_uri)
