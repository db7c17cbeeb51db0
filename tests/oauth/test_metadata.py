"""What the server says of itself, where, and to whom."""

import pytest
from mcp.shared.auth import OAuthMetadata

from remit.model import PersonTrust, RegistrationMode, Trust, TrustedIssuer, WorkloadRule
from remit.oauth.client import GrantType
from remit.oauth.metadata import server_metadata, well_known_paths

PATHS = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"]


async def test_both_documents_are_the_same_bytes(world):
    bodies = {(await world.http.get(path)).content for path in PATHS}
    assert len(bodies) == 1


async def test_the_document_says_what_clients_look_for(world):
    response = await world.http.get(PATHS[0])
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "issuer": "https://remit.example",
        "authorization_endpoint": "https://remit.example/authorize",
        "token_endpoint": "https://remit.example/token",
        "registration_endpoint": "https://remit.example/register",
        "revocation_endpoint": "https://remit.example/revoke",
        "introspection_endpoint": "https://remit.example/introspect",
        "jwks_uri": "https://remit.example/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            "none",
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "revocation_endpoint_auth_methods_supported": [
            "none",
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "introspection_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
        ],
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": ["ES256", "Ed25519", "EdDSA"],
        "client_id_metadata_document_supported": True,
        "scopes_supported": ["crm:accounts.read", "crm:accounts.write"],
        "acr_values_supported": ["urn:remit:acr:pwd", "urn:remit:acr:mfa", "urn:remit:acr:phr"],
        "authorization_details_types_supported": ["mcp_tool_call"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


async def test_the_python_sdk_reads_the_document(world):
    for path in PATHS:
        read = OAuthMetadata.model_validate_json((await world.http.get(path)).content)
        assert str(read.registration_endpoint) == "https://remit.example/register"
        assert read.code_challenge_methods_supported == ["S256"]
        assert read.client_id_metadata_document_supported is True


async def test_every_endpoint_that_is_named_is_there(world):
    document = (await world.http.get(PATHS[0])).json()
    for name in [name for name in document if name.endswith("_endpoint") or name == "jwks_uri"]:
        for method in ("GET", "POST"):
            response = await world.http.request(method, document[name])
            assert response.status_code != 404, name


async def test_registration_is_named_only_while_it_is_open(world):
    world.admit(mode=RegistrationMode.OFF, metadata_documents=False)
    document = (await world.http.get(PATHS[0])).json()
    assert "registration_endpoint" not in document
    assert document["client_id_metadata_document_supported"] is False


async def test_assertions_are_named_only_where_somebody_is_trusted_with_them(world):
    profile = "urn:ietf:params:oauth:grant-profile:id-jag"
    exchange = TrustedIssuer(
        name="e", issuer="https://e.example", exchange=PersonTrust(provider="p")
    )
    rule = WorkloadRule(name="r", claims={"sub": ("x",)}, agent="billing-job", servers=("crm",))
    workloads = TrustedIssuer(name="w", issuer="https://w.example", workloads=(rule,))
    people = TrustedIssuer(name="p", issuer="https://p.example", id_jag=PersonTrust(provider="p"))
    for issuers, jwt_bearer, id_jag in (
        ([], False, False),
        ([exchange], False, False),
        ([workloads], True, False),
        ([workloads, people], True, True),
    ):
        world.declare(trust=Trust(issuers={one.issuer: one for one in issuers}))
        document = (await world.http.get(PATHS[0])).json()
        assert (GrantType.JWT_BEARER in document["grant_types_supported"]) is jwt_bearer
        assert (profile in document.get("authorization_grant_profiles_supported", [])) is id_jag


async def test_refresh_tokens_do_not_hang_on_offline_access(world):
    assert "offline_access" not in (await world.http.get(PATHS[0])).json()["scopes_supported"]


@pytest.mark.parametrize(
    "issuer", ["https://remit.example", "https://remit.example/as", "http://localhost:8080"]
)
def test_the_issuer_is_the_public_url_byte_for_byte(issuer, world):
    document = server_metadata(issuer, world.directory.catalog)
    assert document["issuer"] == issuer
    assert document["token_endpoint"] == issuer + "/token"


def test_an_issuer_with_a_path_is_found_in_three_places():
    assert well_known_paths("https://remit.example") == tuple(PATHS)
    assert well_known_paths("https://remit.example/a/b") == (
        "/.well-known/oauth-authorization-server/a/b",
        "/.well-known/openid-configuration/a/b",
        "/a/b/.well-known/openid-configuration",
    )


@pytest.mark.parametrize("path", [*PATHS, "/jwks"])
async def test_documents_may_be_cached_and_asked_for_only_when_they_changed(world, path):
    first = await world.http.get(path)
    assert first.headers["cache-control"] == "public, max-age=300"
    tag = first.headers["etag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await world.http.get(path, headers={"If-None-Match": header})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    other = await world.http.get(path, headers={"If-None-Match": '"other"'})
    assert other.content == first.content
    assert (await world.http.head(path)).content == b""


async def test_a_reload_of_the_repository_changes_the_tag(world):
    before = (await world.http.get(PATHS[0])).headers["etag"]
    world.admit(mode=RegistrationMode.OFF)
    assert (await world.http.get(PATHS[0])).headers["etag"] != before


@pytest.mark.parametrize("path", [*PATHS, "/jwks"])
async def test_scripts_of_every_origin_may_read_them_with_the_header_that_mcp_clients_send(
    world, path
):
    preflight = await world.http.options(
        path,
        headers={
            "Origin": "http://localhost:6274",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "mcp-protocol-version",
        },
    )
    assert preflight.status_code == 204
    assert "MCP-Protocol-Version" in preflight.headers["access-control-allow-headers"]
    response = await world.http.get(path, headers={"MCP-Protocol-Version": "2026-07-28"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("path", PATHS)
async def test_they_can_only_be_read(world, path):
    assert (await world.http.post(path)).status_code == 405
