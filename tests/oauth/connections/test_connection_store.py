"""A request is used up once; tokens are replaced only where they are still those that were read."""

import asyncio
from dataclasses import replace

import pytest

from remit.ids import ClientId, ServerName
from remit.oauth import connection_store as store
from remit.oauth.connection_store import Connection, ConnectionRequest


@pytest.fixture
async def connection(server):
    user = await server.add_user()
    now = server.clock.now()
    kept = Connection(
        user_id=user.id,
        server=ServerName("crm"),
        issuer="https://accounts.vendor.example",
        scopes=("a", "b"),
        sealed_tokens="v1.first",
        created_at=now,
        updated_at=now,
        expires_at=None,
    )
    await server.database.run(lambda tx: store.keep_connection(tx, kept))
    return kept


async def test_of_many_answers_at_once_one_counts(server):
    now = server.clock.now()
    request = ConnectionRequest(
        digest="state",
        browser_digest="browser",
        user_id="usr_1",
        client_id=ClientId("portal"),
        server=ServerName("crm"),
        issuer="https://accounts.vendor.example",
        sealed_state="v1.x",
        created_at=now,
        expires_at=now + 600,
    )
    await server.database.run(lambda tx: store.add_connection_request(tx, request))

    def take(browser="browser", name="crm"):
        return lambda tx: store.take_connection_request(
            tx, "state", browser_digest=browser, server=name, now=now
        )

    assert await server.database.run(take(browser="another")) is None
    assert await server.database.run(take(name="payments")) is None
    taken = await asyncio.gather(*(server.database.run(take()) for _ in range(16)))
    assert [one for one in taken if one is not None] == [request]
    purge = store.purge_connection_requests
    assert await server.database.run(lambda tx: purge(tx, before=now + 601)) == 1


async def test_of_two_that_renew_one_keeps_what_it_got(server, connection):
    now = server.clock.now()

    def renew(sealed):
        return lambda tx: store.replace_tokens(
            tx, connection, sealed_tokens=sealed, expires_at=now + 60, now=now
        )

    renewed = await asyncio.gather(
        *(server.database.run(renew(f"v1.{number}")) for number in range(4))
    )
    assert sorted(renewed) == [False, False, False, True]


async def test_a_new_connection_takes_the_place_of_the_one_before(server, connection):
    other = replace(connection, sealed_tokens="v1.second", scopes=("c",), expires_at=7)
    await server.database.run(lambda tx: store.keep_connection(tx, other))
    found = await server.database.read(lambda tx: store.connections_of(tx, connection.user_id))
    assert found == (other,)


async def test_what_was_replaced_meanwhile_is_not_removed(server, connection):
    def remove(sealed):
        return lambda tx: store.remove_connection(
            tx, user_id=connection.user_id, server="crm", sealed_tokens=sealed
        )

    assert await server.database.run(remove("v1.other")) is None
    assert await server.database.run(remove("v1.first")) == connection
    assert await server.database.run(remove("v1.first")) is None
