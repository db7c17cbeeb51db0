"""What may be a password, and how it is kept."""

import asyncio
import time

import pytest

from remit.identity import BusyError, Passwords, WeakPasswordError

GOOD = "correct horse battery staple"


async def test_a_password_matches_its_hash_and_no_other(passwords):
    stored = await passwords.hash_new(GOOD, username="ada")
    assert await passwords.check(GOOD, stored)
    assert not await passwords.check(GOOD + "!", stored)
    assert not await passwords.check("", stored)


async def test_the_parameters_are_those_of_rfc_9106():
    strong = Passwords()
    stored = await strong.hash_new(GOOD, username="ada")
    strong.close()
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_the_same_password_is_never_hashed_the_same_way(passwords):
    hashes = [await passwords.hash_new(GOOD, username="ada") for _ in range(5)]
    assert len(set(hashes)) == 5


async def test_nobody_has_a_password(passwords):
    assert not await passwords.check(GOOD, None)
    assert not await passwords.check("", None)


async def test_a_password_of_nobody_costs_what_a_real_one_does():
    measured = Passwords(passes=2, memory_kib=16_384, lanes=1)
    stored = await measured.hash_new(GOOD, username="ada")

    async def fastest(against: str | None) -> float:
        times = []
        for _ in range(5):
            began = time.process_time()
            await measured.check("wrong password", against)
            times.append(time.process_time() - began)
        return min(times)

    known, unknown = await fastest(stored), await fastest(None)
    measured.close()
    assert 0.5 < unknown / known < 2


@pytest.mark.parametrize(
    ("chosen", "typed"),
    [
        ("Z\u00fcrich im Winter", "Zu\u0308rich im Winter"),
        ("code 12345 and more", "code \uff11\uff12\uff13\uff14\uff15 and more"),
    ],
    ids=["composed", "full width"],
)
async def test_a_password_typed_on_two_keyboards_is_one_password(passwords, chosen, typed):
    stored = await passwords.hash_new(chosen, username="ada")
    assert await passwords.check(typed, stored)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 12"),
        ("", "at least 12"),
        ("elevenchars", "at least 12"),
        ("x" * 257, "at most 256"),
        ("Ada@Example.Org", "user name"),
        ("abababababababab", "repeats"),
        ("aaaaaaaaaaaaaaaa", "repeats"),
    ],
)
async def test_a_weak_password_is_refused_and_not_repeated(passwords, password, said):
    with pytest.raises(WeakPasswordError, match=said) as raised:
        await passwords.hash_new(password, username="ada@example.org")
    assert not password or password not in raised.value.detail


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$broken", "$2b$12$" + "x" * 53])
async def test_a_hash_that_is_none_matches_nothing(passwords, stored):
    assert not await passwords.check(GOOD, stored)


async def test_a_hash_with_old_parameters_is_renewed(passwords):
    old = await passwords.hash_new(GOOD, username="ada")
    assert await passwords.renew(GOOD, old) is None
    newer = Passwords(passes=2, memory_kib=16, lanes=1)
    renewed = await newer.renew(GOOD, old)
    assert renewed is not None
    assert await newer.check(GOOD, renewed)
    assert await newer.renew(GOOD, renewed) is None
    newer.close()


async def test_a_log_in_that_would_have_to_wait_too_long_is_refused_beforehand(passwords):
    waiting = [asyncio.ensure_future(passwords.check(GOOD, None)) for _ in range(32)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        passwords.refuse_when_busy()
    await asyncio.gather(*waiting)
    passwords.refuse_when_busy()


async def test_when_too_many_wait_the_next_is_refused_at_once(passwords):
    results = await asyncio.gather(
        *(passwords.check(GOOD, None) for _ in range(40)), return_exceptions=True
    )
    assert [type(one) for one in results].count(BusyError) == 8
    assert not await passwords.check(GOOD, None)
