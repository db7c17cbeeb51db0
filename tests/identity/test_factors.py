"""What an administrator does to the factors of an account; what its person does is in test_factor_pages."""

import pytest

from remit.audit.events import LoggedOut, SecondFactorsReset
from remit.errors import NotFoundError
from remit.identity import factors_of, reset_factors
from tests.identity.authenticator import Authenticator
from tests.identity.conftest import ADMIN, code_of


async def test_a_reset_takes_every_factor_and_session_and_the_password_stays(
    browser, add_user, deps, clock, events
):
    user = await add_user()
    await browser.log_in()
    secret, codes = await browser.set_up_app(clock)
    await browser.add_passkey(Authenticator())
    deps.database.run_now(
        lambda tx: reset_factors(tx, "ada", reason="lost", now=clock.now(), context=ADMIN)
    )
    left = deps.database.read_now(lambda tx: factors_of(tx, user.id))
    assert (left.count, left.recovery_codes) == (0, 0)
    assert (await browser.open("/account")).status_code == 303
    assert [one.reason for one in events.of(SecondFactorsReset)] == ["lost"]
    assert [one.reason for one in events.of(LoggedOut)] == ["factors_reset"]
    assert (await browser.log_in()).headers["location"] == "/account"
    assert secret
    assert codes


async def test_a_reset_ends_the_log_in_that_waits_for_a_code(
    browser, new_browser, add_user, deps, clock
):
    await add_user()
    await browser.log_in()
    secret, _ = await browser.set_up_app(clock)
    clock.advance(60)
    waiting = new_browser()
    step = await waiting.follow(await waiting.log_in())
    deps.database.run_now(
        lambda tx: reset_factors(tx, "ada", reason="", now=clock.now(), context=ADMIN)
    )
    code = code_of(secret, clock.now())
    refused = await waiting.answer(step, "/login/step", kind="one_time_password", code=code)
    assert refused.status_code == 403
    assert "remit_session" not in waiting.client.cookies


def test_nobody_is_not_reset(deps, clock, events):
    with pytest.raises(NotFoundError):
        deps.database.run_now(
            lambda tx: reset_factors(tx, "nobody", reason="", now=clock.now(), context=ADMIN)
        )
    assert events.recorded == []
