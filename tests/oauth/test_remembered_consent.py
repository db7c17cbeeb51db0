"""What a person allowed and is not asked again, and taking it back."""

from dataclasses import replace

import pytest
from flows import ADMIN, CALLBACK, CRM, PAYMENTS, answer

from remit.audit.events import ConsentWithdrawn, GrantRevoked
from remit.errors import NotFoundError
from remit.ids import AgentId
from remit.oauth import RememberedConsent, list_consents, withdraw_consent


@pytest.fixture
async def ada(server):
    return await server.add_user()


def consents(server, user):
    return server.database.read_now(lambda tx: list_consents(tx, user.id))


def withdraw(server, user, client="portal", resource=CRM):
    wanted = RememberedConsent(user.id, client, resource)
    return server.database.run_now(
        lambda tx: withdraw_consent(tx, wanted, at=server.clock.now(), context=ADMIN)
    )


async def test_what_was_allowed_is_listed_newest_first_and_only_ones_own(server, ada):
    other = await server.add_user("bob")
    await server.code()
    server.clock.advance(5)
    await server.code(resource=PAYMENTS, scope="payments:invoices.read")
    listed = consents(server, ada)
    assert [one.resource for one in listed] == [PAYMENTS, CRM]
    assert listed[1].scopes == ("crm:accounts.read", "crm:accounts.write")
    assert consents(server, other) == ()


async def test_withdrawing_ends_the_grants_under_it_and_asks_again(server, ada):
    tokens = (await server.redeem(await server.code())).json()
    second = (await server.redeem(await server.code())).json()
    kept = await server.code(resource=PAYMENTS, scope="payments:invoices.read")
    server.audit.events.clear()
    assert len(withdraw(server, ada)) == 2
    assert len(server.audit.of(GrantRevoked)) == 2
    (event,) = server.audit.of(ConsentWithdrawn)
    assert (event.resource, event.grants, event.context.user_id) == (CRM, 2, ada.id)
    for one in (tokens, second):
        assert (await server.refresh(one["refresh_token"])).status_code == 400
    assert (await server.redeem(kept, resource=PAYMENTS)).status_code == 200
    assert [one.resource for one in consents(server, ada)] == [PAYMENTS]
    page = await server.browser().to_consent()
    assert 'name="scope"' in page.text


async def test_a_consent_that_is_not_there_cannot_be_withdrawn(server, ada):
    other = await server.add_user("bob")
    await server.code()
    server.audit.events.clear()
    for user, client, resource in (
        (other, "portal", CRM),
        (ada, "one-shot", CRM),
        (ada, "portal", PAYMENTS),
    ):
        with pytest.raises(NotFoundError):
            withdraw(server, user, client, resource)
    assert server.audit.events == []
    withdraw(server, ada)
    with pytest.raises(NotFoundError):
        withdraw(server, ada)


async def test_consent_is_per_client_and_per_server(server, ada):
    browser = server.browser()
    answer(await browser.decide(await browser.to_consent()))
    for changes in (
        {"client_id": "one-shot", "redirect_uri": "https://one.example/cb"},
        {"resource": PAYMENTS, "scope": "payments:invoices.read"},
    ):
        page = await browser.follow(await browser.authorize(**changes))
        assert page.url.path == "/authorize/continue"
    # AS-53: the same client on the same server is on the person's register, and is not asked.
    again = await browser.follow(await browser.authorize())
    assert again.headers["location"].startswith(CALLBACK)


async def test_consent_to_one_agent_is_none_to_another_that_has_its_client(server, ada):
    browser = server.browser()
    answer(await browser.decide(await browser.to_consent()))
    portal = server.catalog.agents["portal"]
    emptied = replace(portal, clients=replace(portal.clients, static=()))
    crawler = replace(portal, id=AgentId("night-crawler"), name="Night crawler")
    server.change_catalog(
        agents={**server.catalog.agents, "portal": emptied, "night-crawler": crawler}
    )
    page = await browser.follow(await browser.authorize())
    assert page.url.path == "/authorize/continue"
    assert "Night crawler" in page.text
