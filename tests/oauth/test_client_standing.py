"""Which clients there are, and turning one off and on."""

from dataclasses import replace

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import ClientDisabled, ClientEnabled
from remit.errors import ConflictError, NotFoundError
from remit.ids import AgentId, ClientId
from remit.model import ClientKind
from remit.oauth import client_store
from remit.oauth.client import ClientStatus
from remit.oauth.client_lookup import find_client
from remit.oauth.client_metadata import parse_registration
from remit.oauth.client_removal import remove_client
from remit.oauth.client_standing import (
    disable_client,
    enable_client,
    list_clients,
    note_client_use,
)
from remit.oauth.client_store import StoredClient, disabled_clients
from remit.oauth.errors import InvalidClientError

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))


def register(world, client_id="cli_1", **changes):
    metadata = parse_registration({"redirect_uris": ["http://localhost/callback"]}, schemes=())
    fields = {
        "client_id": ClientId(client_id),
        "kind": ClientKind.DYNAMIC,
        "agent_id": AgentId("support-assistant"),
        "name": "Registered",
        "metadata": metadata,
        "secret_digest": "d",
        "fingerprint": metadata.fingerprint,
        "created_at": world.clock.now(),
    }
    client = StoredClient(**(fields | changes))
    world.database.run_now(lambda tx: client_store.add_client(tx, client))


async def disable(world, client_id):
    await world.database.run(
        lambda tx: disable_client(
            tx,
            client_id,
            reason="stolen",
            catalog=world.directory.catalog,
            now=world.clock.now(),
            context=ADMIN,
        )
    )


async def enable(world, client_id):
    await world.database.run(lambda tx: enable_client(tx, client_id, reason="found", context=ADMIN))


def listed(world):
    return world.database.read_now(lambda tx: list_clients(tx, world.directory.catalog))


def disabled(world):
    return world.database.read_now(disabled_clients)


async def test_the_list_holds_the_clients_of_the_repository_and_those_that_came(world):
    register(world)
    assert [listing.client.client_id for listing in listed(world)] == [
        "billing:job",
        "desk",
        "reports",
        "cli_1",
    ]
    assert [listing.created_at for listing in listed(world)] == [
        None,
        None,
        None,
        world.clock.now(),
    ]


@pytest.mark.parametrize("client_id", ["cli_1", "desk"])
async def test_a_client_is_turned_off_and_on_again(world, client_id):
    register(world)
    await disable(world, client_id)
    assert disabled(world) == {client_id}
    assert await find_client(world.deps, client_id) is None
    (listing,) = [one for one in listed(world) if one.client.client_id == client_id]
    assert listing.disabled_at == world.clock.now()
    event = world.only(ClientDisabled)
    assert (event.reason, event.context.client_id) == ("stolen", client_id)
    assert event.context.agent_id == "support-assistant"
    assert event.context.actor.id == "root"
    await enable(world, client_id)
    assert disabled(world) == frozenset()
    assert (await find_client(world.deps, client_id)).client_id == client_id
    assert world.only(ClientEnabled).reason == "found"


async def test_a_change_that_was_made_already_is_a_conflict_and_no_event(world):
    register(world)
    with pytest.raises(ConflictError):
        await enable(world, "cli_1")
    await disable(world, "cli_1")
    with pytest.raises(ConflictError):
        await disable(world, "cli_1")
    assert world.kinds() == ["client.disabled"]


async def test_a_client_nobody_knows_cannot_be_changed(world):
    with pytest.raises(NotFoundError):
        await disable(world, "cli_unknown")
    with pytest.raises(NotFoundError):
        await enable(world, "desk")
    assert world.kinds() == []


async def test_no_client_is_turned_off_that_the_log_does_not_hold(world):
    register(world)
    world.audit.failing = True
    with pytest.raises(Exception, match="audit log"):
        await disable(world, "cli_1")
    assert disabled(world) == frozenset()


async def test_the_last_use_is_noted_once_a_minute_for_static_clients_too(world):
    register(world)
    started = world.clock.now()
    for seconds in (0, 59, 1, 59):
        world.clock.advance(seconds)
        for client_id in ("cli_1", "desk"):
            client = await find_client(world.deps, client_id)
            await world.database.run(
                lambda tx, client=client: note_client_use(tx, client, now=world.clock.now())
            )
    noted = {one.client.client_id: one.last_used_at for one in listed(world)}
    assert (noted["cli_1"], noted["desk"], noted["reports"]) == (started + 60, started + 60, None)
    assert (await find_client(world.deps, "desk")).redirect_uris == ("https://desk.example/cb",)


async def use(world, client):
    await world.database.run(lambda tx: note_client_use(tx, client, now=world.clock.now()))


async def test_a_client_that_was_removed_while_it_asked_is_not_stored_again(world):
    register(world)
    client = await find_client(world.deps, "cli_1")
    await world.database.run(
        lambda tx: remove_client(tx, "cli_1", reason="bad", now=world.clock.now(), context=ADMIN)
    )
    with pytest.raises(InvalidClientError):
        await use(world, client)
    assert world.database.read_now(lambda tx: client_store.select_client(tx, "cli_1")) is None


@pytest.mark.parametrize("client_id", ["cli_1", "desk"])
async def test_a_client_that_was_disabled_while_it_asked_gets_nothing(world, client_id):
    register(world)
    client = await find_client(world.deps, client_id)
    await disable(world, client_id)
    with pytest.raises(InvalidClientError):
        await use(world, client)
    await enable(world, client_id)
    await use(world, client)


@pytest.mark.parametrize("status", [ClientStatus.PENDING, ClientStatus.REJECTED])
async def test_a_client_that_is_not_admitted_any_more_gets_nothing(world, status):
    register(world, "cli_2", status=status)
    register(world)
    client = replace(await find_client(world.deps, "cli_1"), client_id=ClientId("cli_2"))
    with pytest.raises(InvalidClientError):
        await use(world, client)


async def test_a_row_that_says_nothing_is_no_client_and_can_be_removed(world):
    register(world, metadata=None)
    assert await find_client(world.deps, "cli_1") is None
    assert "cli_1" not in {one.client.client_id for one in listed(world)}
    await world.database.run(
        lambda tx: remove_client(tx, "cli_1", reason="empty", now=world.clock.now(), context=ADMIN)
    )
    assert world.database.read_now(client_store.select_clients) == ()
