"""Setting up and taking away second factors on the account page."""

import pytest

from remit.audit.events import (
    OneTimePasswordsDisabled,
    OneTimePasswordsEnabled,
    PasskeyAdded,
    PasskeyRemoved,
    RecoveryCodesIssued,
)
from remit.ids import digest
from tests.identity.authenticator import Authenticator, b64
from tests.identity.conftest import code_of, hidden_fields, options_in, recovery_codes_in, secret_in


@pytest.fixture
async def ada(browser, add_user):
    """The browser that Ada has just logged in with."""
    await add_user()
    await browser.log_in()
    return browser


@pytest.mark.parametrize("path", ["/account/passkeys/new", "/account/one-time-password"])
async def test_a_session_that_was_left_open_sets_nothing_up(ada, clock, path):
    clock.advance(600)
    answer = await ada.open(path)
    assert answer.headers["location"].startswith("/login?return_to=%2Faccount%2F")
    form = await ada.follow(answer)
    assert 'value="ada"' in form.text
    assert (await ada.log_in(path=answer.headers["location"])).headers["location"] == path


@pytest.mark.parametrize(
    "path",
    [
        "/account/passkeys",
        "/account/passkeys/remove",
        "/account/one-time-password",
        "/account/one-time-password/remove",
        "/account/recovery-codes",
    ],
)
async def test_a_session_that_was_left_open_changes_nothing(ada, clock, events, path):
    secret, _ = await ada.set_up_app(clock)
    fields = hidden_fields((await ada.open("/account")).text)
    events.recorded.clear()
    clock.advance(600)
    answer = await ada.post(path, {**fields, "code": code_of(secret, clock.now())})
    assert answer.headers["location"].startswith("/login")
    assert events.recorded == []


async def test_the_first_factor_brings_recovery_codes_and_the_second_none(ada, clock, events):
    _, codes = await ada.set_up_app(clock)
    assert len(set(codes)) == 10
    second = await ada.add_passkey(Authenticator())
    assert second.headers["location"] == "/account"
    assert [one.count for one in events.of(RecoveryCodesIssued)] == [10]
    assert len(events.of(OneTimePasswordsEnabled)) == 1
    page = await ada.open("/account")
    assert "10 left" in page.text
    assert codes[0] not in page.text


async def test_the_event_of_a_passkey_names_it_by_a_digest(ada, events):
    key = Authenticator()
    await ada.add_passkey(key, name="\tmy \x07key<b>" + "x" * 100)
    (added,) = events.of(PasskeyAdded)
    assert added.credential_digest == digest(b64(key.credential_id))
    assert added.name == ("my key<b>" + "x" * 100)[:60]
    assert "my key&lt;b&gt;" in (await ada.open("/account")).text


async def test_a_passkey_that_is_known_is_not_added_again(ada, new_browser, add_user, events):
    key = Authenticator()
    await ada.add_passkey(key)
    options = options_in(await ada.open("/account/passkeys/new"))
    assert [one["id"] for one in options["excludeCredentials"]] == [b64(key.credential_id)]
    assert (await ada.add_passkey(key)).status_code == 409
    await add_user("bob")
    bob = new_browser()
    await bob.log_in("bob")
    assert (await bob.add_passkey(key)).status_code == 409
    assert len(events.of(PasskeyAdded)) == 1


async def test_the_answer_to_a_passkey_page_is_good_once_and_for_its_account(
    ada, new_browser, add_user
):
    await add_user("bob")
    bob = new_browser()
    await bob.log_in("bob")
    form = await ada.open("/account/passkeys/new")
    made = Authenticator().create(options_in(form))
    theirs = await bob.open("/account/passkeys/new")
    assert (await bob.answer(theirs, "/account/passkeys", credential=made)).status_code == 403
    assert (await ada.answer(form, "/account/passkeys", credential=made)).status_code == 200
    again = Authenticator().create(options_in(form))
    assert (await ada.answer(form, "/account/passkeys", credential=again)).status_code == 409


async def test_a_wrong_code_sets_nothing_up_and_the_secret_stays(ada, clock, events):
    form = await ada.open("/account/one-time-password")
    refused = await ada.answer(form, "/account/one-time-password", code="000000")
    assert refused.status_code == 403
    assert secret_in(refused) == secret_in(form)
    assert events.of(OneTimePasswordsEnabled) == []
    code = code_of(secret_in(form), clock.now())
    assert (await ada.answer(refused, "/account/one-time-password", code=code)).status_code == 200


async def test_an_offer_is_good_for_its_account_and_a_quarter_of_an_hour(
    ada, new_browser, add_user, clock
):
    await add_user("bob")
    bob = new_browser()
    await bob.log_in("bob")
    mine, theirs = [await one.open("/account/one-time-password") for one in (ada, bob)]
    code = code_of(secret_in(mine), clock.now())
    offer = hidden_fields(mine.text)["offer"]
    swapped = await bob.answer(theirs, "/account/one-time-password", offer=offer, code=code)
    assert swapped.status_code == 403
    bare = await bob.answer(theirs, "/account/one-time-password", offer="v1.AAAA", code=code)
    assert bare.status_code == 403


async def test_a_second_app_is_refused_until_the_first_is_gone(ada, clock, events):
    await ada.set_up_app(clock)
    form = await ada.open("/account/one-time-password")
    code = code_of(secret_in(form), clock.now())
    refused = await ada.answer(form, "/account/one-time-password", code=code)
    assert refused.status_code == 409
    await ada.answer(await ada.open("/account"), "/account/one-time-password/remove")
    assert [one.by for one in events.of(OneTimePasswordsDisabled)] == ["person"]
    done = await ada.answer(form, "/account/one-time-password", code=code)
    assert len(recovery_codes_in(done)) == 10  # the old ones went with the last factor


async def test_new_recovery_codes_void_the_old(ada, clock, browser):
    _, old = await ada.set_up_app(clock)
    new = recovery_codes_in(await ada.answer(await ada.open("/account"), "/account/recovery-codes"))
    assert not set(new) & set(old)
    await ada.log_out()
    step = await ada.follow(await ada.log_in())
    assert (await ada.answer(step, "/login/step", kind="recovery", code=old[0])).status_code == 403
    assert (await ada.answer(step, "/login/step", kind="recovery", code=new[0])).is_redirect


async def test_without_a_factor_there_are_no_recovery_codes(ada, events):
    fields = hidden_fields((await ada.open("/account/password")).text)
    assert (await ada.post("/account/recovery-codes", fields)).status_code == 409
    assert events.of(RecoveryCodesIssued) == []


async def test_a_passkey_is_removed_by_its_person_alone(ada, new_browser, add_user, events):
    key = Authenticator()
    await ada.add_passkey(key)
    await add_user("bob")
    bob = new_browser()
    await bob.log_in("bob")
    name = b64(key.credential_id)
    fields = hidden_fields((await bob.open("/account")).text)
    await bob.post("/account/passkeys/remove", {**fields, "passkey": name})
    assert events.of(PasskeyRemoved) == []
    await ada.answer(await ada.open("/account"), "/account/passkeys/remove", passkey=name)
    assert len(events.of(PasskeyRemoved)) == 1
    assert "You have none" in (await ada.open("/account")).text


async def test_the_last_factor_stays_while_one_is_required(ada, clock, policy, events):
    key = Authenticator()
    await ada.add_passkey(key)
    page = await ada.open("/login?return_to=/account")
    await ada.answer(page, "/login/passkey", credential=key.get(options_in(page)))
    policy(second_factor="required")
    name = b64(key.credential_id)
    page = await ada.open("/account")
    kept = await ada.answer(page, "/account/passkeys/remove", passkey=name)
    assert kept.status_code == 409
    assert "only one" in kept.text
    await ada.set_up_app(clock)
    assert (await ada.answer(page, "/account/passkeys/remove", passkey=name)).is_redirect
    page = await ada.open("/account")
    assert (await ada.answer(page, "/account/one-time-password/remove")).status_code == 409
    assert len(events.of(PasskeyRemoved)) == 1
    assert events.of(OneTimePasswordsDisabled) == []


async def test_the_only_way_in_cannot_be_removed(ada, policy, events):
    key = Authenticator()
    await ada.add_passkey(key)
    policy(passwords=False)
    page = await ada.open("/account")
    name = b64(key.credential_id)
    refused = await ada.answer(page, "/account/passkeys/remove", passkey=name)
    assert refused.status_code == 409
    assert events.of(PasskeyRemoved) == []


async def test_an_account_has_twenty_passkeys_at_most(ada):
    for _ in range(20):
        await ada.add_passkey(Authenticator())
    assert (await ada.add_passkey(Authenticator())).status_code == 409
