"""A scope that people give to one call at a time is said by no token, however it is asked for."""

from dataclasses import replace

import pytest
from elevating import own_grant
from exchanges import GRANTS, SECRET, agent, claims_of, employ, exchange
from flows import CRM, answer, offered

from remit.audit.events import AuthorizationCodeIssued
from remit.model import AgentClass, ScopeDefinition

HIGH = "crm:accounts.export"
"""The portal, the server and the role of support have it: only that it is elevated stands in the way."""


@pytest.fixture(autouse=True)
def elevated(server):
    """The scope, as if its line in `scopes.yaml` said `elevated: true`."""
    scopes = {**server.catalog.scopes, HIGH: replace(server.catalog.scopes[HIGH], elevated=True)}
    roles = {
        name: replace(role, scopes=(*role.scopes, HIGH))
        for name, role in server.catalog.roles.items()
    }
    server.change_catalog(scopes=scopes, roles=roles)


def without_baseline(server):
    crm = replace(server.catalog.servers["crm"], baseline_scopes=())
    issuer = replace(server.catalog.issuer, default_scopes=())
    server.change_catalog(servers={**server.catalog.servers, "crm": crm}, issuer=issuer)


async def test_it_is_had_where_it_is_not_elevated(server):
    scopes = {**server.catalog.scopes, HIGH: replace(server.catalog.scopes[HIGH], elevated=False)}
    server.change_catalog(scopes=scopes)
    assert (await server.granted(scope=HIGH))["scope"] == HIGH


async def test_a_person_cannot_grant_it_and_reads_why(server):
    await server.add_user()
    browser = server.browser()
    page = await browser.to_consent(scope=f"crm:accounts.read {HIGH}")
    assert offered(page.text) == ["crm:accounts.read"]
    assert "given to one call at a time" in page.text
    code = answer(await browser.decide(page, scopes=["crm:accounts.read", HIGH]))["code"]
    assert (await server.redeem(code)).json()["scope"] == "crm:accounts.read"
    assert own_grant(server).scopes == ("crm:accounts.read",)
    assert f"{HIGH} (elevated)" in server.events(AuthorizationCodeIssued)[-1].withheld


async def test_a_client_that_follows_a_challenge_for_it_alone_keeps_what_it_starts_with(server):
    crm = replace(server.catalog.servers["crm"], baseline_scopes=("crm:accounts.read",))
    server.change_catalog(servers={**server.catalog.servers, "crm": crm})
    tokens = await server.granted(scope=HIGH)
    assert tokens["scope"] == "crm:accounts.read"


async def test_where_there_is_nothing_to_start_with_it_is_refused(server):
    without_baseline(server)
    await server.add_user()
    response = await server.browser().to_consent(scope=HIGH)
    assert answer(response)["error"] == "access_denied"


async def test_a_request_without_scopes_is_still_malformed_where_nothing_stands_in(server):
    without_baseline(server)
    await server.add_user()
    response = await server.browser().authorize(scope=None)
    assert answer(response)["error"] == "invalid_scope"


async def test_a_scope_that_covers_it_would_be_it_by_another_name(server):
    over = ScopeDefinition(name="crm:all.do", title="All", description="All.", covers=(HIGH,))
    portal = server.catalog.agents["portal"]
    server.change_catalog(
        scopes={**server.catalog.scopes, over.name: over},
        hierarchy={**server.catalog.hierarchy, over.name: frozenset({HIGH})},
        agents={
            **server.catalog.agents,
            "portal": replace(portal, scopes=(*portal.scopes, over.name)),
        },
        roles={
            name: replace(role, scopes=(*role.scopes, over.name))
            for name, role in server.catalog.roles.items()
        },
    )
    tokens = await server.granted(scope=f"crm:accounts.read {over.name}")
    assert tokens["scope"] == "crm:accounts.read"


async def test_a_scope_with_a_placeholder_is_elevated_whatever_fills_it(server):
    name = "tenant:reports.read.{organization_id}"
    one = replace(server.catalog.scopes[name], elevated=True)
    server.change_catalog(scopes={**server.catalog.scopes, name: one})
    await server.add_user()
    for asked in (name, "tenant:reports.read.acme"):
        page = await server.browser().to_consent(scope=f"crm:accounts.read {asked}")
        assert offered(page.text) == ["crm:accounts.read"]


async def test_a_refresh_cannot_name_it(server):
    tokens = await server.granted(scope=f"crm:accounts.read {HIGH}")
    refused = await server.refresh(tokens["refresh_token"], scope=HIGH)
    assert refused.json()["error"] == "invalid_scope"
    assert (await server.refresh(tokens["refresh_token"])).json()["scope"] == "crm:accounts.read"


async def test_a_grant_from_before_it_was_elevated_gives_it_no_more(server):
    ordinary = replace(server.catalog.scopes[HIGH], elevated=False)
    elevated = server.catalog.scopes
    server.change_catalog(scopes={**elevated, HIGH: ordinary})
    tokens = await server.granted(scope=f"crm:accounts.read {HIGH}")
    assert HIGH in tokens["scope"]
    server.change_catalog(scopes=elevated)
    assert (await server.refresh(tokens["refresh_token"])).json()["scope"] == "crm:accounts.read"


async def test_no_exchange_gives_it(server):
    employ(server)
    clerk = server.catalog.agents["clerk"]
    server.change_agent("clerk", scopes=(*clerk.scopes, HIGH))
    tokens = await server.granted(scope="crm:accounts.read")
    response = await exchange(server, tokens["access_token"])
    assert claims_of(server, response).scopes == ("crm:accounts.read",)
    refused = await exchange(server, tokens["access_token"], scope=HIGH)
    assert refused.status_code == 400


async def test_a_workload_has_it_no_more_than_a_person(server):
    worker = agent("worker", "crm:accounts.read", HIGH, agent_class=AgentClass.WORKLOAD)
    assert "client_credentials" in GRANTS
    server.change_catalog(agents={**server.catalog.agents, "worker": worker})
    own = {"client_id": "worker", "client_secret": SECRET, "resource": CRM}
    response = await server.token(
        grant_type="client_credentials", scope=f"crm:accounts.read {HIGH}", **own
    )
    assert response.status_code == 200, response.text
    assert response.json()["scope"] == "crm:accounts.read"


async def test_no_client_reads_of_it_in_the_metadata(server):
    response = await server.browser().client.get("/.well-known/oauth-authorization-server")
    supported = response.json()["scopes_supported"]
    assert HIGH not in supported
    assert "crm:accounts.read" in supported


async def test_no_client_can_ask_for_a_detail_of_an_elevation(server):
    await server.add_user()
    details = '[{"type": "remit_elevation", "locations": [], "tools": ["update_account"]}]'
    response = await server.browser().authorize(authorization_details=details)
    assert answer(response)["error"] == "invalid_authorization_details"
    metadata = await server.browser().client.get("/.well-known/oauth-authorization-server")
    assert metadata.json()["authorization_details_types_supported"] == ["mcp_tool_call"]
