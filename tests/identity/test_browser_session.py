"""The session behind a request: its limits, and its end."""

import pytest
from starlette.requests import Request

from remit.audit.context import Context
from remit.identity import disable_user, purge_sessions, session_reader
from remit.identity.browser_session import log_out
from remit.identity.store import set_disabled
from tests.identity.conftest import ADMIN


@pytest.fixture
async def logged_in(browser, add_user):
    """A user, and a request from the browser they are logged in with."""
    user = await add_user()
    await browser.log_in()
    secret = browser.client.cookies["remit_session"]
    cookie = [(b"cookie", f"remit_session={secret}".encode())]
    return user, secret, Request({"type": "http", "headers": cookie})


async def test_a_session_says_who_and_how_and_when(deps, logged_in, clock):
    user, _, request = logged_in
    began = clock.now()
    clock.advance(600)
    found = await session_reader(deps)(request)
    assert found is not None
    assert found[0] == user
    assert (found[1].auth_time, found[1].acr) == (began, "urn:remit:acr:pwd")
    assert found[1].amr == ("pwd",)


async def test_a_session_that_is_used_lives_until_its_absolute_limit(deps, logged_in, clock):
    read, request = session_reader(deps), logged_in[2]
    for _ in range(12):
        clock.advance(3599)
        assert await read(request) is not None
    clock.advance(12)
    assert await read(request) is None


async def test_a_session_that_is_not_used_ends(deps, logged_in, clock):
    clock.advance(3600)
    assert await session_reader(deps)(logged_in[2]) is None
    clock.advance(-3600)


async def test_an_ended_session_is_nobodys(deps, logged_in):
    _, secret, request = logged_in
    await log_out(deps, secret, context=Context())
    assert await session_reader(deps)(request) is None


async def test_the_session_of_a_disabled_account_is_nobodys(deps, logged_in, clock):
    deps.database.run_now(
        lambda tx: disable_user(tx, "ada", reason="", now=clock.now(), context=ADMIN)
    )
    assert await session_reader(deps)(logged_in[2]) is None


async def test_a_disabled_account_is_nobody_even_if_a_session_of_it_is_open(deps, logged_in, clock):
    """As when it was disabled between two statements of a log-in elsewhere."""
    user, _, request = logged_in
    deps.database.run_now(lambda tx: set_disabled(tx, user.id, at=clock.now()))
    assert await session_reader(deps)(request) is None


@pytest.mark.parametrize("cookie", ["", "remit_session=", "remit_session=x", "other=x"])
async def test_a_request_without_a_session_is_nobodys(deps, cookie):
    request = Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})
    assert await session_reader(deps)(request) is None


async def test_two_session_cookies_are_none(deps, logged_in):
    _, secret, _ = logged_in
    cookie = f"remit_session={secret}; remit_session=planted".encode()
    request = Request({"type": "http", "headers": [(b"cookie", cookie)]})
    assert await session_reader(deps)(request) is None


async def test_the_secret_of_a_session_is_not_in_the_database(deps, logged_in, database):
    rows = database.read_now(
        lambda tx: tx.connection.exec_driver_sql("SELECT * FROM sessions").all()
    )
    assert len(rows) == 1
    assert logged_in[1] not in repr(rows)


async def test_sessions_long_past_are_deleted(deps, logged_in, database, clock):
    clock.advance(43_201)
    assert database.run_now(lambda tx: purge_sessions(tx, before=clock.now())) == 1
    assert database.run_now(lambda tx: purge_sessions(tx, before=clock.now())) == 0


async def test_using_a_session_writes_at_most_once_a_minute(deps, logged_in, clock, monkeypatch):
    writes = []
    monkeypatch.setattr(
        type(deps.database), "run", lambda self, work: writes.append(work) or _nothing()
    )
    read, request = session_reader(deps), logged_in[2]
    clock.advance(59)
    await read(request)
    assert writes == []
    clock.advance(1)
    await read(request)
    assert len(writes) == 1


async def _nothing() -> None:
    return None
