"""Where another server has its endpoints: by its own word about itself, byte for byte."""

import orjson
import pytest

from remit.tokens.issuer_metadata import discover_authorization_server, discover_openid_provider
from remit.tokens.published import IssuerUnavailableError, Published
from remit.web.fetch import Document, FetchFailedError, Reach

PUBLIC = Reach()
ISSUER = "https://idp.example/tenant"
OPENID = f"{ISSUER}/.well-known/openid-configuration"
OAUTH = "https://idp.example/.well-known/oauth-authorization-server/tenant"


@pytest.fixture
def hosts():
    """Documents by their URL."""
    return {}


@pytest.fixture
def published(hosts, clock):
    async def fetch(url, *, reach, body_bytes=None):
        if url not in hosts:
            raise FetchFailedError("nothing there")
        return Document(url=url, body=orjson.dumps(hosts[url]), fresh_for=None)

    return Published(fetch, clock)


def document(**changes):
    said = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize?x=y",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/jwks",
    } | changes
    return {name: one for name, one in said.items() if one is not None}


async def openid(published, issuer=ISSUER, reach=PUBLIC):
    return await discover_openid_provider(published, issuer, reach=reach)


async def test_what_is_not_said_is_what_the_standard_says(published, hosts):
    hosts[OPENID] = document()
    found = await openid(published)
    assert found.authentication_methods == ("client_secret_basic",)
    assert found.signing_algorithms == ("RS256",)
    assert not found.sends_iss
    assert found.userinfo_endpoint is found.revocation_endpoint is None


async def test_algorithms_that_prove_nothing_are_left_out(published, hosts):
    hosts[OPENID] = document(
        id_token_signing_alg_values_supported=["none", "HS256", "ES256", "PS256", 7]
    )
    assert (await openid(published)).signing_algorithms == ("ES256", "PS256")


@pytest.mark.parametrize(
    "issuer",
    [
        f"{ISSUER}/",
        "https://IDP.example/tenant",
        "https://idp.example:443/tenant",
        "https://other.example",
        None,
        7,
    ],
)
async def test_a_document_of_another_issuer_is_refused(published, hosts, issuer):
    hosts[OPENID] = document(issuer=issuer)
    with pytest.raises(IssuerUnavailableError):
        await openid(published)


async def test_a_slash_at_the_end_is_part_of_the_issuer_and_not_of_the_place(published, hosts):
    hosts[OPENID] = document(issuer=f"{ISSUER}/")
    assert (await openid(published, f"{ISSUER}/")).issuer == f"{ISSUER}/"


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        7,
        "javascript:alert(1)",
        "http://idp.example/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://user@idp.example/x",
    ],
)
async def test_an_endpoint_that_is_missing_or_out_of_reach_is_refused(published, hosts, name, url):
    hosts[OPENID] = document(**{name: url})
    with pytest.raises(IssuerUnavailableError):
        await openid(published)


async def test_loopback_is_in_reach_where_the_repository_says_so(published, hosts):
    issuer = "http://127.0.0.1:9000"
    hosts[f"{issuer}/.well-known/openid-configuration"] = document(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/a",
        token_endpoint=f"{issuer}/t",
        jwks_uri=f"{issuer}/j",
    )
    assert (await openid(published, issuer, Reach(private=True))).token_endpoint == f"{issuer}/t"
    with pytest.raises(IssuerUnavailableError):
        await openid(published, issuer)


@pytest.mark.parametrize(
    "issuer", ["https://idp.example/?a=b", "https://idp.example/#x", "idp.example"]
)
async def test_an_issuer_is_a_url_without_query_and_fragment(published, issuer):
    with pytest.raises(IssuerUnavailableError):
        await openid(published, issuer)


async def test_an_oauth_server_is_looked_up_by_its_own_standard_first(published, hosts):
    hosts[OAUTH] = document(jwks_uri=None, token_endpoint=f"{ISSUER}/first")
    hosts[OPENID] = document(token_endpoint=f"{ISSUER}/second")
    found = await discover_authorization_server(published, ISSUER, reach=Reach())
    assert found.token_endpoint == f"{ISSUER}/first"
    assert found.jwks_uri is None


async def test_an_oauth_server_may_publish_openid_metadata_alone(published, hosts):
    hosts[OPENID] = document(authorization_response_iss_parameter_supported=True)
    found = await discover_authorization_server(published, ISSUER, reach=Reach())
    assert found.sends_iss


async def test_a_document_of_another_at_the_first_place_is_not_passed_over(published, hosts):
    hosts[OAUTH] = document(issuer="https://other.example")
    hosts[OPENID] = document()
    with pytest.raises(IssuerUnavailableError):
        await discover_authorization_server(published, ISSUER, reach=Reach())


async def test_nothing_published_is_nothing(published):
    with pytest.raises(IssuerUnavailableError):
        await discover_authorization_server(published, ISSUER, reach=Reach())
