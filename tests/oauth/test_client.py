"""The value that every endpoint sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.ids import AgentId, ClientId
from remit.model import ClientKind
from remit.oauth.client import AuthMethod, Client, GrantType, fingerprint_of

URIS = ("https://app.example/cb", "http://localhost/cb")


def client(**changes):
    fields = {
        "client_id": ClientId("cli_1"),
        "kind": ClientKind.DYNAMIC,
        "agent_id": AgentId("unregistered"),
        "name": "App",
        "redirect_uris": URIS,
        "grant_types": (GrantType.AUTHORIZATION_CODE,),
        "token_endpoint_auth_method": AuthMethod.NONE,
        "fingerprint": "f",
    }
    return Client(**(fields | changes))


def fingerprint(**changes):
    fields = {"name": "App", "redirect_uris": URIS, "token_endpoint_auth_method": "none"} | changes
    return fingerprint_of(fields.pop("name"), fields.pop("redirect_uris"), **fields)


@pytest.mark.parametrize("method", list(AuthMethod))
def test_a_client_is_confidential_exactly_if_it_has_a_secret(method):
    assert client(token_endpoint_auth_method=method).is_confidential is (method.value != "none")


def test_a_client_may_use_what_it_registered_for_and_nothing_else():
    assert client().may_use(GrantType.AUTHORIZATION_CODE)
    assert not client().may_use(GrantType.REFRESH_TOKEN)
    assert not client().may_use(GrantType.CLIENT_CREDENTIALS)


def test_only_a_metadata_document_has_a_host_that_vouches_for_it():
    url = ClientId("https://client.example:8443/meta")
    assert client(kind=ClientKind.METADATA_DOCUMENT, client_id=url).host == "client.example"
    assert client().host is None
    assert client(kind=ClientKind.STATIC, client_id=url).host is None


@given(st.permutations(URIS))
def test_the_order_of_redirect_uris_means_nothing(uris):
    assert fingerprint(redirect_uris=tuple(uris)) == fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"redirect_uris": URIS[:1]},
        {"redirect_uris": (*URIS, "https://evil.example/")},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"jwks": {"keys": []}},
        {"jwks_uri": "https://app.example/jwks"},
    ],
)
def test_whatever_was_consented_to_is_in_the_fingerprint(change):
    assert fingerprint(**change) != fingerprint()
