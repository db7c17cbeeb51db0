"""The token endpoint: what holds for every grant."""

import base64

import pytest
from flows import CALLBACK, CRM, VERIFIER

from remit.audit.events import TokenIssued, TokenRefused
from remit.tokens import jti_digest


async def post(server, content, content_type="application/x-www-form-urlencoded", **headers):
    return await server.browser().client.post(
        "/token", content=content, headers={"content-type": content_type, **headers}
    )


def refused(response, error, status=400):
    assert response.status_code == status, response.text
    body = response.json()
    assert body["error"] == error
    assert set(body) == {"error", "error_description"}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"].startswith("application/json")
    assert not set('"\\\n') & set(body["error_description"])
    return body


async def test_an_answer_is_json_that_nobody_keeps_and_says_its_scope(server):
    await server.add_user()
    response = await server.redeem(await server.code())
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert body["scope"] == "crm:accounts.read crm:accounts.write"
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}


async def test_the_token_says_what_was_decided_and_the_log_can_match_it(server):
    user = await server.add_user()
    body = (await server.redeem(await server.code())).json()
    token = server.deps.verifier.verify(body["access_token"], audience=CRM)
    assert token.iss == "https://remit.example"
    assert token.sub == user.id
    assert token.aud == CRM
    assert token.client_id == token.agent_id == "portal"
    assert token.organization_id == "acme"
    assert token.environment == "prod"
    assert token.sensitivity.value == "high"
    assert token.roles == ("support",)
    assert token.purpose == "Shows customers their own accounts."
    assert token.acr == "urn:remit:acr:pwd"
    assert token.amr == ("pwd",)
    assert token.auth_time == server.clock.now()
    (issued,) = server.events(TokenIssued)
    assert issued.jti_digest == jti_digest(token.jti)
    assert issued.granted == token.scopes
    assert issued.expires == token.exp
    assert issued.grant_type == "authorization_code"
    assert issued.rules == ("issue-tokens",)
    assert issued.policy_version == server.decisions.version
    assert issued.claims["sub"] == user.id
    assert issued.claims["roles"] == ["support"]
    assert issued.context.grant_id == token.grant_id
    assert issued.context.client_id == "portal"


async def test_no_secret_is_in_any_event(server):
    tokens = await server.granted()
    await server.refresh(tokens["refresh_token"])
    code = await server.code()
    await server.redeem(code)
    text = repr(server.audit.events)
    for secret in (tokens["access_token"], tokens["refresh_token"], code, VERIFIER, "st-1"):
        assert secret not in text


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'{"grant_type":"client_credentials"}', "application/json"),
        (b"grant_type=client_credentials", "text/plain"),
        (b"grant_type=client_credentials", ""),
        (b"grant_type=%ff&client_id=portal", "application/x-www-form-urlencoded"),
        (b"grant_type=%zz&client_id=portal", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded"),
        (b"a=1&" * 101, "application/x-www-form-urlencoded"),
        (b"client_id=portal&code=a%00b", "application/x-www-form-urlencoded"),
        (b"grant_type=client_credentials", "application/x-www-form-urlencoded; charset=utf-16"),
    ],
)
async def test_what_is_no_form_is_refused_once_in_the_log_too(server, content, content_type):
    refused(await post(server, content, content_type), "invalid_request")
    (event,) = server.events(TokenRefused)
    assert event.error == "invalid_request"
    assert len(server.audit.events) == 1


async def test_a_huge_body_is_not_read(server):
    response = await post(server, b"client_id=portal&code=" + b"x" * 70_000)
    refused(response, "invalid_request", 413)


@pytest.mark.parametrize("name", ["grant_type", "client_id", "code", "scope", "unheard_of"])
async def test_a_parameter_that_comes_twice_is_refused(server, name):
    fields = f"grant_type=authorization_code&client_id=portal&code=c&{name}=a&{name}=b"
    refused(await post(server, fields.encode()), "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_answered(server, method):
    response = await server.browser().client.request(method, "/token")
    assert response.status_code == 405


async def test_nothing_is_read_from_the_query(server):
    response = await server.browser().client.post(
        "/token?grant_type=client_credentials&client_id=portal", data={"x": "y"}
    )
    refused(response, "invalid_request")


async def test_without_a_grant_type_it_is_an_invalid_request(server):
    refused(await server.token(client_id="portal"), "invalid_request")


@pytest.mark.parametrize(
    "grant_type",
    [
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "AUTHORIZATION_CODE",
        "x" * 300,
    ],
)
async def test_an_unknown_grant_type_is_unsupported_and_kept_out_of_the_log(server, grant_type):
    refused(await server.token(client_id="portal", grant_type=grant_type), "unsupported_grant_type")
    (event,) = server.events(TokenRefused)
    assert event.grant_type is None
    assert grant_type not in repr(event)
    assert event.context.client_id == "portal"


async def test_a_grant_the_client_did_not_register_for_is_unauthorized(server):
    refused(
        await server.token(client_id="one-shot", grant_type="refresh_token", refresh_token="x"),
        "unauthorized_client",
    )


async def test_an_unknown_client_is_401_and_one_event(server):
    refused(
        await server.token(client_id="nobody", grant_type="refresh_token"), "invalid_client", 401
    )
    (event,) = server.events(TokenRefused)
    assert event.error == "invalid_client"
    assert event.context.client_id is None
    assert event.context.network.ip == "203.0.113.7"


@pytest.mark.parametrize("secret", ["wrong", "back-office-secret-of-test", ""])
async def test_a_confidential_client_needs_its_secret(server, secret):
    response = await server.token(
        client_id="back-office",
        client_secret=secret,
        grant_type="authorization_code",
        code="c",
        redirect_uri=CALLBACK,
    )
    refused(response, "invalid_client", 401)
    assert len(server.events(TokenRefused)) == 1


async def test_a_failed_basic_authentication_names_the_scheme(server):
    credentials = base64.b64encode(b"back-office:wrong").decode()
    response = await post(server, b"grant_type=refresh_token", authorization=f"Basic {credentials}")
    refused(response, "invalid_client", 401)
    assert response.headers["www-authenticate"].startswith("Basic ")


async def test_a_log_that_cannot_take_the_token_means_no_token(server):
    await server.add_user()
    code = await server.code()
    server.audit.failing = True
    refused(await server.redeem(code), "temporarily_unavailable", 503)
    server.audit.failing = False
    assert (await server.redeem(code)).status_code == 200


async def test_a_log_that_cannot_take_a_refusal_is_a_503_without_a_token(server):
    server.audit.failing = True
    refused(
        await server.token(client_id="portal", grant_type="password"),
        "temporarily_unavailable",
        503,
    )


async def test_scripts_of_every_origin_may_ask_without_cookies(server):
    response = await post(server, b"", origin="https://app.example")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
