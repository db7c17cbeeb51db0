"""A log-in that is under way is used up once, by whoever it is for; an identity is one account's."""

import asyncio

import pytest

from remit.identity import provider_store
from remit.identity.provider_store import ExternalIdentity, PendingLogin


@pytest.fixture
def login(database, clock):
    now = clock.now()
    pending = PendingLogin(
        digest="state",
        browser_digest="browser",
        provider="corp",
        issuer="https://login.corp.example",
        nonce_digest="nonce",
        sealed_verifier="v1.x",
        return_to="/account",
        user_id=None,
        max_age=None,
        created_at=now,
        expires_at=now + 600,
    )
    database.run_now(lambda tx: provider_store.add_login(tx, pending, per_browser=8))
    return pending


def taking(clock, **changes):
    said = {"browser_digest": "browser", "provider": "corp", "now": clock.now()} | changes
    return lambda tx: provider_store.take_login(tx, "state", **said)


async def test_of_many_answers_at_once_one_counts(database, clock, login):
    taken = await asyncio.gather(*(database.run(taking(clock)) for _ in range(16)))
    assert [one for one in taken if one is not None] == [login]


@pytest.mark.parametrize("wrong", [{"browser_digest": "another"}, {"provider": "club"}])
def test_whom_it_is_not_for_cannot_use_it_up(database, clock, login, wrong):
    assert database.run_now(taking(clock, **wrong)) is None
    assert database.run_now(taking(clock)) == login


def test_what_expired_is_not_found_and_then_forgotten(database, clock, login):
    assert database.run_now(taking(clock, now=login.expires_at)) is None
    purge = provider_store.purge_provider_logins
    assert database.run_now(lambda tx: purge(tx, before=login.expires_at)) == 0
    assert database.run_now(lambda tx: purge(tx, before=login.expires_at + 1)) == 1


async def test_a_subject_is_one_account_however_many_claim_it_at_once(
    database, clock, add_user, deps
):
    users = [await add_user(f"user-{number}") for number in range(4)]
    identities = [
        ExternalIdentity(
            issuer="https://login.corp.example",
            subject="sub-1",
            provider="corp",
            user_id=user.id,
            roles=(),
            attributes={},
            created_at=clock.now(),
            last_login_at=None,
        )
        for user in users
    ]
    added = await asyncio.gather(
        *(
            database.run(lambda tx, one=one: provider_store.add_identity(tx, one))
            for one in identities
        )
    )
    assert sorted(added) == [False, False, False, True]
