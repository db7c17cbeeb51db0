"""What was used once: told apart by signer and `jti`, kept until it would have expired."""

import asyncio

import pytest

from remit.oauth.assertion_store import purge_expired_assertions, remember_once

NOW = 1_767_625_200


def once(database, issuer, jti, expires_at=NOW + 300):
    return database.run_now(lambda tx: remember_once(tx, issuer, jti, expires_at))


def test_the_first_use_is_the_only_one(database):
    assert once(database, "https://idp.example", "a")
    assert not once(database, "https://idp.example", "a")
    assert not once(database, "https://idp.example", "a", NOW + 900)


def test_signers_do_not_use_up_each_others_names(database):
    pairs = [
        ("a", "b"),
        ("b", "a"),
        ("ab", ""),
        ("", "ab"),
        ('a","b', ""),
        ("a", "B"),
        ("a\n", "b"),
    ]
    assert all(once(database, issuer, jti) for issuer, jti in pairs)
    assert not any(once(database, issuer, jti) for issuer, jti in pairs)


def test_what_is_undone_is_not_used_up(database):
    class RefusedError(Exception):
        pass

    def refuse(tx):
        assert remember_once(tx, "i", "j", NOW + 300)
        raise RefusedError

    with pytest.raises(RefusedError):
        database.run_now(refuse)
    assert once(database, "i", "j")


async def test_of_many_at_once_one_is_the_first(database):
    firsts = await asyncio.gather(
        *(database.run(lambda tx: remember_once(tx, "i", "j", NOW + 300)) for _ in range(8))
    )
    assert sorted(firsts) == [False] * 7 + [True]


def test_it_is_forgotten_a_minute_after_it_would_have_expired(database):
    once(database, "i", "j", NOW + 300)
    for before, gone in ((NOW + 300, 0), (NOW + 360, 0), (NOW + 361, 1)):
        purged = database.run_now(lambda tx: purge_expired_assertions(tx, before=before))  # noqa: B023
        assert purged == gone
    assert once(database, "i", "j")
