"""Which client an identifier names, and in which order it is looked for."""

from dataclasses import replace

import pytest

from remit.ids import AgentId, ClientId
from remit.model import ClientKind, DocumentHost, RegistrationMode, StaticClient
from remit.oauth import client_store
from remit.oauth.client import AuthMethod, GrantType
from remit.oauth.client_lookup import find_client, known_client, static_client
from remit.oauth.client_metadata import parse_registration
from remit.oauth.client_store import StoredClient

URL = "https://client.example/meta"


def store(world, client_id, kind=ClientKind.DYNAMIC, **changes):
    metadata = parse_registration(
        {"redirect_uris": ["http://localhost/callback"], "token_endpoint_auth_method": "none"},
        schemes=(),
    )
    fields = {
        "client_id": ClientId(client_id),
        "kind": kind,
        "agent_id": AgentId("unregistered"),
        "name": "Stored",
        "metadata": metadata,
        "secret_digest": None,
        "fingerprint": metadata.fingerprint,
        "created_at": world.clock.now(),
    }
    row = StoredClient(**(fields | changes))
    world.database.run_now(lambda tx: client_store.add_client(tx, row))


@pytest.mark.parametrize("find", [find_client, known_client])
async def test_a_client_of_the_repository_is_what_the_repository_says(world, find):
    desk = await find(world.deps, "desk")
    assert desk.kind is ClientKind.STATIC
    assert desk.agent_id == "support-assistant"
    assert desk.redirect_uris == ("https://desk.example/cb",)
    assert desk.token_endpoint_auth_method is AuthMethod.NONE
    assert desk.may_use(GrantType.REFRESH_TOKEN)
    job = await find(world.deps, "billing:job")
    assert job.is_confidential
    assert job.secret_reference == "env:BILLING_SECRET"
    assert job.secret_digest is None


@pytest.mark.parametrize("find", [find_client, known_client])
@pytest.mark.parametrize("client_id", ["", "nobody", "DESK", "desk ", "cli_", "é", "x" * 5000])
async def test_an_unknown_identifier_names_nobody(world, find, client_id):
    assert await find(world.deps, client_id) is None


@pytest.mark.parametrize("find", [find_client, known_client])
async def test_a_registered_client_is_found_as_the_agent_it_is_today(world, find):
    store(world, "cli_1")
    assert (await find(world.deps, "cli_1")).agent_id == "support-assistant"
    world.declare(agents={})
    assert (await find(world.deps, "cli_1")).agent_id == "unregistered"


@pytest.mark.parametrize("find", [find_client, known_client])
async def test_the_repository_comes_before_the_store(world, find):
    store(world, "desk", name="Impostor")
    assert (await find(world.deps, "desk")).name == "Desk"


@pytest.mark.parametrize("find", [find_client, known_client])
async def test_a_disabled_client_is_nobody_wherever_it_comes_from(world, find):
    for client_id in ("cli_1", "desk", URL):
        store(world, client_id, disabled_at=world.clock.now())
        assert await find(world.deps, client_id) is None


@pytest.mark.parametrize("find", [find_client, known_client])
async def test_a_client_that_the_repository_no_longer_declares_is_nobody(world, find):
    store(world, "retired", kind=ClientKind.STATIC, metadata=None)
    assert await find(world.deps, "retired") is None


async def test_two_agents_that_declare_one_client_claim_nothing(world):
    agents = dict(world.directory.catalog.agents)
    first = agents[AgentId("support-assistant")]
    second = agents[AgentId("reports-job")]
    client = StaticClient(client_id="desk", name="Desk")
    agents[second.id] = replace(second, clients=replace(second.clients, static=(client,)))
    world.declare(agents={first.id: first, **agents})
    assert (await find_client(world.deps, "desk")).agent_id == "unregistered"


async def test_the_token_endpoint_never_makes_us_fetch_a_document(world):
    world.documents.serve("/meta", b"{}")
    assert await known_client(world.deps, URL) is None
    store(world, URL, kind=ClientKind.METADATA_DOCUMENT, fresh_until=world.clock.now())
    world.clock.advance(86_400)
    assert (await known_client(world.deps, URL)).name == "Stored"
    assert world.documents.requests == []


@pytest.mark.parametrize(
    "registration",
    [{"metadata_documents": False}, {"document_hosts": (DocumentHost(host="other.example"),)}],
)
async def test_a_document_that_is_no_longer_admitted_is_nobody_at_the_token_endpoint(
    world, registration
):
    store(world, URL, kind=ClientKind.METADATA_DOCUMENT)
    world.admit(**registration)
    assert await known_client(world.deps, URL) is None


async def test_clients_that_registered_stay_when_registration_closes(world):
    store(world, "cli_1")
    world.admit(mode=RegistrationMode.OFF)
    assert await find_client(world.deps, "cli_1") is not None


def test_renaming_a_static_client_asks_for_consent_again(world):
    before = static_client(world.directory.catalog, "desk")
    agents = dict(world.directory.catalog.agents)
    agent = agents[AgentId("support-assistant")]
    renamed = (replace(agent.clients.static[0], name="Another desk"),)
    agents[agent.id] = replace(agent, clients=replace(agent.clients, static=renamed))
    world.declare(agents=agents)
    assert static_client(world.directory.catalog, "desk").fingerprint != before.fingerprint
