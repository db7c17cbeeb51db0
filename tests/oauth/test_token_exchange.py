"""A token exchanged for a narrower one."""

import json
from dataclasses import replace

import pytest
from exchanges import ACCESS_TOKEN, JWT, SECRET, claims_of, employ, exchange, proof_of
from flows import ADMIN, CRM, ORIGIN, PAYMENTS, answer
from sqlalchemy import select

from remit.audit.events import GrantRevoked, GuardrailViolated, TokenIssued, TokenRefused
from remit.ids import GrantId
from remit.model import Sensitivity
from remit.oauth import grant_store, revoke_grant
from remit.testing.dpop import ProofKey
from remit.tokens import Delegate, mint

KEY = ProofKey()


@pytest.fixture
async def token(server):
    """Ada's token, of the portal."""
    employ(server)
    granted = await server.granted()
    server.audit.events.clear()
    return granted["access_token"]


def grants(server):
    statement = select(grant_store.grants).order_by(grant_store.grants.c.created_at)
    return server.database.read_now(lambda tx: tx.connection.execute(statement).all())


def children(server):
    return [row for row in grants(server) if row.parent_id is not None]


def read(server, token, audience=CRM):
    return server.deps.verifier.verify(token, audience=audience)


def altered(server, token, **changes):
    """The same token, with other claims, as only we could sign it."""
    return mint(server.deps.keys, replace(read(server, token), **changes))


async def refused(server, token, error, **changes):
    """It is refused with that code, by one event, and leaves no grant."""
    server.audit.events.clear()
    response = await exchange(server, token, **changes)
    assert (response.status_code, response.json()["error"]) == (400, error), response.text
    assert [type(one) for one in server.audit.events][-1] is TokenRefused
    assert children(server) == []
    return response.json()["error_description"]


# -- what comes of it ------------------------------------------------------------


async def test_another_agent_acts_for_the_same_person_with_less(server, token):
    response = await exchange(server, token)
    body, old, new = response.json(), read(server, token), claims_of(server, response)
    assert body["issued_token_type"] == ACCESS_TOKEN
    assert body["token_type"] == "Bearer"
    assert body["scope"] == "crm:accounts.read"
    assert "refresh_token" not in body
    assert (new.sub, new.organization_id, new.aud) == (old.sub, old.organization_id, old.aud)
    assert (new.client_id, new.agent_id) == ("clerk", "clerk")
    assert new.actors == (Delegate("clerk", "clerk"), Delegate("portal", "portal"))
    assert new.may_act == ("auditor",)
    assert new.exp <= old.exp
    assert (new.auth_time, new.acr, new.amr) == (old.auth_time, old.acr, old.amr)


async def test_it_is_a_child_of_the_grant_and_one_event(server, token):
    new = claims_of(server, await exchange(server, token))
    (child,) = children(server)
    parent = read(server, token).grant_id
    assert (child.id, child.parent_id, child.agent_id) == (new.grant_id, parent, "clerk")
    (event,) = server.audit.of(TokenIssued)
    assert event.parent_grant_id == parent
    assert event.actors == ("clerk", "portal")
    assert event.context.agent_id == "clerk"
    assert event.context.user_id == new.sub


async def test_the_same_exchange_again_descends_from_the_same_grant(server, token):
    first = claims_of(server, await exchange(server, token))
    second = claims_of(server, await exchange(server, token))
    assert first.jti != second.jti
    assert first.grant_id == second.grant_id
    assert len(children(server)) == 1


async def test_an_agent_narrows_its_own_token_without_acting_for_anybody(server, token):
    response = await exchange(
        server, token, client_id="portal", client_secret=None, scope="crm:accounts.read"
    )
    new = claims_of(server, response)
    assert new.actors == ()
    assert new.scopes == ("crm:accounts.read",)
    assert new.agent_id == "portal"


async def test_no_token_outlives_the_one_it_came_from(server, token):
    server.clock.advance(590)
    new = claims_of(server, await exchange(server, token))
    assert new.exp == read(server, token).exp


async def test_clearance_is_that_of_the_token_or_less(server, token):
    low = altered(server, token, sensitivity=Sensitivity.LOW)
    assert claims_of(server, await exchange(server, low)).sensitivity is Sensitivity.LOW
    server.change_agent("clerk", max_sensitivity=Sensitivity.MEDIUM)
    new = claims_of(server, await exchange(server, token))
    assert new.sensitivity is Sensitivity.MEDIUM


async def test_a_chain_grows_by_whoever_acts_and_ends_at_the_guardrail(server, token):
    first = (await exchange(server, token)).json()["access_token"]
    second = await exchange(server, first, client_id="auditor")
    new = claims_of(server, second)
    assert [one.agent_id for one in new.actors] == ["auditor", "clerk", "portal"]
    server.audit.events.clear()
    third = await exchange(server, second.json()["access_token"], client_id="archivist")
    assert third.json()["error"] == "invalid_request"
    (alert,) = server.audit.of(GuardrailViolated)
    assert alert.guardrail == "delegation_depth"


async def test_the_type_that_was_asked_for_is_what_the_answer_calls_it(server, token):
    response = await exchange(server, token, requested_token_type=JWT, subject_token_type=JWT)
    assert response.json()["issued_token_type"] == JWT


# -- who may ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": "abc"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        (
            {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
            "invalid_request",
        ),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token": "abc", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token": "abc"}, "invalid_request"),
        ({"client_id": "archivist"}, "invalid_request"),
        ({"client_id": "stranger", "client_secret": None}, "invalid_request"),
        ({"scope": "crm:accounts.write"}, "invalid_scope"),
        ({"scope": "crm:accounts.export"}, "invalid_scope"),
        ({"scope": "payments:invoices.read"}, "invalid_scope"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"resource": "https://elsewhere.example/mcp/crm"}, "invalid_target"),
        ({"resource": [CRM, PAYMENTS]}, "invalid_target"),
        ({"resource": CRM, "audience": "payments"}, "invalid_target"),
        ({"audience": "nothing"}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
    ],
    ids=str,
)
async def test_a_refusal_is_one_event_and_no_grant(server, token, changes, error):
    await refused(server, **{"token": token, "error": error} | _named(changes))


def _named(changes):
    """`exchange` takes the subject token by another name."""
    return {
        ("subject_token" if name == "token" else name): value for name, value in changes.items()
    }


async def test_an_agent_that_the_token_does_not_name_may_not_act(server, token):
    other = altered(server, token, may_act=("auditor",))
    await refused(server, other, "invalid_request")


async def test_an_agent_that_the_repository_no_longer_names_may_not_act(server, token):
    server.change_agent("portal", delegates=())
    await refused(server, token, "invalid_request")


async def test_a_public_client_proves_by_a_token_of_its_own_that_it_is_that_agent(server, token):
    fields = {"client_id": "stranger", "client_secret": None}
    description = await refused(server, token, "invalid_request", **fields)
    assert "proves who it is" in description
    browser = server.browser()
    page = await browser.to_consent(
        client_id="stranger", redirect_uri="https://stranger.example/cb", scope="crm:accounts.read"
    )
    redeemed = await server.redeem(
        answer(await browser.decide(page))["code"],
        client_id="stranger",
        redirect_uri="https://stranger.example/cb",
    )
    own = redeemed.json()["access_token"]
    fields |= {"actor_token": own, "actor_token_type": ACCESS_TOKEN}
    new = claims_of(server, await exchange(server, token, **fields))
    assert [one.agent_id for one in new.actors] == ["stranger", "portal"]


async def test_an_actor_token_is_the_clients_own_and_of_the_same_person(server, token):
    actor = {"actor_token_type": ACCESS_TOKEN}
    assert "another client" in await refused(
        server, token, "invalid_request", actor_token=token, **actor
    )
    foreign = altered(server, token, agent_id="clerk", client_id="clerk", sub="usr_other")
    assert "another person" in await refused(
        server, token, "invalid_request", actor_token=foreign, **actor
    )


async def test_an_agent_nobody_registered_acts_for_nobody(server, token):
    other = await server.register("https://other.example/cb", token_endpoint_auth_method="none")
    response = await exchange(server, token, client_id=other, client_secret=None)
    assert response.json()["error"] == "unauthorized_client"


# -- which tokens ----------------------------------------------------------------


async def test_an_expired_token_is_refused(server, token):
    server.clock.advance(600)
    await refused(server, token, "invalid_request")


async def test_a_token_of_an_ended_grant_is_refused(server, token):
    grant = read(server, token).grant_id
    # Standing was not read since: the database is what counts here.
    server.database.run_now(
        lambda tx: revoke_grant(tx, grant, reason="x", at=server.clock.now(), context=ADMIN)
    )
    await refused(server, token, "invalid_request")


async def test_a_token_that_was_revoked_by_itself_is_refused(server, token):
    response = await server.browser().client.post(
        "/revoke", data={"token": token, "client_id": "portal"}
    )
    assert response.status_code == 200
    await refused(server, token, "invalid_request")


async def test_a_suspended_agent_anywhere_stops_it(server, token):
    server.directory.publish(replace(server.directory.standing, suspended_agents={"portal"}))
    await refused(server, token, "invalid_request")
    server.directory.publish(replace(server.directory.standing, suspended_agents={"clerk"}))
    await refused(server, token, "invalid_request")


async def test_a_token_for_a_server_that_is_gone_is_refused(server, token):
    gone = altered(server, token, aud=f"{ORIGIN}/mcp/gone")
    await refused(server, gone, "invalid_request")


async def test_a_bound_token_is_exchanged_by_whoever_has_its_key(server, token):
    bound = altered(server, token, jkt=KEY.jkt)
    await refused(server, bound, "invalid_request")
    await refused(server, bound, "invalid_request", proof=proof_of(server, ProofKey()))
    response = await exchange(server, bound, proof=proof_of(server, KEY))
    assert response.json()["token_type"] == "DPoP"
    assert claims_of(server, response).jkt == KEY.jkt


async def test_where_a_key_is_required_an_exchange_needs_one(server, token):
    server.change_agent("clerk", dpop_required=True)
    await refused(server, token, "invalid_dpop_proof")


# -- which server ----------------------------------------------------------------


def share_scope(server):
    """Let a tool of `payments` need what the token has."""
    payments = server.catalog.servers["payments"]
    tool = replace(payments.tools["get_invoice"], scopes=("crm:accounts.read",))
    changed = replace(payments, tools={**payments.tools, "get_invoice": tool})
    server.change_catalog(servers={**server.catalog.servers, "payments": changed})


@pytest.mark.parametrize("named", [{"resource": PAYMENTS}, {"audience": "payments"}], ids=str)
async def test_another_server_may_be_had_where_the_agents_file_says_so(server, token, named):
    share_scope(server)
    new = claims_of(server, await exchange(server, token, **named), PAYMENTS)
    assert new.scopes == ("crm:accounts.read",)
    assert new.aud == PAYMENTS


async def test_another_server_is_refused_elsewhere(server, token):
    share_scope(server)
    server.change_agent("clerk", exchange_servers=())
    await refused(server, token, "invalid_target", resource=PAYMENTS)


async def test_a_server_gives_no_scope_that_the_token_did_not_have(server, token):
    await refused(server, token, "invalid_scope", resource=PAYMENTS)
    await refused(server, token, "invalid_scope", resource=PAYMENTS, scope="payments:invoices.read")


async def test_another_environment_is_never_reached(server, token):
    share_scope(server)
    elsewhere = replace(server.catalog.servers["payments"], environment="staging")
    server.change_catalog(servers={**server.catalog.servers, "payments": elsewhere})
    server.change_agent("clerk", environments=("prod", "staging"))
    await refused(server, token, "invalid_target", resource=PAYMENTS)


# -- what changes bites ----------------------------------------------------------


async def test_a_scope_the_first_agent_lost_is_not_passed_on(server, token):
    portal = server.catalog.agents["portal"]
    server.change_agent(
        "portal", scopes=tuple(one for one in portal.scopes if one != "crm:accounts.read")
    )
    await refused(server, token, "invalid_scope", scope="crm:accounts.read")


async def _second(server, token):
    """The clerk's token, made of the portal's."""
    return (await exchange(server, token)).json()["access_token"]


async def refused_at_any_length(server, token, error, **changes):
    """Neither the clerk nor the auditor gets one of that token; nothing is stored."""
    before = len(children(server))
    for client_id in ("clerk", "auditor"):
        response = await exchange(server, token, client_id=client_id, **changes)
        assert (response.status_code, response.json()["error"]) == (400, error), response.text
    assert len(children(server)) == before


async def test_a_scope_that_an_agent_before_lost_is_not_passed_on(server, token):
    second = await _second(server, token)
    server.change_agent("portal", scopes=("crm:accounts.write",))
    await refused_at_any_length(server, second, "invalid_scope", scope="crm:accounts.read")


async def test_a_chain_of_which_a_link_was_taken_out_of_the_repository_is_not_exchanged(
    server, token
):
    second = await _second(server, token)
    assert (await exchange(server, second, client_id="auditor")).status_code == 200
    server.change_agent("portal", delegates=("stranger",))
    await refused_at_any_length(server, second, "invalid_request")


async def test_a_chain_with_an_agent_that_is_declared_no_more_is_worth_nothing(server, token):
    second = await _second(server, token)

    async def active():
        asked = {"token": second, "client_id": "clerk", "client_secret": SECRET}
        return (await server.browser().client.post("/introspect", data=asked)).json()["active"]

    assert await active()
    agents = {name: one for name, one in server.catalog.agents.items() if name != "portal"}
    server.change_catalog(agents=agents)
    assert not await active()
    await refused_at_any_length(server, second, "invalid_request")


async def test_a_policy_may_say_no(server, token):
    server.change_policies(
        """@id("no-clerks") @refusal("no clerks here")
        forbid(principal, action == Remit::Action::"issue", resource)
        when { context.agent.id == "clerk" };"""
    )
    assert await refused(server, token, "invalid_request") == "no clerks here"


async def test_another_organisation_is_another_organisations(server, token):
    server.change_agent("clerk", tenants=("globex",))
    await refused(server, token, "invalid_request")


async def test_ending_the_grant_ends_what_was_made_of_it_at_any_depth(server, token):
    first = (await exchange(server, token)).json()["access_token"]
    second = claims_of(server, await exchange(server, first, client_id="auditor"))
    parent = read(server, token).grant_id
    server.audit.events.clear()
    server.database.run_now(
        lambda tx: revoke_grant(tx, parent, reason="stop", at=server.clock.now(), context=ADMIN)
    )
    await server.publish()
    ended = {one.id: one.revoke_reason for one in children(server)}
    assert ended == {
        read(server, first).grant_id: "parent_grant_ended",
        second.grant_id: "parent_grant_ended",
    }
    assert len(server.audit.of(GrantRevoked)) == 3
    assert set(ended) | {parent} == server.directory.standing.revoked_grants
    response = await exchange(server, first, client_id="auditor")
    assert response.json()["error"] == "invalid_request"


async def test_ending_a_child_leaves_its_parent(server, token):
    child = claims_of(server, await exchange(server, token)).grant_id
    server.database.run_now(
        lambda tx: revoke_grant(
            tx, GrantId(child), reason="stop", at=server.clock.now(), context=ADMIN
        )
    )
    response = await exchange(server, token)
    assert claims_of(server, response).grant_id != child


# -- a workload ------------------------------------------------------------------


async def test_a_workload_that_another_acts_for_stays_the_subject(server):
    employ(server)
    server.change_agent("billing-job", delegates=("clerk",))
    issued = await server.token(
        grant_type="client_credentials",
        client_id="billing-job",
        client_secret="billing-secret-of-tests",
        resource=PAYMENTS,
    )
    response = await exchange(server, issued.json()["access_token"])
    new = claims_of(server, response, PAYMENTS)
    assert (new.sub, new.agent_id) == ("billing-job", "clerk")
    assert [one.agent_id for one in new.actors] == ["clerk", "billing-job"]
    assert new.roles == ()
    (child,) = children(server)
    assert (child.kind, child.user_id) == ("workload", None)


# -- authorization details -------------------------------------------------------


def details(**constraints):
    return json.dumps(
        [{"type": "mcp_tool_call", "tools": ["get_account"], "constraints": constraints}]
    )


async def test_details_are_narrowed_and_never_widened(server, token):
    narrow = details(account_id={"equals": "acc-1"})
    response = await exchange(server, token, authorization_details=narrow)
    (held,) = claims_of(server, response).authorization_details
    assert held["locations"] == [CRM]
    assert response.json()["authorization_details"] == [held]
    bound = response.json()["access_token"]
    inherited = await exchange(server, bound, client_id="auditor")
    assert claims_of(server, inherited).authorization_details == (held,)
    wider = await exchange(
        server,
        bound,
        client_id="auditor",
        authorization_details=details(account_id={"pattern": "acc-*"}),
    )
    assert wider.json()["error"] == "invalid_authorization_details"


async def test_details_of_one_server_are_no_good_at_another(server, token):
    share_scope(server)
    bound = (await exchange(server, token, authorization_details=details())).json()["access_token"]
    server.change_agent("auditor", exchange_servers=("payments",))
    response = await exchange(server, bound, client_id="auditor", resource=PAYMENTS)
    assert response.json()["error"] == "invalid_target"
