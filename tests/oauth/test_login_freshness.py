"""What a waiting request asks of a log-in elsewhere, read from the request and not from the address."""

from urllib.parse import parse_qs, urlsplit

import pytest

from remit.oauth.login_freshness import login_freshness


@pytest.fixture
def ask(server):
    return login_freshness(server.database, server.clock)


async def waiting_at(server, **changes):
    response = await server.browser().authorize(**changes)
    return response.headers["location"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"max_age": "300"}, 300),
        ({"max_age": "0"}, 0),
        ({"prompt": "login"}, 0),
        ({"prompt": "select_account consent"}, 0),
        ({"prompt": "consent"}, None),
        ({"prompt": "login", "max_age": "300"}, 0),
    ],
)
async def test_a_request_says_how_fresh_a_log_in_must_be(server, ask, changes, expected):
    assert await ask(await waiting_at(server, **changes)) == expected


async def test_the_address_of_the_log_in_page_cannot_soften_it(server, ask):
    path = await waiting_at(server, prompt="login")
    assert await ask(f"{path}&max_age=86400&prompt=none") == 0


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/account",
        "/authorize/continue?request=unknown",
        "/x?request=%zz",
        "/x?request=a&request=b",
    ],
)
async def test_where_no_request_waits_any_log_in_will_do(ask, path):
    assert await ask(path) is None


async def test_a_request_that_expired_asks_for_nothing(server, ask):
    path = await waiting_at(server, prompt="login")
    assert parse_qs(urlsplit(path).query)["request"]
    server.clock.advance(601)
    assert await ask(path) is None
