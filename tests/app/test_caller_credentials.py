"""With what the gateway goes to a server on somebody's behalf, from a whole Remit: `build`, and its database."""

from dataclasses import replace

import pytest

from remit.app.caller_credentials import OwnCallerCredentials
from remit.clock import EpochSeconds
from remit.errors import UnavailableError
from remit.gateway import ConnectionNeededError
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.port import NOTHING_PRESENTED
from remit.model import (
    ConnectionCredential,
    Environment,
    ExchangedCredential,
    HttpUpstream,
    Sensitivity,
    ThirdParty,
)
from remit.oauth import ConnectionUnavailableError, NotConnectedError, OnwardToken
from remit.testing.clock import FixedClock
from remit.tokens import AccessToken
from tests.gateway.doubles import server_of

BOOKS = ThirdParty(issuer="https://books.example", client_id="remit", title="Books")


def token(sub="usr_1", *, agent="a1", jti="j1", grant="g1"):
    return AccessToken(
        iss="https://remit.example", sub=sub, aud="x", client_id="c1", jti=jti, iat=EpochSeconds(0),
        exp=EpochSeconds(2**40), scopes=(), grant_id=grant, agent_id=agent, organization_id="acme",
        environment=Environment("prod"), sensitivity=Sensitivity.LOW,
    )  # fmt: skip


def behind(credential):
    upstream = HttpUpstream(url="https://crm.example/mcp", credential=credential)
    return replace(server_of(upstream=upstream), connection=BOOKS)


CONNECTED = behind(ConnectionCredential())
EXCHANGING = behind(ExchangedCredential(audience="https://crm.example", scopes=()))


class Connections:
    """The tokens of connections, and how often they were asked for."""

    def __init__(self):
        self.asked = 0
        self.renewed = 0
        self.error = None
        self.present = "token-1"
        self.next = "token-2"

    async def connection_token(self, user_id, server):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.present

    async def renewed_token(self, user_id, server, *, refused):
        self.renewed += 1
        if self.error is not None:
            raise self.error
        return self.next


class Deps:
    """As much of the authorization server as is asked for here."""

    public_url = "https://remit.example"

    def __init__(self, clock):
        self.clock = clock
        self.directory = self
        self.catalog = self
        self.version = "v1"


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def issued():
    """Of which tokens one of our own was made."""
    return []


@pytest.fixture
def connections():
    return Connections()


@pytest.fixture
def credentials(clock, connections, issued):
    async def issue(deps, credential, given):
        issued.append(given.jti)
        return OnwardToken(
            signed=f"onward-{len(issued)}", expires_at=EpochSeconds(clock.now() + 60)
        )

    return OwnCallerCredentials(Deps(clock), clock, connections=connections, issue=issue)


def said(presented):
    return dict(presented.headers).get("authorization")


async def test_a_server_without_either_needs_nothing_of_the_caller(credentials):
    assert await credentials.of(server_of(), token()) == NOTHING_PRESENTED


async def test_the_token_of_a_connection_is_looked_up_anew_every_few_seconds(
    credentials, connections, clock
):
    assert said(await credentials.of(CONNECTED, token())) == "Bearer token-1"
    connections.present = "token-2"
    assert said(await credentials.of(CONNECTED, token(jti="j2"))) == "Bearer token-1"
    clock.advance(5)
    assert said(await credentials.of(CONNECTED, token())) == "Bearer token-2"
    assert connections.asked == 2


async def test_another_person_has_another_token(credentials, connections):
    await credentials.of(CONNECTED, token())
    connections.present = "token-of-eve"
    assert said(await credentials.of(CONNECTED, token("usr_2"))) == "Bearer token-of-eve"


async def test_a_workload_has_no_account_with_anybody(credentials, connections):
    with pytest.raises(UpstreamError, match="nobody is behind"):
        await credentials.of(CONNECTED, token("a1"))
    assert connections.asked == 0


async def test_who_is_not_connected_is_told_where(credentials, connections):
    connections.error = NotConnectedError("none")
    with pytest.raises(ConnectionNeededError) as needed:
        await credentials.of(CONNECTED, token())
    assert (needed.value.url, needed.value.title) == ("https://remit.example/account", "Books")


@pytest.mark.parametrize(
    "error", [ConnectionUnavailableError("down"), UnavailableError("the database is gone")]
)
async def test_what_cannot_be_had_now_is_a_failure_and_no_question(credentials, connections, error):
    connections.error = error
    with pytest.raises(UpstreamError) as failed:
        await credentials.of(CONNECTED, token())
    assert not isinstance(failed.value, ConnectionNeededError)


async def test_a_failure_is_not_remembered(credentials, connections):
    connections.error = ConnectionUnavailableError("down")
    with pytest.raises(UpstreamError):
        await credentials.of(CONNECTED, token())
    connections.error = None
    assert said(await credentials.of(CONNECTED, token())) == "Bearer token-1"


async def test_what_was_refused_is_forgotten_and_renewed(credentials, connections):
    refused = await credentials.of(CONNECTED, token())
    connections.present = "token-2"
    assert said(await credentials.renewed(CONNECTED, token(), refused)) == "Bearer token-2"
    assert said(await credentials.of(CONNECTED, token())) == "Bearer token-2"


async def test_what_cannot_be_renewed_is_not_tried_again(credentials, connections):
    refused = await credentials.of(CONNECTED, token())
    connections.next = None
    assert await credentials.renewed(CONNECTED, token(), refused) is None


async def test_a_token_of_our_own_is_made_once_for_each_token_it_comes_of(
    credentials, issued, clock
):
    assert said(await credentials.of(EXCHANGING, token())) == "Bearer onward-1"
    assert said(await credentials.of(EXCHANGING, token())) == "Bearer onward-1"
    assert said(await credentials.of(EXCHANGING, token(jti="j2"))) == "Bearer onward-2"
    clock.advance(50)
    assert said(await credentials.of(EXCHANGING, token())) == "Bearer onward-3"
    assert issued == ["j1", "j2", "j1"]


async def test_another_version_of_the_repository_makes_it_anew(credentials, issued):
    await credentials.of(EXCHANGING, token())
    credentials._deps.version = "v2"
    assert said(await credentials.of(EXCHANGING, token())) == "Bearer onward-2"


async def test_a_token_of_our_own_that_is_refused_is_not_made_again(credentials, issued):
    refused = await credentials.of(EXCHANGING, token())
    assert await credentials.renewed(EXCHANGING, token(), refused) is None
    assert len(issued) == 1


async def test_what_was_kept_before_somebody_connected_anew_is_not_used_under_the_new_grant(
    credentials, connections
):
    assert said(await credentials.of(CONNECTED, token())) == "Bearer token-1"
    connections.present = "token-of-another-account"
    fresh = await credentials.of(CONNECTED, token(grant="g2"))
    assert said(fresh) == "Bearer token-of-another-account"
