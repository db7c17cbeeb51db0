"""Which grants there are, and how one ends."""

import asyncio
from dataclasses import replace

import pytest
from exchanges import employ, exchange
from flows import answer, offered

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import GrantRevoked
from remit.ids import GrantId
from remit.oauth import (
    GrantFilter,
    grant_store,
    list_grants,
    revoke_grant,
    revoke_grants,
    revoked,
    revoked_tokens,
)

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))


@pytest.fixture
async def tokens(server):
    return await server.granted()


def grants(server, **wanted):
    return server.database.read_now(lambda tx: list_grants(tx, GrantFilter(**wanted)))


async def end(server, grant_id, reason="left the company"):
    return await server.database.run(
        lambda tx: revoke_grant(tx, grant_id, reason=reason, at=server.clock.now(), context=ADMIN)
    )


async def test_a_grant_says_who_allowed_what_to_whom(server, tokens):
    (grant,) = grants(server)
    assert grant.client_id == grant.agent_id == "portal"
    assert grant.tenant == "acme"
    assert grant.scopes == ("crm:accounts.read", "crm:accounts.write")
    assert grant.resource == "https://remit.example/mcp/crm"
    assert grant.expires_at == grant.created_at + 30 * 86_400
    assert grant.is_live(server.clock.now())
    assert not grant.is_live(grant.expires_at)
    assert grants(server, user_id=grant.user_id) == (grant,)
    assert grants(server, client_id="one-shot") == ()


async def test_revoking_is_one_event_that_names_grant_and_admin(server, tokens):
    (grant,) = grants(server)
    ended = await end(server, grant.id)
    assert ended.revoked_at == server.clock.now()
    assert not ended.is_live(server.clock.now())
    (event,) = server.events(GrantRevoked)
    assert event.reason == "left the company"
    assert event.context.grant_id == grant.id
    assert event.context.user_id == grant.user_id
    assert event.context.agent_id == "portal"
    assert event.context.actor.id == "root"
    assert server.database.read_now(lambda tx: revoked(tx, server.clock.now())) == {grant.id}


async def test_revoking_again_or_nothing_records_nothing(server, tokens):
    (grant,) = grants(server)
    await end(server, grant.id)
    assert await end(server, grant.id) is None
    assert await end(server, GrantId("grt_unknown")) is None
    assert len(server.events(GrantRevoked)) == 1


async def test_everything_of_a_client_ends_and_nothing_else(server, tokens):
    browser = server.browser()
    page = await browser.to_consent(client_id="one-shot", redirect_uri="https://one.example/cb")
    answer(await browser.decide(page))
    ended = await server.database.run(
        lambda tx: revoke_grants(
            tx, GrantFilter(client_id="portal"), reason="x", at=server.clock.now(), context=ADMIN
        )
    )
    assert [grant.client_id for grant in ended] == ["portal"]
    live = grants(server, live_at=server.clock.now())
    assert [grant.client_id for grant in live] == ["one-shot"]


async def test_everything_of_a_person_ends_once(server, tokens):
    (grant,) = grants(server)
    wanted = GrantFilter(user_id=grant.user_id)

    async def end_all():
        return await server.database.run(
            lambda tx: revoke_grants(tx, wanted, reason="x", at=server.clock.now(), context=ADMIN)
        )

    assert len(await end_all()) == 1
    assert await end_all() == ()


async def test_after_a_revocation_the_person_is_asked_again(server, tokens):
    (grant,) = grants(server)
    browser = server.browser()
    assert "code" in answer(await browser.to_consent())
    await end(server, grant.id)
    page = await browser.follow(await browser.authorize())
    assert offered(page.text) == list(grant.scopes)


async def test_a_revocation_that_is_not_recorded_does_not_happen(server, tokens):
    (grant,) = grants(server)
    server.audit.failing = True
    with pytest.raises(Exception, match="audit log"):
        await end(server, grant.id)
    server.audit.failing = False
    assert (await server.refresh(tokens["refresh_token"])).status_code == 200


async def test_no_token_is_revoked_one_by_one_unless_it_was(server, tokens):
    assert server.database.read_now(lambda tx: revoked_tokens(tx, 0)) == {}


# -- cascades ---------------------------------------------------------------------


def exchanged(server, parent, name, **changes):
    """A grant as an exchange makes it from `parent`."""
    child = replace(parent, id=GrantId(f"grt_{name}"), parent_id=parent.id, **changes)
    server.database.run_now(lambda tx: grant_store.add_grant(tx, child))
    return child


@pytest.mark.parametrize("by", ["user_id", "client_id", "agent_id", "tenant"])
async def test_all_of_one_end_with_all_that_descends_from_them(server, tokens, by):
    (grant,) = grants(server)
    child = exchanged(server, grant, "child", client_id="other", agent_id="other", tenant="globex")
    grandchild = exchanged(server, child, "grandchild")
    ended = await server.database.run(
        lambda tx: revoke_grants(
            tx, GrantFilter(**{by: getattr(grant, by)}), reason="x", at=server.clock.now(),
            context=ADMIN,
        )
    )  # fmt: skip
    assert {one.id for one in ended} == {grant.id, child.id, grandchild.id}
    assert grants(server, live_at=server.clock.now()) == ()
    events = server.events(GrantRevoked)
    assert {event.context.grant_id for event in events} == {one.id for one in ended}
    assert events[0].reason == "x"


async def test_what_ended_by_itself_is_no_event_again(server, tokens):
    (grant,) = grants(server)
    child = exchanged(server, grant, "child")
    await end(server, child.id)
    await end(server, grant.id)
    assert [event.context.grant_id for event in server.events(GrantRevoked)] == [
        child.id,
        grant.id,
    ]


async def test_an_ended_grant_in_the_middle_protects_nothing_below_it(server, tokens):
    (grant,) = grants(server)
    child = exchanged(server, grant, "child", revoked_at=1, revoke_reason="long ago")
    grandchild = exchanged(server, child, "grandchild", revoked_at=None, revoke_reason=None)
    await end(server, grant.id)
    assert server.database.read_now(lambda tx: grant_store.find_grant(tx, grandchild.id)).revoked_at


async def test_a_refresh_while_its_grant_is_revoked_yields_nothing_that_lives(server, tokens):
    for _ in range(5):
        (grant,) = grants(server, live_at=server.clock.now())
        refreshed, ended = await asyncio.gather(
            server.refresh(tokens["refresh_token"]), end(server, grant.id)
        )
        assert ended is not None
        # Whatever order they came in: the token, if there is one, is of a grant that has ended.
        assert grant.id in server.database.read_now(lambda tx: revoked(tx, 0))
        if refreshed.status_code == 200:
            again = await server.refresh(refreshed.json()["refresh_token"])
            assert again.json()["error"] == "invalid_grant"
        else:
            assert refreshed.json()["error"] == "invalid_grant"
        tokens = await server.granted()


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_an_exchange_while_its_token_is_revoked_yields_nothing_that_lives(server, kind):
    employ(server)
    for _ in range(4):
        tokens = await server.granted()
        form = {"client_id": "portal", "token": tokens[kind]}
        answers = await asyncio.gather(
            exchange(server, tokens["access_token"]),
            server.browser().client.post("/revoke", data=form),
            exchange(server, tokens["access_token"]),
        )
        assert answers[1].status_code == 200
        live = grants(server, live_at=server.clock.now())
        assert [grant for grant in live if grant.parent_id is not None] == []
        assert (await exchange(server, tokens["access_token"])).status_code == 400
