"""Whose passkey it is: each challenge answered once, each count higher than the one before."""

import asyncio

import pytest

from remit.audit.events import LoggedIn, LoginFailed
from remit.identity import disable_user
from tests.identity.authenticator import Authenticator
from tests.identity.conftest import ADMIN, options_in

LOGIN = "/login?return_to=/authorize"


@pytest.fixture
async def key(browser, add_user) -> Authenticator:
    """Ada's passkey; she is logged out."""
    await add_user()
    await browser.log_in()
    made = Authenticator()
    await browser.add_passkey(made)
    await browser.log_out()
    return made


async def _log_in(browser, page, answered):
    return await browser.answer(page, "/login/passkey", credential=answered)


async def test_an_answer_is_good_once_however_many_send_it(browser, key, events):
    page = await browser.open(LOGIN)
    answered = key.get(options_in(page))
    answers = await asyncio.gather(*(_log_in(browser, page, answered) for _ in range(6)))
    assert sorted(one.status_code for one in answers) == [303, 403, 403, 403, 403, 403]
    assert [one.reason for one in events.of(LoginFailed)] == ["wrong_passkey"] * 5


async def test_an_answer_stolen_by_another_browser_is_worth_nothing(browser, new_browser, key):
    page = await browser.open(LOGIN)
    answered = key.get(options_in(page))
    other = new_browser()
    theirs = await other.open(LOGIN)
    assert (await _log_in(other, theirs, answered)).status_code == 403
    assert (await _log_in(browser, page, answered)).is_redirect


async def test_the_first_page_that_a_browser_opens_here_is_good_enough(new_browser, key):
    newcomer = new_browser()
    page = await newcomer.open(LOGIN)
    assert (await _log_in(newcomer, page, key.get(options_in(page)))).is_redirect


async def test_a_challenge_of_an_old_page_is_refused_and_the_page_has_a_new_one(
    browser, key, clock
):
    page = await browser.open(LOGIN)
    answered = key.get(options_in(page))
    clock.advance(900)
    refused = await _log_in(browser, page, answered)
    assert refused.status_code == 403
    assert (await _log_in(browser, refused, key.get(options_in(refused)))).is_redirect


async def test_a_challenge_that_we_did_not_make_is_refused(browser, key):
    page = await browser.open(LOGIN)
    for challenge in ("AAAA", "djEuQUFBQQ", "A" * 100):
        answered = key.get({**options_in(page), "challenge": challenge})
        assert (await _log_in(browser, page, answered)).status_code == 403


async def test_a_challenge_for_making_a_passkey_does_not_log_in(browser, key):
    page = await browser.open(LOGIN)
    await _log_in(browser, page, key.get(options_in(page)))
    making = options_in(await browser.open("/account/passkeys/new"))
    await browser.log_out()
    page = await browser.open(LOGIN)
    assert (await _log_in(browser, page, key.get(making))).status_code == 403


@pytest.mark.parametrize("back", [1, 3])
async def test_a_count_that_did_not_grow_is_refused_and_recorded_as_a_copy(
    browser, key, events, back
):
    for _ in range(3):
        page = await browser.open(LOGIN)
        await _log_in(browser, page, key.get(options_in(page)))
        await browser.log_out()
    key.count -= back
    page = await browser.open(LOGIN)
    refused = await _log_in(browser, page, key.get(options_in(page)))
    assert refused.status_code == 403
    assert "remit_session" not in browser.client.cookies
    assert [one.reason for one in events.of(LoginFailed)] == ["passkey_copied"]


async def test_a_device_that_does_not_count_is_accepted_each_time(browser, add_user):
    await add_user()
    await browser.log_in()
    key = Authenticator(counts=False)
    await browser.add_passkey(key)
    for _ in range(3):
        await browser.log_out()
        page = await browser.open(LOGIN)
        assert (await _log_in(browser, page, key.get(options_in(page)))).is_redirect


async def test_a_disabled_account_is_not_told_from_an_unknown_passkey(
    browser, key, deps, clock, events
):
    deps.database.run_now(
        lambda tx: disable_user(tx, "ada", reason="", now=clock.now(), context=ADMIN)
    )
    page = await browser.open(LOGIN)
    disabled = await _log_in(browser, page, key.get(options_in(page)))
    page = await browser.open(LOGIN)
    unknown = await _log_in(browser, page, Authenticator().get(options_in(page)))
    assert disabled.status_code == unknown.status_code == 403
    assert [one.reason for one in events.of(LoginFailed)] == ["disabled", "wrong_passkey"]


async def test_an_address_that_tries_many_has_to_wait_and_others_do_not(
    browser, new_browser, key, events
):
    attacker = new_browser("198.51.100.9")
    for _ in range(30):
        page = await attacker.open(LOGIN)
        assert (
            await _log_in(attacker, page, Authenticator().get(options_in(page)))
        ).status_code == 403
    page = await attacker.open(LOGIN)
    waits = await _log_in(attacker, page, Authenticator().get(options_in(page)))
    assert waits.status_code == 429
    page = await browser.open(LOGIN)
    assert (await _log_in(browser, page, key.get(options_in(page)))).is_redirect
    assert len(events.of(LoggedIn)) == 2


async def test_wrong_passwords_from_the_same_address_do_not_block_a_passkey(browser, key):
    for number in range(31):
        await browser.log_in(f"user{number}", "not the password")
    assert (await browser.log_in()).status_code == 429
    page = await browser.open(LOGIN)
    assert (await _log_in(browser, page, key.get(options_in(page)))).is_redirect


async def test_a_form_from_elsewhere_is_refused_before_the_challenge_is_spent(browser, key, events):
    page = await browser.open(LOGIN)
    answered = key.get(options_in(page))
    events.recorded.clear()
    browser.headers["origin"] = "https://evil.example"
    assert (await _log_in(browser, page, answered)).status_code == 403
    assert events.recorded == []
    browser.headers["origin"] = "http://localhost:8000"
    assert (await _log_in(browser, page, answered)).is_redirect
