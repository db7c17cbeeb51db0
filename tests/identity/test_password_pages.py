"""Changing one's password."""

import pytest

from remit.audit.events import LoggedOut, PasswordChanged
from remit.identity import set_password
from tests.identity.conftest import ADMIN, PASSWORD, code_of

NEW = "seven small red boats"


@pytest.fixture
async def ada(browser, add_user):
    """The browser that Ada has just logged in with."""
    await add_user()
    await browser.log_in()
    return browser


async def _change(browser, old=PASSWORD, new=NEW, again=None):
    form = await browser.open("/account/password")
    given = {"new_password": new, "new_password_again": new if again is None else again}
    if old is not None:
        given["password"] = old
    return await browser.answer(form, "/account/password", **given)


async def test_the_old_password_gives_a_new_one_and_ends_every_other_session(
    ada, new_browser, events
):
    other = new_browser()
    await other.log_in()
    assert (await _change(ada)).headers["location"] == "/account#password"
    assert (await ada.open("/account")).status_code == 200
    assert (await other.open("/account")).status_code == 303
    assert (await other.log_in()).status_code == 403
    assert (await other.log_in(password=NEW)).is_redirect
    assert [one.by for one in events.of(PasswordChanged)] == ["person"]
    assert [one.reason for one in events.of(LoggedOut)] == ["password_changed"]
    assert NEW not in repr(events.recorded)


async def test_a_password_that_is_reset_meanwhile_is_not_changed_back(
    ada, deps, clock, events, monkeypatch
):
    reset = await deps.passwords.hash_new("another long pass phrase 9", username="ada")
    hash_new = deps.passwords.hash_new

    async def reset_meanwhile(new, *, username):
        await deps.database.run(
            lambda tx: set_password(tx, "ada", password_hash=reset, now=clock.now(), context=ADMIN)
        )
        return await hash_new(new, username=username)

    monkeypatch.setattr(deps.passwords, "hash_new", reset_meanwhile)
    assert (await _change(ada)).status_code == 403
    assert [one.by for one in events.of(PasswordChanged)] == ["administrator"]


async def test_without_the_old_password_nothing_changes_and_tries_are_counted(ada, events):
    for _ in range(5):
        refused = await _change(ada, old="a guess at the password")
        assert refused.status_code == 403
        assert NEW not in refused.text
    assert (await _change(ada)).status_code == 403  # the account rests
    assert events.of(PasswordChanged) == []


@pytest.mark.parametrize(
    ("new", "again", "says"),
    [
        ("short", None, "at least 12"),
        ("aaaaaaaaaaaaaaaa", None, "repeats"),
        ("x" * 300, None, "at most 256"),
        (NEW, "seven small red boat", "differ"),
        ("", None, "at least 12"),
    ],
)
async def test_a_password_that_will_not_do_is_refused_with_the_reason(
    ada, events, new, again, says
):
    refused = await _change(ada, new=new, again=again)
    assert refused.status_code == 400
    assert says in refused.text
    assert events.of(PasswordChanged) == []


async def test_a_recent_second_factor_stands_for_the_old_password(ada, clock, events):
    secret, _ = await ada.set_up_app(clock)
    await ada.log_out()
    clock.advance(30)
    step = await ada.follow(await ada.log_in())
    code = code_of(secret, clock.now())
    await ada.answer(step, "/login/step", kind="one_time_password", code=code)
    assert "Present password" not in (await ada.open("/account/password")).text
    assert (await _change(ada, old=None)).is_redirect
    clock.advance(600)
    assert (await ada.open("/account/password")).headers["location"].startswith("/login")


async def test_where_passwords_are_off_none_is_changed(ada, policy):
    form = await ada.open("/account/password")
    policy(passwords=False)
    assert (await ada.open("/account/password")).status_code == 404
    assert (await ada.answer(form, "/account/password", password=PASSWORD)).status_code == 404
