"""One attempt to log in: counted first, so that many at once are many."""

import asyncio

import pytest

from remit.audit.context import Context, Network
from remit.audit.events import LoggedIn, LoginFailed
from remit.identity import BusyError, Passwords, disable_user
from remit.identity.login import FailureReason, LoggedInSession, LoginAttempt, LoginRefused, log_in
from tests.identity.conftest import ADMIN, PASSWORD


def _attempt(password: str = PASSWORD, username: str = "ada", ip: str = "203.0.113.7"):
    return LoginAttempt(
        username=username,
        password=password,
        previous=None,
        context=Context(network=Network(ip=ip)),
    )


async def test_twenty_guesses_at_once_are_five(deps, add_user, events):
    """Were they counted afterwards, all twenty would be tried before the first was known to fail."""
    await add_user()
    results = await asyncio.gather(*(log_in(deps, _attempt(f"guess {n}")) for n in range(20)))
    reasons = [one.reason for one in results if isinstance(one, LoginRefused)]
    assert reasons.count(FailureReason.WRONG_PASSWORD) == 5
    assert reasons.count(FailureReason.RESTING) == 15
    assert len(events.of(LoginFailed)) == 20


async def test_nothing_is_counted_against_a_person_while_everybody_logs_in(
    deps, add_user, monkeypatch
):
    await add_user()

    def busy() -> None:
        raise BusyError("busy")

    with monkeypatch.context() as patched:
        patched.setattr(deps.passwords, "refuse_when_busy", busy)
        for _ in range(10):
            with pytest.raises(BusyError):
                await log_in(deps, _attempt())
    assert isinstance(await log_in(deps, _attempt()), LoggedInSession)


async def test_the_right_password_among_guesses_does_not_undo_the_count(deps, add_user, clock):
    await add_user()
    for _ in range(5):
        await log_in(deps, _attempt("guess"))
    refused = await log_in(deps, _attempt())
    assert refused == LoginRefused(reason=FailureReason.RESTING)


async def test_a_success_starts_the_count_anew(deps, add_user):
    await add_user()
    for _ in range(3):
        for _ in range(4):
            await log_in(deps, _attempt("guess", ip="198.51.100.1"))
        assert isinstance(await log_in(deps, _attempt()), LoggedInSession)


async def test_an_account_disabled_while_its_password_is_checked_is_not_logged_in(
    deps, add_user, clock, events, monkeypatch
):
    await add_user()
    check = deps.passwords.check

    async def disable_meanwhile(password, stored):
        await deps.database.run(
            lambda tx: disable_user(tx, "ada", reason="", now=clock.now(), context=ADMIN)
        )
        return await check(password, stored)

    monkeypatch.setattr(deps.passwords, "check", disable_meanwhile)
    assert await log_in(deps, _attempt()) == LoginRefused(reason=FailureReason.DISABLED)
    assert events.of(LoggedIn) == []


async def test_a_hash_with_old_parameters_is_renewed_at_the_next_log_in(deps, add_user, database):
    await add_user()
    newer = Passwords(passes=2, memory_kib=16, lanes=1)
    stronger = type(deps)(
        database=deps.database,
        directory=deps.directory,
        clock=deps.clock,
        site=deps.site,
        passwords=newer,
    )
    assert isinstance(await log_in(stronger, _attempt()), LoggedInSession)
    stored = database.read_now(
        lambda tx: tx.connection.exec_driver_sql("SELECT password_hash FROM users").scalar()
    )
    assert ",t=2," in stored
    assert isinstance(await log_in(stronger, _attempt()), LoggedInSession)
    newer.close()


async def test_neither_result_nor_error_shows_the_password_or_the_sessions_secret(deps, add_user):
    await add_user()
    done = await log_in(deps, _attempt())
    assert isinstance(done, LoggedInSession)
    assert done.secret not in repr(done)
    assert PASSWORD not in repr(_attempt())
