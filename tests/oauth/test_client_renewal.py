"""Documents of clients that only refresh: a key or redirect URI that was withdrawn ends what was granted."""

import json

import pytest

from remit.audit.events import GrantRevoked
from remit.oauth import client_store, renew_documents
from remit.oauth.client_lookup import find_client

NAMES = ("one", "two", "three")


def document(name, **changes):
    return {
        "client_id": f"https://client.example/{name}",
        "client_name": name,
        "redirect_uris": ["http://localhost/callback"],
        "token_endpoint_auth_method": "none",
    } | changes


def publish(world, name, *, status=200, **changes):
    body = json.dumps(document(name, **changes)).encode()
    return world.documents.serve(f"/{name}", body, status=status)


@pytest.fixture
async def known(world):
    """Three documents that were fetched an hour ago; the first two are in use."""
    for name in NAMES:
        url = publish(world, name)
        await find_client(world.deps, url)
        if name != "three":
            now = world.clock.now()
            world.database.run_now(
                lambda tx, url=url, now=now: client_store.note_use(tx, url, at=now)
            )
    world.documents.requests.clear()
    world.clock.advance(3_600)
    return world


def asked(world):
    return {head.split(" ")[1] for head in world.documents.requests}


async def test_what_is_stale_and_in_use_is_fetched_and_nothing_else(known):
    assert await renew_documents(known.deps) == 2
    assert asked(known) == {"/one", "/two"}
    assert await renew_documents(known.deps) == 0


async def test_a_change_ends_the_grants_of_a_client_that_only_refreshes(known):
    url = "https://client.example/one"
    grant = known.grant(url, agent_id="unregistered")
    known.grant("https://client.example/two", agent_id="unregistered")
    publish(known, "one", redirect_uris=["https://client.example/cb"])
    await renew_documents(known.deps)
    (ended,) = known.audit.of(GrantRevoked)
    assert (ended.context.grant_id, ended.reason) == (grant.id, "client_changed")
    assert known.published


async def test_a_document_that_cannot_be_had_changes_nothing_and_is_asked_again(known):
    known.grant("https://client.example/one", agent_id="unregistered")
    publish(known, "one", status=500)
    assert await renew_documents(known.deps) == 1
    assert known.audit.of(GrantRevoked) == []
    known.clock.advance(60)
    publish(known, "one")
    assert await renew_documents(known.deps) == 1


async def test_a_host_that_is_no_longer_admitted_is_not_asked(known):
    known.admit(metadata_documents=False)
    assert await renew_documents(known.deps) == 0
    assert asked(known) == set()


async def test_what_nobody_has_used_for_as_long_as_a_grant_lives_is_left_alone(known):
    known.clock.advance(known.directory.catalog.issuer.grant_lifetime)
    assert await renew_documents(known.deps) == 0
    assert asked(known) == set()
