"""One attempt to log in: counted first, so that many at once are many."""

import asyncio
from dataclasses import replace

import pytest

from remit.audit.context import Context, Network
from remit.audit.events import LoggedIn, LoginFailed
from remit.identity import (
    ABSENT_PASSWORD,
    BusyError,
    Passwords,
    UserDetails,
    create_user,
    disable_user,
    set_password,
)
from remit.identity.login import (
    CheckedPassword,
    FailureReason,
    LoginAttempt,
    LoginRefused,
    check_password,
)
from tests.identity.conftest import ADMIN, PASSWORD


def _attempt(password: str = PASSWORD, username: str = "ada", ip: str = "203.0.113.7"):
    return LoginAttempt(
        username=username,
        password=password,
        context=Context(network=Network(ip=ip)),
    )


async def test_twenty_guesses_at_once_are_five(deps, add_user, events):
    """Were they counted afterwards, all twenty would be tried before the first was known to fail."""
    await add_user()
    results = await asyncio.gather(
        *(check_password(deps, _attempt(f"guess {n}")) for n in range(20))
    )
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
                await check_password(deps, _attempt())
    assert isinstance(await check_password(deps, _attempt()), CheckedPassword)


async def test_the_right_password_among_guesses_does_not_undo_the_count(deps, add_user, clock):
    await add_user()
    for _ in range(5):
        await check_password(deps, _attempt("guess"))
    refused = await check_password(deps, _attempt())
    assert refused == LoginRefused(reason=FailureReason.RESTING)


async def test_a_success_starts_the_count_anew(deps, add_user):
    await add_user()
    for _ in range(3):
        for _ in range(4):
            await check_password(deps, _attempt("guess", ip="198.51.100.1"))
        assert isinstance(await check_password(deps, _attempt()), CheckedPassword)


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
    assert await check_password(deps, _attempt()) == LoginRefused(reason=FailureReason.DISABLED)
    assert events.of(LoggedIn) == []


@pytest.mark.parametrize("renews", [False, True])
async def test_a_password_that_is_reset_while_it_is_checked_is_a_wrong_one(
    deps, add_user, clock, events, monkeypatch, renews
):
    await add_user()
    new = await deps.passwords.hash_new("another long pass phrase 9", username="ada")
    passwords = Passwords(passes=2, memory_kib=16, lanes=1) if renews else deps.passwords
    check = passwords.check

    async def reset_meanwhile(password, stored):
        right = await check(password, stored)
        await deps.database.run(
            lambda tx: set_password(tx, "ada", password_hash=new, now=clock.now(), context=ADMIN)
        )
        return right

    monkeypatch.setattr(passwords, "check", reset_meanwhile)
    refused = await check_password(replace(deps, passwords=passwords), _attempt())
    assert refused == LoginRefused(reason=FailureReason.WRONG_PASSWORD)
    assert events.of(LoginFailed)[-1].reason == "wrong_password"


async def test_a_hash_with_old_parameters_is_renewed_at_the_next_check_password(
    deps, add_user, database
):
    await add_user()
    newer = Passwords(passes=2, memory_kib=16, lanes=1)
    stronger = replace(deps, passwords=newer)
    assert isinstance(await check_password(stronger, _attempt()), CheckedPassword)
    stored = database.read_now(
        lambda tx: tx.connection.exec_driver_sql("SELECT password_hash FROM users").scalar()
    )
    assert ",t=2," in stored
    assert isinstance(await check_password(stronger, _attempt()), CheckedPassword)
    newer.close()


async def test_neither_result_nor_error_shows_the_password(deps, add_user):
    await add_user()
    assert PASSWORD not in repr(await check_password(deps, _attempt()))
    assert PASSWORD not in repr(_attempt())


@pytest.mark.parametrize("typed", ["none", ABSENT_PASSWORD, "", PASSWORD])
async def test_an_account_without_a_password_is_entered_with_none(deps, catalog, clock, typed):
    deps.database.run_now(
        lambda tx: create_user(
            tx,
            UserDetails(username="eve", tenant="acme"),
            password_hash=ABSENT_PASSWORD,
            catalog=catalog,
            now=clock.now(),
            context=ADMIN,
        )
    )
    refused = await check_password(deps, _attempt(typed, "eve"))
    assert refused == LoginRefused(reason=FailureReason.WRONG_PASSWORD)
