"""Which agent a client is: by where its codes go, never by what it says."""

import pytest

from remit.model import ClientKind
from remit.registry import Suspension, agent_of_client, list_agents
from tests.registry.conftest import agent, catalog_of

STATIC, DOCUMENT, DYNAMIC = ClientKind.STATIC, ClientKind.METADATA_DOCUMENT, ClientKind.DYNAMIC


def _agent(catalog, kind, client_id="dyn_1", *redirect_uris: str) -> str:
    return agent_of_client(catalog, kind, client_id=client_id, redirect_uris=redirect_uris).id


def test_a_client_of_the_repository_is_the_agent_that_lists_it(catalog):
    assert _agent(catalog, STATIC, "billing") == "job"


def test_a_metadata_document_is_the_agent_that_lists_its_address(catalog):
    assert _agent(catalog, DOCUMENT, "https://ide.example/oauth/client.json") == "ide"


@pytest.mark.parametrize(
    "client_id",
    [
        "https://ide.example/oauth/client.json/",
        "https://ide.example/oauth/client.json?x",
        "https://IDE.example/oauth/client.json",
        "https://ide.example:443/oauth/client.json",
        "https://evil.example/oauth/client.json",
    ],
)
def test_another_spelling_of_a_document_is_another_client(catalog, client_id):
    assert _agent(catalog, DOCUMENT, client_id) == "unregistered"


@pytest.mark.parametrize("kind", [DOCUMENT, DYNAMIC])
def test_a_client_cannot_take_the_name_of_one_in_the_repository(catalog, kind):
    assert _agent(catalog, kind, "billing") == "unregistered"


def test_a_registered_client_cannot_take_the_address_of_a_document(catalog):
    assert _agent(catalog, DYNAMIC, "https://ide.example/oauth/client.json") == "unregistered"
    assert _agent(catalog, STATIC, "https://ide.example/oauth/client.json") == "unregistered"


@pytest.mark.parametrize(
    ("redirect_uris", "expected"),
    [
        (["https://support.example/cb"], "support"),
        (["http://127.0.0.1:33418/cb"], "support"),
        (["http://127.0.0.1:50000/cb"], "support"),
        (["http://127.0.0.1/cb"], "support"),
        (["http://[::1]:9/cb"], "support"),
        (["https://support.example/cb", "http://127.0.0.1:1/cb"], "support"),
        (["http://localhost:8080/desktop"], "desktop"),
        (["cursor://oauth/cb"], "desktop"),
    ],
)
def test_a_dynamic_client_is_the_agent_that_lists_all_of_its_redirect_uris(
    catalog, redirect_uris, expected
):
    assert _agent(catalog, DYNAMIC, "dyn_1", *redirect_uris) == expected


@pytest.mark.parametrize(
    "redirect_uris",
    [
        [],
        ["https://evil.example/cb"],
        ["https://support.example/cb", "https://evil.example/cb"],
        ["https://support.example:8443/cb"],
        ["https://support.example/cb/"],
        ["https://support.example/cb?x=1"],
        ["http://127.0.0.1:33418/other"],
        ["http://localhost:33418/cb"],
        ["http://127.0.0.1.evil.example:33418/cb"],
        ["http://127.0.0.1:33418@evil.example/cb"],
        ["http://127.0.0.1:123456/cb"],
        ["http://127.0.0.1:/cb"],
        ["HTTP://127.0.0.1:33418/cb"],
        ["https://127.0.0.1:33418/cb"],
        ["x http://127.0.0.1:33418/cb"],
        ["cursor://oauth:1/cb"],
    ],
)
def test_one_redirect_uri_that_is_not_listed_makes_a_client_unregistered(catalog, redirect_uris):
    assert _agent(catalog, DYNAMIC, "dyn_1", *redirect_uris) == "unregistered"


def test_redirect_uris_of_two_agents_do_not_add_up_to_either(catalog):
    uris = ("https://support.example/cb", "http://localhost/desktop")
    assert _agent(catalog, DYNAMIC, "dyn_1", *uris) == "unregistered"


def test_a_client_that_two_agents_claim_is_nobodys():
    uri = "https://shared.example/cb"
    catalog = catalog_of(
        agent("one", dynamic_redirect_uris=(uri,)), agent("other", dynamic_redirect_uris=(uri,))
    )
    assert _agent(catalog, DYNAMIC, "dyn_1", uri) == "unregistered"


def test_agents_are_listed_by_name_with_their_standing(catalog, clock):
    stopped = Suspension(
        agent_id="support", suspended_at=clock.now(), reason="odd", changed_by="root"
    )
    listing = list_agents(catalog, [stopped])
    assert [one.agent.id for one in listing] == [
        "desktop", "ide", "job", "support", "unregistered",
    ]  # fmt: skip
    assert [one.suspension for one in listing] == [None, None, None, stopped, None]
