"""A session that another room opens, for somebody it knows."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from remit.audit.events import LoggedIn, LoggedOut, LoginFailed
from remit.identity import Proof, disable_user, list_sessions, open_session, session_reader
from tests.identity.conftest import ADMIN

PROOF = Proof(acr="urn:remit:acr:mfa", amr=("mfa",), provider="okta", auth_time=1_767_625_000)


def _request(*cookies: str) -> Request:
    headers = [(b"cookie", "; ".join(cookies).encode()), (b"user-agent", b"test")]
    return Request({"type": "http", "headers": headers, "client": ("203.0.113.9", 1)})


def _secret(response: Response) -> str:
    return response.headers["set-cookie"].split(";")[0]


async def test_it_says_who_vouched_and_when_and_leads_back(deps, add_user, clock, events):
    user = await add_user()
    response = await open_session(
        deps, _request(), user, proof=PROOF, return_to="/authorize?request=x"
    )
    assert (response.status_code, response.headers["location"]) == (303, "/authorize?request=x")
    found = await session_reader(deps)(_request(_secret(response)))
    assert found is not None
    session = found[1]
    assert (session.acr, session.amr, session.provider) == (PROOF.acr, PROOF.amr, "okta")
    assert (session.auth_time, session.ip) == (PROOF.auth_time, "203.0.113.9")
    (logged_in,) = events.of(LoggedIn)
    assert (logged_in.provider, logged_in.context.user_id) == ("okta", user.id)


@pytest.mark.parametrize("target", [None, "https://evil.example", "//evil.example", "/logout"])
async def test_it_leads_nowhere_but_to_our_own_paths(deps, add_user, target):
    user = await add_user()
    response = await open_session(deps, _request(), user, proof=PROOF, return_to=target)
    assert response.headers["location"] == "/account"


async def test_the_session_that_the_browser_had_ends(deps, add_user, clock, events):
    user = await add_user()
    first = await open_session(deps, _request(), user, proof=PROOF, return_to=None)
    second = await open_session(deps, _request(_secret(first)), user, proof=PROOF, return_to=None)
    assert _secret(first) != _secret(second)
    assert [one.reason for one in events.of(LoggedOut)] == ["replaced"]
    open_now = deps.database.read_now(
        lambda tx: list_sessions(tx, user.id, now=clock.now(), idle=3600)
    )
    assert len(open_now) == 1


async def test_an_account_disabled_meanwhile_gets_a_page_and_no_session(
    deps, add_user, clock, events
):
    user = await add_user()
    deps.database.run_now(
        lambda tx: disable_user(tx, "ada", reason="", now=clock.now(), context=ADMIN)
    )
    response = await open_session(deps, _request(), user, proof=PROOF, return_to=None)
    assert response.status_code == 403
    assert "set-cookie" not in response.headers
    assert [one.reason for one in events.of(LoginFailed)] == ["disabled"]
    assert events.of(LoggedIn) == []
