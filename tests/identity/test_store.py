"""The SQL of accounts and sessions, on both databases."""

from remit.identity.session import Session
from remit.identity.store import (
    add_session,
    credentials_of,
    end_sessions,
    note_session,
    session_with_digest,
    set_password_hash,
)


def _session(number: int, user_id: str) -> Session:
    return Session(
        id=f"ses_{number}",
        user_id=user_id,
        auth_time=100,
        acr="urn:remit:acr:pwd",
        amr=("pwd", "otp"),
        created_at=100,
        last_seen_at=100,
        expires_at=2**40,
    )


async def test_a_session_comes_back_as_it_was(database, add_user):
    session = _session(1, (await add_user()).id)
    database.run_now(lambda tx: add_session(tx, session, digest="d"))
    assert database.read_now(lambda tx: session_with_digest(tx, "d")) == session
    assert database.read_now(lambda tx: session_with_digest(tx, "D")) is None


async def test_a_session_is_never_seen_earlier_than_it_was(database, add_user):
    session = _session(1, (await add_user()).id)
    database.run_now(lambda tx: add_session(tx, session, digest="d"))
    for seen_at in (300, 200):
        database.run_now(lambda tx, at=seen_at: note_session(tx, session.id, seen_at=at))
    assert database.read_now(lambda tx: session_with_digest(tx, "d")).last_seen_at == 300


async def test_only_open_sessions_of_that_account_are_ended_and_only_once(database, add_user):
    ada, grace = (await add_user("ada")).id, (await add_user("grace")).id
    for number, user_id in enumerate((ada, ada, grace)):
        session = _session(number, user_id)
        database.run_now(lambda tx, s=session: add_session(tx, s, digest=s.id))
    ended = database.run_now(lambda tx: end_sessions(tx, at=200, user_id=ada))
    assert [one.id for one in ended] == ["ses_0", "ses_1"]
    assert {one.ended_at for one in ended} == {200}
    assert database.run_now(lambda tx: end_sessions(tx, at=300, user_id=ada)) == ()
    assert database.run_now(lambda tx: end_sessions(tx, at=300, digest="nothing")) == ()
    assert [one.id for one in database.run_now(lambda tx: end_sessions(tx, at=9, digest="ses_2"))]


async def test_a_hash_is_replaced_only_if_it_is_still_the_one_that_was_checked(database, add_user):
    user = await add_user()
    was = database.run_now(lambda tx: credentials_of(tx, "ada")).password_hash
    database.run_now(lambda tx: set_password_hash(tx, user.id, was="other", now="new"))
    assert database.run_now(lambda tx: credentials_of(tx, "ada")).password_hash == was
    database.run_now(lambda tx: set_password_hash(tx, user.id, was=was, now="new"))
    assert database.run_now(lambda tx: credentials_of(tx, "ada")).password_hash == "new"
