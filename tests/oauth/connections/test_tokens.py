"""The token of a connection: given out while it holds, renewed once, and gone when it was taken away."""

import asyncio
from urllib.parse import urlencode

import pytest

from remit.audit.events import ConnectionRemoved
from remit.identity.accounts import disable_user
from remit.oauth import GrantFilter, connection_store, list_grants
from remit.oauth.connections.tokens import ConnectionUnavailableError, NotConnectedError
from tests.oauth.connections.conftest import declare
from tests.oauth.flows import ADMIN


@pytest.fixture
async def ada(linked, vendor):
    """Ada, connected."""
    browser = linked.browser()
    response = await browser.decide(await browser.to_consent())
    callback, brought = vendor.authorize(response.headers["location"], set())
    await browser.client.get(f"{callback}?{urlencode(brought)}")
    return browser, (await found(linked)).user_id


async def found(linked):
    def only(tx):
        users = {event.account_id for event in linked.audit.events if hasattr(event, "account_id")}
        rows = [connection_store.connections_of(tx, user) for user in users]
        return next((row[0] for row in rows if row), None)

    return await linked.database.read(only)


async def test_a_token_that_holds_is_given_out_as_it_is(tokens, crm, ada, vendor):
    assert await tokens.connection_token(ada[1], crm()) == "vendor-at-1"
    assert len(vendor.forms) == 1


async def test_a_token_is_renewed_a_minute_before_it_runs_out(linked, tokens, crm, ada, vendor):
    linked.clock.advance(3_600 - 60)
    assert await tokens.connection_token(ada[1], crm()) == "vendor-at-2"
    assert vendor.forms[-1] == {
        "grant_type": "refresh_token",
        "refresh_token": "vendor-rt-1",
        "resource": "https://api.vendor.example",
    }
    assert await tokens.connection_token(ada[1], crm()) == "vendor-at-2"


async def test_however_many_ask_at_once_it_is_renewed_once(linked, tokens, crm, ada, vendor):
    linked.clock.advance(3_600)
    asked = [tokens.connection_token(ada[1], crm()) for _ in range(8)]
    assert await asyncio.gather(*asked) == ["vendor-at-2"] * 8
    assert len(vendor.forms) == 2


async def test_a_refresh_token_that_is_not_replaced_stays(linked, tokens, crm, ada, vendor):
    vendor.answers = {"refresh_token": None}
    for number in (2, 3):
        linked.clock.advance(3_600)
        assert await tokens.connection_token(ada[1], crm()) == f"vendor-at-{number}"
        assert vendor.forms[-1]["refresh_token"] == "vendor-rt-1"


async def test_a_refusal_to_renew_ends_the_connection(linked, tokens, crm, ada, vendor):
    linked.clock.advance(3_600)
    vendor.refused = "invalid_grant"
    with pytest.raises(NotConnectedError):
        await tokens.connection_token(ada[1], crm())
    (removed,) = linked.events(ConnectionRemoved)
    assert removed.reason == "refused_by_third_party"
    assert await found(linked) is None


async def test_a_third_party_that_is_down_ends_nothing(linked, tokens, crm, ada, vendor):
    linked.clock.advance(3_600)
    vendor.is_down = True
    with pytest.raises(ConnectionUnavailableError):
        await tokens.connection_token(ada[1], crm())
    vendor.is_down = False
    linked.clock.advance(11)
    assert await tokens.connection_token(ada[1], crm()) == "vendor-at-2"


async def test_nobody_else_has_a_token_of_this_connection(linked, tokens, crm, ada):
    grace = await linked.add_user("grace")
    with pytest.raises(NotConnectedError):
        await tokens.connection_token(grace.id, crm())


async def test_tokens_moved_under_another_person_do_not_open(linked, tokens, crm, ada):
    grace = await linked.add_user("grace")
    mine = await found(linked)

    def steal(tx):
        stolen = connection_store.find_connection(tx, user_id=mine.user_id, server="crm")
        connection_store.keep_connection(
            tx,
            type(stolen)(
                **{name: getattr(stolen, name) for name in stolen.__slots__ if name != "user_id"},
                user_id=grace.id,
            ),
        )

    await linked.database.run(steal)
    with pytest.raises(NotConnectedError):
        await tokens.connection_token(grace.id, crm())


async def test_a_disabled_person_has_no_token(linked, tokens, crm, ada):
    now = linked.clock.now()
    await linked.database.run(
        lambda tx: disable_user(tx, ada[1], reason="left", now=now, context=ADMIN)
    )
    with pytest.raises(NotConnectedError):
        await tokens.connection_token(ada[1], crm())


async def test_a_server_that_moved_to_another_issuer_has_no_token(linked, tokens, crm, ada):
    party = crm().connection
    changed = type(party)(issuer="https://other.example", client_id=party.client_id)
    declare(linked, connection=changed)
    with pytest.raises(NotConnectedError):
        await tokens.connection_token(ada[1], crm())


async def test_a_token_that_was_turned_down_is_renewed_before_its_time(
    linked, tokens, crm, ada, vendor
):
    linked.clock.advance(120)
    assert await tokens.renewed_token(ada[1], crm(), refused="vendor-at-1") == "vendor-at-2"
    assert await tokens.connection_token(ada[1], crm()) == "vendor-at-2"


async def test_who_comes_with_an_older_token_gets_the_one_there_is(
    linked, tokens, crm, ada, vendor
):
    linked.clock.advance(120)
    asked = [tokens.renewed_token(ada[1], crm(), refused="vendor-at-1") for _ in range(8)]
    assert await asyncio.gather(*asked) == ["vendor-at-2"] * 8
    assert len(vendor.forms) == 2


async def test_a_token_that_is_new_is_not_renewed_for_whoever_refuses_everything(
    tokens, crm, ada, vendor
):
    assert await tokens.renewed_token(ada[1], crm(), refused="vendor-at-1") is None
    assert len(vendor.forms) == 1


async def test_a_connection_that_is_turned_down_and_cannot_be_renewed_ends(
    linked, tokens, crm, vendor
):
    vendor.answers = {"refresh_token": None}
    browser = linked.browser()
    response = await browser.decide(await browser.to_consent())
    callback, brought = vendor.authorize(response.headers["location"], set())
    await browser.client.get(f"{callback}?{urlencode(brought)}")
    person = (await found(linked)).user_id
    linked.clock.advance(120)
    with pytest.raises(NotConnectedError):
        await tokens.renewed_token(person, crm(), refused="vendor-at-1")
    (removed,) = linked.events(ConnectionRemoved)
    assert removed.reason == "run_out"
    assert await found(linked) is None


async def test_with_a_connection_end_the_grants_that_were_given_with_it(
    linked, tokens, crm, ada, vendor
):
    live = await linked.database.read(lambda tx: list_grants(tx, GrantFilter(user_id=ada[1])))
    assert [one.revoked_at for one in live] == [None]
    linked.clock.advance(3_600)
    vendor.refused = "invalid_grant"
    published = linked.published
    with pytest.raises(NotConnectedError):
        await tokens.connection_token(ada[1], crm())
    ended = await linked.database.read(lambda tx: list_grants(tx, GrantFilter(user_id=ada[1])))
    assert [one.revoke_reason for one in ended] == ["connection_withdrawn"]
    assert linked.published == published + 1
