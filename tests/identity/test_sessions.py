"""The sessions of an account, as an administrator lists and ends them."""

from remit.audit.events import LoggedOut
from remit.clock import Seconds
from remit.identity import end_all_sessions, end_session, list_sessions
from tests.identity.conftest import ADMIN

IDLE = Seconds(3600)


def _listed(deps, user, clock):
    return deps.database.read_now(lambda tx: list_sessions(tx, user.id, now=clock.now(), idle=IDLE))


async def test_a_session_says_where_it_was_opened(browser, add_user, deps, clock):
    user = await add_user()
    browser.client.headers["user-agent"] = "a browser\x07" + "x" * 500
    await browser.log_in()
    (session,) = _listed(deps, user, clock)
    assert session.ip == "203.0.113.7"
    assert session.user_agent is not None
    assert session.user_agent.startswith("a browserx")
    assert len(session.user_agent) == 256
    assert session.provider is None


async def test_those_past_a_limit_are_not_listed(browser, new_browser, add_user, deps, clock):
    user = await add_user()
    await browser.log_in()
    clock.advance(3599)
    await new_browser().log_in()
    assert len(_listed(deps, user, clock)) == 2
    clock.advance(1)
    assert len(_listed(deps, user, clock)) == 1


async def test_one_is_ended_once(browser, add_user, deps, clock, events):
    user = await add_user()
    await browser.log_in()
    (session,) = _listed(deps, user, clock)

    def end(tx):
        return end_session(tx, session.id, at=clock.now(), reason="seen", context=ADMIN)

    assert deps.database.run_now(end)
    assert not deps.database.run_now(end)
    (ended,) = events.of(LoggedOut)
    assert (ended.session_id, ended.reason) == (session.id, "seen")
    assert (ended.context.user_id, ended.context.tenant) == (user.id, "acme")
    assert (await browser.open("/account")).status_code == 303


async def test_all_of_one_person_are_ended_and_nobody_elses(
    browser, new_browser, add_user, deps, clock, events
):
    user = await add_user()
    await add_user("bob")
    bob = new_browser()
    await bob.log_in("bob")
    await browser.log_in()
    await new_browser().log_in()
    count = deps.database.run_now(
        lambda tx: end_all_sessions(tx, user.id, at=clock.now(), reason="x", context=ADMIN)
    )
    assert count == 2
    assert (await browser.open("/account")).status_code == 303
    assert (await bob.open("/account")).status_code == 200
    assert len(events.of(LoggedOut)) == 2


def test_a_session_that_is_not_there_is_not_ended(deps, clock, events):
    assert not deps.database.run_now(
        lambda tx: end_session(tx, "ses_no", at=clock.now(), reason="x", context=ADMIN)
    )
    assert events.recorded == []
