"""What comes after the password: a second factor, a step-up, setting one up."""

from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.requests import Request

from remit.audit.events import (
    LoggedIn,
    LoggedOut,
    LoginFailed,
    OneTimePasswordsEnabled,
    PasskeyAdded,
    RecoveryCodesIssued,
    RecoveryCodeUsed,
)
from remit.identity import Proof, disable_user, open_session, pages, set_password
from tests.identity.authenticator import Authenticator
from tests.identity.conftest import (
    ADMIN,
    PASSWORD,
    code_of,
    hidden_fields,
    options_in,
    recovery_codes_in,
    secret_in,
)

MFA, PHR = "urn:remit:acr:mfa", "urn:remit:acr:phr"
WAITING = "/authorize?request=abc"
LOGIN = "/login?return_to=/authorize%3Frequest%3Dabc"


@pytest.fixture
async def with_app(browser, add_user, clock):
    """Ada, with an authenticator app and logged out; the secret, and her recovery codes."""
    await add_user()
    await browser.log_in()
    secret, codes = await browser.set_up_app(clock)
    await browser.log_out()
    clock.advance(60)
    return secret, codes


@pytest.fixture
async def with_passkey(browser, add_user, clock):
    """Ada, with a passkey and logged out."""
    await add_user()
    await browser.log_in()
    key = Authenticator()
    assert (await browser.add_passkey(key)).status_code == 200
    await browser.log_out()
    return key


async def _to_step(browser, path=LOGIN):
    step = await browser.follow(await browser.log_in(path=path))
    assert step.status_code == 200
    assert "One more step" in step.text
    return step


async def _give(browser, step, code, kind="one_time_password"):
    return await browser.answer(step, "/login/step", kind=kind, code=code)


async def test_an_account_with_an_app_is_asked_for_its_code_and_the_token_will_say_so(
    browser, with_app, clock, events
):
    step = await _to_step(browser)
    assert "remit_session" not in browser.client.cookies
    done = await _give(browser, step, code_of(with_app[0], clock.now()))
    assert (done.status_code, done.headers["location"]) == (303, WAITING)
    logged_in = events.of(LoggedIn)[-1]
    assert (logged_in.acr, logged_in.amr) == (MFA, ("pwd", "otp", "mfa"))


@pytest.mark.parametrize("later", [-1, 1])
async def test_the_code_before_and_the_one_after_are_taken(browser, with_app, clock, later):
    step = await _to_step(browser)
    assert (await _give(browser, step, code_of(with_app[0], clock.now(), later=later))).is_redirect


@pytest.mark.parametrize("later", [-2, 2])
async def test_codes_further_away_are_not(browser, with_app, clock, later):
    step = await _to_step(browser)
    refused = await _give(browser, step, code_of(with_app[0], clock.now(), later=later))
    assert refused.status_code == 403
    assert "remit_session" not in browser.client.cookies


async def test_a_code_is_good_once_even_in_another_log_in(browser, with_app, clock, events):
    code = code_of(with_app[0], clock.now())
    assert (await _give(browser, await _to_step(browser), code)).is_redirect
    again = await _to_step(browser)
    assert (await _give(browser, again, code)).status_code == 403
    earlier = code_of(with_app[0], clock.now(), later=-1)
    assert (await _give(browser, again, earlier)).status_code == 403
    assert events.of(LoginFailed)[-1].reason == "wrong_code"


async def test_a_step_belongs_to_the_browser_that_began_it(browser, new_browser, with_app, clock):
    step = await _to_step(browser)
    other = new_browser()
    await other.open()
    name = hidden_fields(step.text)["sign_in"]
    assert (await other.open(f"/login/step?sign_in={name}")).status_code == 403
    fields = {**hidden_fields((await other.open()).text), "sign_in": name}
    code = code_of(with_app[0], clock.now())
    stolen = await other.post("/login/step", {**fields, "kind": "one_time_password", "code": code})
    assert stolen.status_code == 403
    assert "remit_session" not in other.client.cookies


async def test_a_step_is_good_for_ten_minutes_and_once(browser, with_app, clock):
    step = await _to_step(browser)
    clock.advance(600)
    assert (await _give(browser, step, code_of(with_app[0], clock.now()))).status_code == 403
    step = await _to_step(browser)
    assert (await _give(browser, step, code_of(with_app[0], clock.now()))).is_redirect
    clock.advance(60)
    again = await _give(browser, step, code_of(with_app[0], clock.now()))
    assert again.status_code == 403
    assert "This log-in is over" in again.text


async def test_after_five_wrong_codes_the_account_waits_and_the_right_one_does_not_help(
    browser, new_browser, with_app, clock, events
):
    step = await _to_step(browser)
    for _ in range(5):
        assert (await _give(browser, step, "000000")).status_code == 403
    assert "This log-in is over" in (await _give(browser, step, "000000")).text
    elsewhere = new_browser("198.51.100.9")
    step = await _to_step(elsewhere)
    waits = await _give(elsewhere, step, code_of(with_app[0], clock.now()))
    assert waits.status_code == 429
    assert int(waits.headers["retry-after"]) <= 900
    assert events.of(LoginFailed)[-1].reason == "codes_resting"
    clock.advance(900)
    step = await _to_step(elsewhere)
    assert (await _give(elsewhere, step, code_of(with_app[0], clock.now()))).is_redirect


async def test_whoever_has_the_password_cannot_keep_the_owner_from_a_passkey(
    browser, new_browser, with_passkey, clock
):
    stranger = new_browser("198.51.100.9")
    for _ in range(3):
        step = await _to_step(stranger)
        for _ in range(5):
            await _give(stranger, step, "0000-0000-0000-0000", kind="recovery")
    page = await browser.open(LOGIN)
    answered = with_passkey.get(options_in(page))
    done = await browser.answer(page, "/login/passkey", credential=answered)
    assert done.headers["location"] == WAITING


async def test_a_recovery_code_stands_for_the_second_factor_once(browser, with_app, clock, events):
    code = with_app[1][3].upper().replace("-", " ")
    done = await _give(browser, await _to_step(browser), code, kind="recovery")
    assert done.is_redirect
    assert events.of(LoggedIn)[-1].acr == MFA
    assert [one.left for one in events.of(RecoveryCodeUsed)] == [9]
    await browser.log_out()
    again = await _give(browser, await _to_step(browser), code, kind="recovery")
    assert again.status_code == 403
    assert len(events.of(RecoveryCodeUsed)) == 1


async def test_a_recovery_code_of_another_account_is_worth_nothing(
    browser, new_browser, with_app, add_user, clock
):
    await add_user("bob")
    bob = new_browser()
    await bob.log_in("bob")
    _, codes = await bob.set_up_app(clock)
    refused = await _give(browser, await _to_step(browser), codes[0], kind="recovery")
    assert refused.status_code == 403


async def test_a_passkey_is_a_second_factor_and_the_strongest(browser, with_passkey, events):
    step = await _to_step(browser)
    answered = with_passkey.get(options_in(step))
    done = await browser.answer(step, "/login/step", kind="passkey", credential=answered)
    assert done.headers["location"] == WAITING
    logged_in = events.of(LoggedIn)[-1]
    assert (logged_in.acr, logged_in.amr) == (PHR, ("pwd", "hwk", "user", "mfa"))


async def test_somebody_elses_passkey_is_no_second_factor(
    browser, new_browser, with_passkey, add_user, events
):
    await add_user("eve")
    eve, key = new_browser(), Authenticator()
    await eve.log_in("eve")
    await eve.add_passkey(key)
    step = await _to_step(browser)
    refused = await browser.answer(
        step, "/login/step", kind="passkey", credential=key.get(options_in(step))
    )
    assert refused.status_code == 403
    assert "remit_session" not in browser.client.cookies
    assert events.of(LoginFailed)[-1].reason == "wrong_passkey"


async def test_an_answer_to_the_challenge_of_another_page_is_refused(browser, with_passkey):
    page = await browser.open(LOGIN)
    step = await _to_step(browser)
    answered = with_passkey.get(options_in(page))
    refused = await browser.answer(step, "/login/step", kind="passkey", credential=answered)
    assert refused.status_code == 403


async def test_a_factor_that_the_account_lacks_cannot_be_given(browser, with_passkey):
    step = await _to_step(browser)
    assert (await _give(browser, step, "123456")).status_code == 409
    assert (await _give(browser, step, "123456", kind="magic")).status_code == 409


async def test_an_account_disabled_between_the_steps_is_not_logged_in(
    browser, with_app, deps, clock
):
    step = await _to_step(browser)
    deps.database.run_now(
        lambda tx: disable_user(tx, "ada", reason="", now=clock.now(), context=ADMIN)
    )
    refused = await _give(browser, step, code_of(with_app[0], clock.now()))
    assert refused.status_code == 403
    assert "remit_session" not in browser.client.cookies


# -- stepping up a session -----------------------------------------------------


async def test_who_is_logged_in_with_a_password_sets_up_the_factor_that_is_asked_for(
    browser, add_user, asked, clock, events
):
    await add_user()
    await browser.log_in()
    before = browser.client.cookies["remit_session"]
    asked[WAITING] = MFA
    clock.advance(30)
    set_up = await browser.follow(await browser.follow(await browser.open(LOGIN)))
    assert "Set up a second factor" in set_up.text
    code = code_of(secret_in(set_up), clock.now())
    done = await browser.answer(set_up, "/login/set-up/code", code=code)
    assert len(recovery_codes_in(done)) == 10
    assert f'href="{WAITING}"' in done.text
    assert browser.client.cookies["remit_session"] != before
    assert [one.reason for one in events.of(LoggedOut)] == ["replaced"]
    assert (await browser.open(LOGIN)).status_code == 200  # nothing is missing now


async def test_a_step_up_asks_for_the_second_factor_alone_and_is_as_old_as_the_password(
    browser, with_passkey, asked, deps, clock, events
):
    page = await browser.open(LOGIN)
    # A session of two factors, which are not the passkey that waits.
    step = await _to_step(browser)
    codes = await _recovery_codes_anew(browser, with_passkey)
    await browser.log_out()
    step = await _to_step(browser)
    assert (await _give(browser, step, codes[0], kind="recovery")).is_redirect
    began = clock.now()
    clock.advance(300)
    asked[WAITING] = PHR
    step = await browser.follow(await browser.open(LOGIN))
    assert 'name="password"' not in step.text
    assert "One more step" in step.text
    answered = with_passkey.get(options_in(step))
    done = await browser.answer(step, "/login/step", kind="passkey", credential=answered)
    assert done.headers["location"] == WAITING
    assert events.of(LoggedIn)[-1].acr == PHR
    auth_time = deps.database.read_now(
        lambda tx: tx.connection.exec_driver_sql(
            "SELECT auth_time FROM sessions WHERE ended_at IS NULL"
        ).scalar()
    )
    assert auth_time == began
    assert page.status_code == 200


async def _recovery_codes_anew(browser, key):
    page = await browser.open("/login?return_to=/account")
    await browser.answer(page, "/login/passkey", credential=key.get(options_in(page)))
    account = await browser.open("/account")
    return recovery_codes_in(await browser.answer(account, "/account/recovery-codes"))


async def test_a_step_up_ends_with_the_session_it_began_in(browser, with_passkey, asked, clock):
    page = await browser.open(LOGIN)
    codes = await _recovery_codes_anew(browser, with_passkey)
    await browser.log_out()
    step = await _to_step(browser)
    await _give(browser, step, codes[0], kind="recovery")
    asked[WAITING] = PHR
    step = await browser.follow(await browser.open(LOGIN))
    await browser.log_out()
    answered = with_passkey.get(options_in(step))
    refused = await browser.answer(step, "/login/step", kind="passkey", credential=answered)
    assert refused.status_code == 403
    assert "remit_session" not in browser.client.cookies
    assert page.status_code == 200


async def _follow_all(browser, answer):
    while answer.is_redirect:
        answer = await browser.follow(answer)
    return answer


async def test_an_old_session_logs_in_anew_before_it_sets_up_a_factor(
    browser, add_user, asked, clock, events
):
    """Whoever finds a browser open would else make themselves the account's second factor."""
    await add_user()
    await browser.log_in()
    asked[WAITING] = MFA
    clock.advance(600)
    form = await _follow_all(browser, await browser.open(LOGIN))
    assert 'name="password"' in form.text
    fields = {**hidden_fields(form.text), "username": "ada", "password": PASSWORD}
    set_up = await _follow_all(browser, await browser.post("/login", fields))
    assert "Set up a second factor" in set_up.text
    code = code_of(secret_in(set_up), clock.now())
    done = await browser.answer(set_up, "/login/set-up/code", code=code)
    assert f'href="{WAITING}"' in done.text
    assert events.of(LoggedIn)[-1].acr == MFA


@pytest.mark.parametrize("path", ["/login/set-up/code", "/login/set-up/passkey"])
async def test_a_set_up_that_was_opened_in_time_is_not_finished_too_late(
    browser, add_user, asked, clock, events, path
):
    await add_user()
    await browser.log_in()
    asked[WAITING] = MFA
    clock.advance(599)
    set_up = await _follow_all(browser, await browser.open(LOGIN))
    clock.advance(1)
    code, key = code_of(secret_in(set_up), clock.now()), Authenticator()
    made = key.create(options_in(set_up))
    sent = await browser.answer(set_up, path, code=code, credential=made, name="x")
    assert sent.headers["location"].startswith("/login?other=1&return_to=")
    assert events.of(OneTimePasswordsEnabled) == events.of(PasskeyAdded) == []


async def test_an_old_session_that_the_policy_finds_too_weak_logs_in_anew_too(
    browser, add_user, policy, clock, events
):
    await add_user()
    await browser.log_in()
    policy(second_factor="required")
    clock.advance(600)
    for path in ("/login", LOGIN):
        step = await browser.follow(await browser.open(path))
        assert step.headers["location"].startswith("/login?other=1")
        name = parse_qs(urlsplit(str(step.url)).query)["sign_in"][0]
        set_up = await browser.open(f"/login/set-up?sign_in={name}")
        assert set_up.headers["location"].startswith("/login?other=1")
        assert 'name="password"' in (await browser.follow(set_up)).text
    assert events.of(OneTimePasswordsEnabled) == []


async def test_an_old_session_and_a_code_set_up_no_passkey(browser, with_app, asked, clock, events):
    step = await _to_step(browser)
    await _give(browser, step, code_of(with_app[0], clock.now()))
    asked[WAITING] = PHR
    clock.advance(600)
    step = await _follow_all(browser, await browser.open(LOGIN))
    given = await _give(browser, step, code_of(with_app[0], clock.now()))
    assert 'name="password"' in (await _follow_all(browser, given)).text


async def test_a_password_that_is_reset_before_the_log_in_is_done_opens_nothing(
    browser, add_user, deps, clock, events, monkeypatch
):
    """Between the check and the session: whoever has the old password is to be shut out."""
    await add_user()
    new = await deps.passwords.hash_new("another long pass phrase 9", username="ada")
    check = pages.check_password

    async def reset_afterwards(*given):
        checked = await check(*given)
        await deps.database.run(
            lambda tx: set_password(tx, "ada", password_hash=new, now=clock.now(), context=ADMIN)
        )
        return checked

    monkeypatch.setattr(pages, "check_password", reset_afterwards)
    assert (await browser.log_in()).status_code == 403
    assert "remit_session" not in browser.client.cookies
    assert events.of(LoggedIn) == []
    assert events.of(LoginFailed)[-1].reason == "wrong_password"


async def test_somebody_else_may_log_in_instead_of_stepping_up(browser, add_user, asked):
    await add_user()
    await browser.log_in()
    asked[WAITING] = MFA
    assert 'name="password"' in (await browser.open(f"{LOGIN}&other=1")).text


async def test_a_code_is_not_enough_where_a_passkey_is_asked_for_but_lets_one_be_set_up(
    browser, with_app, asked, clock, events
):
    asked[WAITING] = PHR
    step = await _to_step(browser)
    following = await _give(browser, step, code_of(with_app[0], clock.now()))
    assert following.headers["location"].startswith("/login/step")
    assert "remit_session" not in browser.client.cookies
    set_up = await browser.follow(await browser.follow(following))
    assert "authenticator app" not in set_up.text
    key = Authenticator()
    made = key.create(options_in(set_up))
    step = await browser.follow(
        await browser.answer(set_up, "/login/set-up/passkey", credential=made, name="key")
    )
    answered = key.get(options_in(step))
    done = await browser.answer(step, "/login/step", kind="passkey", credential=answered)
    assert done.headers["location"] == WAITING
    assert events.of(LoggedIn)[-1].acr == PHR


async def test_a_password_alone_does_not_set_up_another_factor_for_an_account_that_has_one(
    browser, with_app, asked
):
    asked[WAITING] = PHR
    step = await _to_step(browser)
    name = hidden_fields(step.text)["sign_in"]
    assert (await browser.open(f"/login/set-up?sign_in={name}")).status_code == 403
    key = Authenticator()
    made = key.create({"challenge": "AAAA", "user": {"id": "x"}})
    refused = await browser.answer(step, "/login/set-up/passkey", credential=made)
    assert refused.status_code == 403


# -- a second factor is required ------------------------------------------------


async def test_who_has_no_second_factor_sets_one_up_before_there_is_a_session(
    browser, add_user, policy, clock, events
):
    await add_user()
    policy(second_factor="required")
    set_up = await browser.follow(await browser.follow(await browser.log_in(path=LOGIN)))
    assert "Set up a second factor" in set_up.text
    assert "remit_session" not in browser.client.cookies
    assert (await browser.open("/account")).headers["location"].startswith("/login")
    wrong = await browser.answer(set_up, "/login/set-up/code", code="000000")
    assert wrong.status_code == 403
    assert secret_in(wrong) == secret_in(set_up)
    assert "remit_session" not in browser.client.cookies
    code = code_of(secret_in(set_up), clock.now())
    done = await browser.answer(wrong, "/login/set-up/code", code=code)
    assert len(recovery_codes_in(done)) == 10
    assert (await browser.open("/account")).status_code == 200
    assert events.of(LoggedIn)[-1].acr == MFA
    assert [len(events.of(kind)) for kind in (OneTimePasswordsEnabled, RecoveryCodesIssued)] == [
        1,
        1,
    ]


async def test_a_passkey_that_is_set_up_is_used_at_once(browser, add_user, policy, events):
    await add_user()
    policy(second_factor="required")
    set_up = await browser.follow(await browser.follow(await browser.log_in(path=LOGIN)))
    key = Authenticator(copied=True)
    made = key.create(options_in(set_up))
    kept = await browser.answer(set_up, "/login/set-up/passkey", credential=made, name="phone")
    assert len(recovery_codes_in(kept)) == 10
    assert "remit_session" not in browser.client.cookies
    (onward,) = [one for one in kept.text.split('"') if one.startswith("/login/step?")]
    step = await browser.open(onward)
    answered = key.get(options_in(step))
    done = await browser.answer(step, "/login/step", kind="passkey", credential=answered)
    assert done.headers["location"] == WAITING
    assert events.of(LoggedIn)[-1].amr == ("pwd", "swk", "user", "mfa")
    assert [one.name for one in events.of(PasskeyAdded)] == ["phone"]


async def test_a_session_of_a_password_alone_is_of_no_use_once_two_factors_are_required(
    browser, add_user, policy
):
    await add_user()
    await browser.log_in()
    assert (await browser.open("/account")).status_code == 200
    policy(second_factor="required")
    assert (await browser.open("/account")).status_code == 303


async def test_who_comes_from_a_provider_that_counts_as_a_password_adds_a_factor_of_ours(
    browser, add_user, deps, policy, clock, events
):
    user = await add_user()
    policy(second_factor="required")
    proof = Proof(acr="urn:remit:acr:pwd", amr=(), provider="okta")
    request = Request({"type": "http", "headers": []})
    opened = await open_session(deps, request, user, proof=proof, return_to=WAITING)
    browser.carry_session(opened.headers["set-cookie"].split(";")[0].partition("=")[2])
    await browser.open("/login?other=1")
    assert (await browser.open("/account")).headers["location"].startswith("/login")
    set_up = await browser.follow(await browser.follow(await browser.open(LOGIN)))
    code = code_of(secret_in(set_up), clock.now())
    assert (await browser.answer(set_up, "/login/set-up/code", code=code)).status_code == 200
    logged_in = events.of(LoggedIn)[-1]
    assert (logged_in.acr, logged_in.provider) == (MFA, "okta")


async def test_no_secret_of_a_factor_reaches_the_log(browser, with_app, clock, events):
    secret, codes = with_app
    code = code_of(secret, clock.now())
    await _give(browser, await _to_step(browser), code)
    written = repr(events.recorded)
    for one in (secret, PASSWORD, f"'{code}'", *codes):
        assert one not in written
