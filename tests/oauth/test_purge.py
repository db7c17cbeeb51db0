"""What is forgotten, and when."""

from sqlalchemy import func, select

from remit.oauth import purge_expired
from remit.oauth.credential_store import (
    authorization_codes,
    refresh_tokens,
    revoke_token,
    revoked_tokens_table,
)
from remit.oauth.grant_store import grants
from remit.oauth.request_store import authorization_requests

DAY = 86_400


def count(server, table):
    return server.database.read_now(
        lambda tx: tx.connection.scalar(select(func.count()).select_from(table))
    )


async def purge(server):
    return await server.database.run(lambda tx: purge_expired(tx, server.clock.now()))


async def test_what_expired_goes_a_day_later_and_grants_stay(server):
    await server.granted()
    expires = server.clock.now() + 600
    await server.database.run(lambda tx: revoke_token(tx, "at_1", expires_at=expires))
    assert await purge(server) == 0
    server.clock.advance(601)
    assert await purge(server) == 1
    assert count(server, authorization_requests) == 0
    server.clock.advance(DAY - 601 + 60)
    assert await purge(server) == 0
    server.clock.advance(1)
    assert await purge(server) == 1
    assert count(server, authorization_codes) == 0
    server.clock.advance(600)
    assert await purge(server) == 1
    assert count(server, revoked_tokens_table) == 0
    server.clock.advance(7 * DAY)
    assert await purge(server) == 1
    assert count(server, refresh_tokens) == 0
    assert count(server, grants) == 1


async def test_a_code_that_was_spent_is_still_known_within_the_day(server):
    await server.add_user()
    code = await server.code()
    await server.redeem(code)
    server.clock.advance(DAY)
    await purge(server)
    response = await server.redeem(code)
    assert response.json()["error"] == "invalid_grant"
    assert server.published == 1
