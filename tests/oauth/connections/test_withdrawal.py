"""A connection is taken away: gone here at once, revoked there where that is possible."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from remit.audit.events import ConnectionRemoved, GrantRevoked
from remit.errors import NotFoundError
from remit.identity import find_user
from remit.oauth.connections.tokens import NotConnectedError
from remit.oauth.connections.withdrawal import (
    connection_section,
    list_connections,
    withdraw_connection,
)
from remit.oauth.grant import GrantFilter
from remit.oauth.grant_revocation import list_grants
from remit.oauth.grant_store import add_grant
from tests.oauth.flows import ADMIN, ORIGIN


@pytest.fixture
async def ada(linked, vendor):
    """Ada, connected."""
    browser = linked.browser()
    response = await browser.decide(await browser.to_consent())
    callback, brought = vendor.authorize(response.headers["location"], set())
    await browser.client.get(f"{callback}?{urlencode(brought)}")
    users = {event.account_id for event in linked.audit.events if hasattr(event, "account_id")}
    (user_id,) = users
    return user_id


async def connections(linked, user_id):
    return await linked.database.read(lambda tx: list_connections(tx, user_id))


async def test_an_administrator_takes_a_connection_away(linked, vendor, tokens, crm, ada):
    await withdraw_connection(linked.deps, ada, "crm", reason="incident", context=ADMIN)
    (removed,) = linked.events(ConnectionRemoved)
    assert (removed.server, removed.reason) == ("crm", "incident")
    assert vendor.revoked == ["vendor-rt-1", "vendor-at-1"]
    assert await connections(linked, ada) == ()
    with pytest.raises(NotConnectedError):
        await tokens.connection_token(ada, crm())


async def test_a_connection_is_gone_here_though_the_third_party_does_not_answer(
    linked, vendor, ada
):
    vendor.is_down = True
    await withdraw_connection(linked.deps, ada, "crm", reason="incident", context=ADMIN)
    assert await connections(linked, ada) == ()


async def test_a_third_party_that_does_not_revoke_is_not_asked_to(linked, vendor, ada):
    vendor.metadata = {"revocation_endpoint": None}
    linked.clock.advance(86_401)
    await withdraw_connection(linked.deps, ada, "crm", reason="incident", context=ADMIN)
    assert vendor.revoked == []


@pytest.mark.parametrize("name", ["payments", "nothing"])
async def test_what_is_not_connected_cannot_be_taken_away(linked, ada, name):
    with pytest.raises(NotFoundError):
        await withdraw_connection(linked.deps, ada, name, reason="", context=ADMIN)
    assert linked.events(ConnectionRemoved) == []


async def test_a_person_sees_their_connections_and_takes_them_away(linked, vendor, ada):
    section = connection_section(linked.deps)
    user = await linked.database.read(lambda tx: find_user(tx, ada))
    (entry,) = await section.entries(user)
    assert entry.title == "Vendor"
    assert entry.facts[1] == "Allows: contacts.read contacts.write"
    await section.remove(user, entry.id, ADMIN)
    await section.remove(user, entry.id, ADMIN)
    assert await section.entries(user) == []
    assert len(linked.events(ConnectionRemoved)) == 1


async def test_a_person_cannot_take_away_what_is_another_persons(linked, ada):
    grace = await linked.add_user("grace")
    section = connection_section(linked.deps)
    await section.remove(grace, "crm", ADMIN)
    assert len(await connections(linked, ada)) == 1


async def test_with_a_connection_end_the_grants_of_its_server_and_no_others(linked, ada):
    grace = await linked.add_user("grace")

    def grants_of(user_id):
        return linked.database.read_now(lambda tx: list_grants(tx, GrantFilter(user_id=user_id)))

    def elsewhere(tx):
        (grant,) = list_grants(tx, GrantFilter(user_id=ada))
        add_grant(tx, replace(grant, id="grt_hers", user_id=grace.id))
        add_grant(tx, replace(grant, id="grt_other", resource=f"{ORIGIN}/mcp/payments"))
        return grant

    grant = linked.database.run_now(elsewhere)
    await withdraw_connection(linked.deps, ada, "crm", reason="person", context=ADMIN)
    ended = [one for one in grants_of(ada) if one.revoked_at is not None]
    assert [(one.id, one.revoke_reason) for one in ended] == [(grant.id, "connection_withdrawn")]
    assert all(one.revoked_at is None for one in grants_of(grace.id))
    (event,) = linked.events(GrantRevoked)
    assert (event.context.grant_id, event.reason) == (grant.id, "connection_withdrawn")
    assert grant.id in linked.directory.standing.revoked_grants  # told before it is answered


async def test_who_took_it_away_is_asked_again_on_our_own_page(linked, vendor, ada):
    await withdraw_connection(linked.deps, ada, "crm", reason="person", context=ADMIN)
    page = await linked.browser().to_consent()
    assert page.status_code == 200
    assert "Vendor" in page.text
