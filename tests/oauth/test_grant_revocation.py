"""Which grants there are, and how one ends."""

import pytest
from flows import answer, offered

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import GrantRevoked
from remit.ids import GrantId
from remit.oauth import (
    GrantFilter,
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
