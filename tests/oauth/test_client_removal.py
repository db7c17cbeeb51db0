"""Clients that go: unused, past their lifetime, never approved, or at an administrator's word."""

from dataclasses import replace

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import ClientRemoved, GrantRevoked
from remit.errors import NotFoundError
from remit.model import Admission, AdmissionRule, ClientKind
from remit.oauth import (
    RemovalReason,
    client_store,
    list_clients,
    remove_client,
    remove_due_clients,
)
from remit.oauth.client_standing import disable_client

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))
CALLBACK = "http://localhost/callback"
DAY = 86_400
UNUSED = 90 * DAY


def change(server, **registration):
    server.change_catalog(registration=replace(server.catalog.registration, **registration))


def remove(server):
    """What the timer does; the identifiers that went."""
    gone = server.database.run_now(
        lambda tx: remove_due_clients(tx, server.catalog.registration, now=server.clock.now())
    )
    return {one.client_id for one in gone}


def listing(server, client_id):
    now = server.clock.now()
    listed = server.database.read_now(lambda tx: list_clients(tx, server.catalog, now=now))
    return next((one for one in listed if one.client.client_id == client_id), None)


async def use(server, client_id, **more):
    """The tokens of a person who allowed the client everything."""
    code = await server.code(
        client_id=client_id, redirect_uri=CALLBACK, scope="crm:accounts.read", **more
    )
    response = await server.redeem(code, client_id=client_id, redirect_uri=CALLBACK)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_client_nobody_used_goes_after_its_time_and_not_before(server):
    client_id = await server.register(CALLBACK)
    server.clock.advance(UNUSED - 1)
    assert remove(server) == set()
    server.clock.advance(1)
    assert remove(server) == {client_id}
    assert remove(server) == set()
    (event,) = server.events(ClientRemoved)
    assert (event.reason, event.context.client_id) == ("unused", client_id)
    assert event.context.actor.type is ActorType.SYSTEM


async def test_it_is_seen_before_it_goes(server):
    client_id = await server.register(CALLBACK)
    went = server.clock.now() + UNUSED
    server.clock.advance(UNUSED - 14 * DAY - 1)
    assert listing(server, client_id).removal_at is None
    server.clock.advance(1)
    seen = listing(server, client_id)
    assert (seen.removal_at, seen.removal_reason) == (went, RemovalReason.UNUSED)


async def test_a_client_in_use_is_never_removed_for_being_unused(server):
    await server.add_user()
    client_id = await server.register(CALLBACK)
    for _ in range(4):
        server.clock.advance(UNUSED - 1)
        await use(server, client_id)
        assert remove(server) == set()
    assert listing(server, client_id).removal_at is None


async def test_a_client_used_between_the_choice_and_the_removal_stays(server):
    """The statement that deletes asks once more."""
    client_id = await server.register(CALLBACK)
    server.clock.advance(UNUSED)
    now = server.clock.now()
    server.database.run_now(lambda tx: client_store.note_use(tx, client_id, at=now))
    assert remove(server) == set()


async def test_with_a_removed_client_go_its_grants_and_what_it_gets_is_invalid_client(server):
    await server.add_user()
    client_id = await server.register(CALLBACK)
    tokens = await use(server, client_id)
    change(server, unused_lifetime=DAY)
    server.clock.advance(DAY)
    assert remove(server) == {client_id}
    assert [one.reason for one in server.events(GrantRevoked)] == ["client_removed"]
    response = await server.refresh(tokens["refresh_token"], client_id=client_id)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    page = await server.browser().authorize(client_id=client_id, redirect_uri=CALLBACK)
    assert page.status_code == 400
    assert "invalid_client" in page.text
    again = await server.register(CALLBACK)
    assert again != client_id
    await use(server, again)


async def test_a_lifetime_ends_however_busy_the_client_is(server):
    rule = AdmissionRule(name="short", redirect_uris=(CALLBACK,), lifetime=3_600)
    change(server, rules=(rule,), removal_notice=600)
    await server.add_user()
    client_id = await server.register(CALLBACK)
    ends = server.clock.now() + 3_600
    server.clock.advance(2_999)
    assert listing(server, client_id).removal_at is None
    server.clock.advance(600)
    tokens = await use(server, client_id)
    seen = listing(server, client_id)
    assert (seen.removal_at, seen.removal_reason) == (ends, RemovalReason.LIFETIME)
    server.clock.advance(1)
    # It is over when it is over, not when the timer comes round.
    response = await server.refresh(tokens["refresh_token"], client_id=client_id)
    assert response.json()["error"] == "invalid_client"
    page = await server.browser().authorize(client_id=client_id, redirect_uri=CALLBACK)
    assert page.status_code == 400
    assert remove(server) == {client_id}
    assert server.events(ClientRemoved)[0].reason == "lifetime"
    assert len(server.events(GrantRevoked)) == 1


async def test_what_nobody_approves_in_a_week_goes(server):
    change(server, rules=(), otherwise=Admission.APPROVE)
    client_id = await server.register(CALLBACK)
    seen = listing(server, client_id)
    assert (seen.removal_at, seen.removal_reason) == (
        server.clock.now() + 7 * DAY, RemovalReason.NOT_APPROVED,
    )  # fmt: skip
    server.clock.advance(7 * DAY - 1)
    assert remove(server) == set()
    server.clock.advance(1)
    assert remove(server) == {client_id}
    assert server.events(ClientRemoved)[0].reason == "not_approved"


async def test_static_and_disabled_clients_stay(server):
    await server.granted()
    client_id = await server.register(CALLBACK)
    server.database.run_now(
        lambda tx: disable_client(
            tx,
            client_id,
            reason="odd",
            catalog=server.catalog,
            now=server.clock.now(),
            context=ADMIN,
        )
    )
    server.clock.advance(2 * UNUSED)
    assert remove(server) == set()
    kinds = {row.kind for row in server.database.read_now(client_store.select_clients)}
    assert kinds == {ClientKind.STATIC, ClientKind.DYNAMIC}
    assert listing(server, client_id).removal_at is None
    assert listing(server, "portal").removal_at is None


async def test_an_administrator_removes_a_client_with_a_word(server):
    await server.add_user()
    client_id = await server.register(CALLBACK)
    await use(server, client_id)

    def work(tx):
        return remove_client(
            tx, client_id, reason="not ours", now=server.clock.now(), context=ADMIN
        )

    assert server.database.run_now(work).client_id == client_id
    (event,) = server.events(ClientRemoved)
    assert (event.reason, event.context.actor.id) == ("not ours", "root")
    assert len(server.events(GrantRevoked)) == 1
    with pytest.raises(NotFoundError):
        server.database.run_now(work)


async def test_a_client_of_the_repository_is_removed_there_alone(server):
    await server.granted()
    with pytest.raises(NotFoundError):
        server.database.run_now(
            lambda tx: remove_client(
                tx, "portal", reason="x", now=server.clock.now(), context=ADMIN
            )
        )


async def test_nothing_goes_that_the_log_does_not_hold(server):
    client_id = await server.register(CALLBACK)
    server.clock.advance(UNUSED)
    server.audit.failing = True
    with pytest.raises(Exception, match="audit log"):
        remove(server)
    server.audit.failing = False
    assert listing(server, client_id) is not None
