"""A token of our own for a server behind: narrower than the caller's, and good for nothing here."""

from dataclasses import replace

import pytest
from flows import CRM

from remit.audit.events import TokenIssued
from remit.audit.port import AuditUnavailableError
from remit.ids import ScopeName
from remit.model import ExchangedCredential
from remit.oauth.onward_token import ACTOR, NoOnwardTokenError, issue_onward_token
from remit.tokens.claims import InvalidTokenError
from remit.tokens.verify import TokenVerifier

BEHIND = "https://crm.internal.example/mcp"
READ, WRITE = ScopeName("crm:accounts.read"), ScopeName("crm:accounts.write")


def to(*scopes: str, audience: str = BEHIND) -> ExchangedCredential:
    return ExchangedCredential(audience=audience, scopes=tuple(map(ScopeName, scopes)))


@pytest.fixture
async def caller(server):
    """The verified token of a call."""
    body = await server.granted()
    return server.deps.verifier.verify(body["access_token"], audience=CRM)


@pytest.fixture
def read(server):
    """What the server behind learns from a token, with the published keys."""

    def verified(signed):
        return TokenVerifier(server.deps.keys, server.deps.public_url, server.clock).verify(
            signed, audience=BEHIND
        )

    return verified


async def test_it_says_who_is_behind_the_call_and_that_remit_acts(server, caller, read):
    onward = read((await issue_onward_token(server.deps, to(READ), caller)).signed)
    assert (onward.sub, onward.agent_id, onward.client_id, onward.grant_id) == (
        caller.sub,
        caller.agent_id,
        caller.client_id,
        caller.grant_id,
    )
    assert [one.agent_id for one in onward.actors] == [ACTOR, caller.agent_id]
    assert onward.jti != caller.jti
    assert (onward.may_act, onward.jkt) == ((), None)


async def test_it_holds_what_both_sides_allow_and_no_more(server, caller, read):
    assert set(caller.scopes) >= {READ}
    onward = read((await issue_onward_token(server.deps, to(READ), caller)).signed)
    assert onward.scopes == (READ,)
    narrow = replace(caller, scopes=(READ,))
    onward = read((await issue_onward_token(server.deps, to(READ, WRITE), narrow)).signed)
    assert WRITE not in onward.scopes


async def test_it_lives_a_minute_and_never_longer_than_the_callers(server, caller, read):
    now = server.clock.now()
    assert (await issue_onward_token(server.deps, to(READ), caller)).expires_at == now + 60
    dying = replace(caller, exp=now + 7)
    assert (await issue_onward_token(server.deps, to(READ), dying)).expires_at == now + 7


async def test_it_opens_nothing_here(server, caller):
    signed = (await issue_onward_token(server.deps, to(READ), caller)).signed
    with pytest.raises(InvalidTokenError):
        server.deps.verifier.verify(signed, audience=CRM)


async def test_it_is_in_the_log_under_the_grant_it_came_of(server, caller):
    await issue_onward_token(server.deps, to(READ), caller)
    event = server.events(TokenIssued)[-1]
    assert (event.resource, event.granted, event.grant_type) == (
        BEHIND,
        (READ,),
        "urn:ietf:params:oauth:grant-type:token-exchange",
    )
    assert event.context.grant_id == caller.grant_id
    assert event.actors[0] == ACTOR


async def test_what_is_not_in_the_log_is_not_issued(server, caller):
    class Full:
        async def append(self, _event):
            raise AuditUnavailableError("the log is full")

    with pytest.raises(AuditUnavailableError):
        await issue_onward_token(replace(server.deps, audit=Full()), to(READ), caller)


@pytest.mark.parametrize("path", ["", "/mcp/crm", "/api/v1"])
async def test_an_audience_that_is_this_remit_is_refused(server, caller, path):
    audience = f"{server.deps.public_url}{path}"
    with pytest.raises(NoOnwardTokenError, match="this Remit"):
        await issue_onward_token(server.deps, to(READ, audience=audience), caller)


async def test_who_holds_none_of_the_scopes_gets_none(server, caller):
    nothing = replace(caller, scopes=())
    with pytest.raises(NoOnwardTokenError, match="none of the scopes"):
        await issue_onward_token(server.deps, to(READ), nothing)
    with pytest.raises(NoOnwardTokenError, match="none of the scopes"):
        await issue_onward_token(server.deps, to(), caller)


async def test_what_the_repository_took_away_meanwhile_is_not_handed_on(server, caller):
    catalog = server.directory.catalog
    agents = {name: replace(agent, scopes=()) for name, agent in catalog.agents.items()}
    unregistered = replace(catalog.unregistered, scopes=())
    server.directory.replace_catalog(
        replace(catalog, agents=agents, unregistered=unregistered, version="other")
    )
    with pytest.raises(NoOnwardTokenError):
        await issue_onward_token(server.deps, to(READ), caller)


async def test_an_agent_that_is_declared_no_more_gets_none(server, caller):
    gone = replace(caller, agent_id="nobody")
    with pytest.raises(NoOnwardTokenError):
        await issue_onward_token(server.deps, to(READ), gone)
