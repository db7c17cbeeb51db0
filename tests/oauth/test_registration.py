"""Clients that introduce themselves."""

import json

import pytest
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata
from sqlalchemy import func, select

from remit.audit.events import ClientRegistered, ClientRegistrationRefused
from remit.ids import matches_digest
from remit.model import RegistrationMode
from remit.oauth import client_store

LOOPBACK = {"redirect_uris": ["http://localhost/callback"]}


async def register(world, document, **headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return await world.http.post(
        "/register", content=body, headers={"Content-Type": "application/json"} | headers
    )


def count(world):
    return world.database.read_now(
        lambda tx: tx.connection.scalar(select(func.count()).select_from(client_store.clients))
    )


def stored(world, client_id):
    return world.database.read_now(lambda tx: client_store.select_client(tx, client_id))


async def test_a_client_of_the_python_sdk_gets_a_secret_once(world):
    """It sends no method, and counts on `client_secret_basic`."""
    document = {
        "redirect_uris": ["http://localhost:3000/callback"],
        "token_endpoint_auth_method": None,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "native",
        "client_name": "A client",
        "client_uri": "",
        "scope": "crm:accounts.read",
    }
    response = await register(world, document)
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["access-control-allow-origin"] == "*"
    body = response.json()
    secret = body.pop("client_secret")
    client_id = body.pop("client_id")
    assert client_id.startswith("cli_")
    assert body == {
        "redirect_uris": ["http://localhost:3000/callback"],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "native",
        "client_name": "A client",
        "client_id_issued_at": world.clock.now(),
        "client_secret_expires_at": 0,
    }
    row = stored(world, client_id)
    assert secret not in repr(row)
    assert matches_digest(secret, row.secret_digest)
    assert secret not in repr(world.audit.events)


async def test_the_python_sdk_reads_the_answer(world):
    sent = OAuthClientMetadata(
        redirect_uris=["http://localhost:3000/callback"],
        client_name="SDK",
        scope="crm:accounts.read",
    )
    response = await register(world, sent.model_dump_json(exclude_none=True).encode())
    read = OAuthClientInformationFull.model_validate_json(response.content)
    assert read.client_id == response.json()["client_id"]
    assert read.client_secret == response.json()["client_secret"]
    assert read.token_endpoint_auth_method == "client_secret_basic"
    assert read.client_secret_expires_at == 0
    assert [str(uri) for uri in read.redirect_uris] == ["http://localhost:3000/callback"]


async def test_a_public_client_gets_no_secret(world):
    response = await register(world, LOOPBACK | {"token_endpoint_auth_method": "none"})
    assert response.status_code == 201
    assert "client_secret" not in response.json()
    assert "client_secret_expires_at" not in response.json()
    assert stored(world, response.json()["client_id"]).secret_digest is None


async def test_registration_is_an_event_that_says_which_agent_it_is(world):
    response = await register(world, LOOPBACK | {"client_name": "Assistant"})
    event = world.only(ClientRegistered)
    assert event.registration == "dynamic"
    assert event.client_name == "Assistant"
    assert event.redirect_uris == ("http://localhost/callback",)
    assert event.context.client_id == response.json()["client_id"]
    assert event.context.agent_id == "support-assistant"
    assert event.context.network.ip == "198.51.100.7"


async def test_who_a_client_is_follows_from_where_its_codes_go_and_not_from_its_name(world):
    response = await register(
        world,
        {
            "client_name": "support-assistant",
            "redirect_uris": ["http://localhost/callback", "https://evil.example/cb"],
        },
    )
    assert stored(world, response.json()["client_id"]).agent_id == "unregistered"


async def test_nothing_is_registered_that_the_log_does_not_hold(world):
    world.audit.failing = True
    response = await register(world, LOOPBACK)
    assert response.status_code == 503
    assert response.json()["error"] == "temporarily_unavailable"
    assert count(world) == 0


async def test_metadata_that_is_not_known_is_left_out_of_the_answer(world):
    response = await register(
        world,
        LOOPBACK
        | {
            "client_id": "mine",
            "client_secret": "mine",
            "software_statement": "ey",
            "client_name#ja": "x",
            "scope": "everything",
            "contacts": ["a@b.example"],
        },
    )
    body = response.json()
    assert response.status_code == 201
    assert body["client_id"] != "mine"
    assert body["client_secret"] != "mine"
    assert not {"software_statement", "client_name#ja", "scope", "contacts"} & body.keys()


async def test_grants_that_are_not_offered_are_left_out(world):
    """VS Code lists the device flow."""
    response = await register(
        world,
        LOOPBACK
        | {
            "grant_types": [
                "urn:ietf:params:oauth:grant-type:device_code",
                "refresh_token",
                "authorization_code",
                "client_credentials",
            ],
            "response_types": ["code", "token"],
        },
    )
    assert response.json()["grant_types"] == ["authorization_code", "refresh_token"]
    assert response.json()["response_types"] == ["code"]


@pytest.mark.parametrize(
    "uris",
    [
        [],
        None,
        "http://localhost/callback",
        {"a": 1},
        [1],
        [None],
        ["http://app.example/cb"],
        ["javascript:alert(1)"],
        ["data:text/html,x"],
        ["vscode://x/y"],
        ["https://app.example/cb#f"],
        ["https://app.example/*"],
        ["http://localhost/callback", "https://a@b.example/"],
        [f"https://app.example/{n}" for n in range(21)],
        ["x"] * 33,
    ],
)
async def test_redirect_uris_nobody_may_have_are_refused(world, uris):
    response = await register(world, {"redirect_uris": uris})
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_redirect_uri"
    assert count(world) == 0
    assert world.only(ClientRegistrationRefused).error == "invalid_redirect_uri"


async def test_redirect_uris_are_required(world):
    response = await register(world, {})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri")


async def test_a_scheme_that_the_repository_admits_may_be_registered(world):
    response = await register(world, {"redirect_uris": ["cursor://anysphere.cursor-mcp/cb"]})
    assert response.status_code == 201


@pytest.mark.parametrize(
    "metadata",
    [
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": 1},
        {"grant_types": []},
        {"grant_types": ["refresh_token"]},
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["implicit"]},
        {"grant_types": "authorization_code"},
        {"response_types": ["token"]},
        {"response_types": []},
        {"application_type": "mobile"},
        {"application_type": ["web"]},
        {"client_name": 5},
        {"client_name": "x" * 201},
        {"client_name": "Support\u202eAssistant"},
        {"client_name": "two\nlines"},
        {"client_name": "nul\u0000"},
        {"client_uri": "javascript:alert(1)"},
        {"logo_uri": "data:image/png;base64,x"},
        {"tos_uri": "https://app.example/\r\nX: y"},
        {"policy_uri": ["https://app.example"]},
        {"jwks_uri": "http://app.example/jwks"},
        {"jwks": {"keys": [{"kty": "EC", "d": "x"}]}},
        {"jwks": {"keys": [{"kty": "oct", "k": "x"}]}},
        {"jwks": {"keys": "x"}},
        {"jwks": [], "client_name": "x"},
        {"jwks": {"keys": []}, "jwks_uri": "https://app.example/jwks"},
    ],
)
async def test_metadata_that_contradicts_itself_or_weakens_the_client_is_refused(world, metadata):
    response = await register(world, LOOPBACK | metadata)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_client_metadata"
    assert count(world) == 0
    assert world.kinds() == ["client.refused"]


@pytest.mark.parametrize(
    "uri", ["http://localhost/callback", "https://localhost/cb", "cursor://a/cb"]
)
async def test_a_web_application_may_not_have_native_redirect_uris(world, uri):
    document = {"application_type": "web", "redirect_uris": ["https://app.example/cb", uri]}
    response = await register(world, document)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri")


async def test_an_absent_application_type_is_native(world):
    response = await register(world, LOOPBACK)
    assert response.json()["application_type"] == "native"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'["redirect_uris"]',
        b'"x"',
        b"5",
        b"{",
        b'{"redirect_uris":["http://localhost/callback"],"redirect_uris":["https://evil.example/"]}',
        b'{"redirect_uris":["http://localhost/callback"],"x":NaN}',
        b'{"redirect_uris":["http://localhost/callback"],"x":1e999}',
        b'{"redirect_uris":["http://localhost/callback"],"x":Infinity}',
        b'\xef\xbb\xbf{"redirect_uris":["http://localhost/callback"]}',
        '{"redirect_uris":["http://localhost/callback"]}'.encode("utf-16"),
        '{"redirect_uris":["http://localhost/callback"]}'.encode("utf-16-le"),
        b'{"redirect_uris":["http://localhost/\xff"]}',
        b'{"redirect_uris":["http://localhost/callback"]} {}',
        b'{"redirect_uris":["http://localhost/callback"],}',
        b"{'redirect_uris':[]}",
        b'{"redirect_uris":["http://localhost/callback"],"x":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"redirect_uris":["http://localhost/callback"],"client_name":"\\ud800"}',
        b'{"redirect_uris":["http://localhost/callback"],"x":99999999999999999999999}',
        b"redirect_uris=http://localhost/callback",
    ],
)
async def test_a_body_that_two_parsers_could_read_differently_is_refused(world, body):
    response = await register(world, body)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_client_metadata"
    assert count(world) == 0


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/jsonx",
     "application/json; charset=utf-16", "multipart/form-data; boundary=x"],
)  # fmt: skip
async def test_a_body_of_another_type_is_not_read(world, content_type):
    response = await register(world, LOOPBACK, **{"Content-Type": content_type})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert count(world) == 0


async def test_a_body_beyond_the_limit_is_not_read(world):
    response = await register(world, LOOPBACK | {"x": "y" * 20_000})
    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")
    assert count(world) == 0


async def test_where_registration_is_off_nobody_can_register(world):
    world.admit(mode=RegistrationMode.OFF)
    response = await register(world, LOOPBACK)
    assert (response.status_code, response.json()["error"]) == (403, "access_denied")
    assert count(world) == 0
    assert world.only(ClientRegistrationRefused).error == "access_denied"


async def test_one_address_may_register_only_so_often(world):
    limit = world.directory.catalog.registration.per_hour
    for _ in range(limit):
        assert (await register(world, LOOPBACK)).status_code == 201
    response = await register(world, LOOPBACK)
    assert (response.status_code, response.json()["error"]) == (429, "slow_down")
    assert response.headers["retry-after"] == "3600"
    assert count(world) == limit
    world.clock.advance(3600)
    assert (await register(world, LOOPBACK)).status_code == 201


async def test_refused_registrations_do_not_count(world):
    for _ in range(world.directory.catalog.registration.per_hour + 1):
        await register(world, {})
    assert (await register(world, LOOPBACK)).status_code == 201


async def test_no_two_clients_get_the_same_identifier_or_secret(world):
    answers = [(await register(world, LOOPBACK)).json() for _ in range(5)]
    assert len({answer["client_id"] for answer in answers}) == 5
    assert len({answer["client_secret"] for answer in answers}) == 5


async def test_scripts_of_every_origin_may_register_but_only_by_post(world):
    preflight = await world.http.options(
        "/register",
        headers={"Origin": "http://localhost:6274", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status_code == 204
    assert "MCP-Protocol-Version" in preflight.headers["access-control-allow-headers"]
    assert (await world.http.get("/register")).status_code == 405


# -- abuse ----------------------------------------------------------------------

_URI = "https://app.example/cb"


@pytest.mark.parametrize(
    "uri",
    [
        *("javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", "vbscript:x"),
        *("data:text/html,<script>", "blob:https://app.example/x", "file:///etc/passwd"),
        *("about:blank", "view-source:https://app.example/", "intent://x#Intent;end"),
        *("https://app.example/cb#access", "https://app.example/#", "https://*.app.example/cb"),
        *("https://app.example/*", "http://localhost:*/cb", "https://app.example:99999/cb"),
        *("https://user@app.example/cb", "https://user:pw@app.example/cb", "https://@app.example/"),
        *(
            "https://app.example\\@attacker.net/",
            "https:app.example/cb",
            "https:///cb",
            "//app.example",
        ),
        *(
            "https://\u0430pp.example/cb",
            "https://app\u3002example/cb",
            "https://app.example/\u202ecb",
        ),
        *("HTTPS://app.example/cb", "https://APP.example/cb", "https://app.example./cb"),
        *(
            "https://app.example/a/../cb",
            "https://app.example/%2e%2e/cb",
            "https://app.example/%zz",
        ),
        *(
            "http://127.1/cb",
            "http://2130706433/cb",
            "http://0x7f.1/cb",
            "http://[::ffff:127.0.0.1]/cb",
        ),
        *("http://0.0.0.0/cb", "http://localhost.attacker.net/cb", "http://app.example/cb"),
        *(" https://app.example/cb", "https://app.example/cb\n", "https://app.example/cb\u0000"),
        "https://app.example/" + "x" * 2_048,
        "",
    ],
)
async def test_no_trick_with_a_redirect_uri_is_registered(world, uri):
    response = await register(world, {"redirect_uris": [_URI, uri]})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri")
    assert count(world) == 0


async def test_a_hundred_redirect_uris_are_refused(world):
    uris = [f"https://app.example/{n}" for n in range(100)]
    response = await register(world, {"redirect_uris": uris})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri")
    assert count(world) == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"redirect_uris":["https://app.example/cb"],"redirect_uris":["https://attacker.net/cb"]}',
        b'{"redirect_uris":["https://app.example/cb"],"\\u0072edirect_uris":["https://attacker.net/"]}',
        b'{"redirect_uris":["https://app.example/cb"],"jwks":{"keys":[],"keys":[]}}',
        b'{"redirect_uris":["https://app.example/cb"],"x":NaN}',
        b'{"redirect_uris":["https://app.example/cb"]}{}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"[" * 5_000,
        b'["redirect_uris"]',
        b"null",
        b"",
    ],
)
async def test_json_that_two_parsers_could_read_differently_is_refused(world, body):
    response = await register(world, body)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client_metadata")
    assert count(world) == 0


async def test_what_is_too_large_is_not_read(world):
    body = json.dumps(LOOPBACK | {"software_id": "x" * 20_000}).encode()
    response = await register(world, body)
    assert response.status_code == 413
    assert count(world) == 0


@pytest.mark.parametrize(
    "member", ["client_secret", "registration_access_token", "client_id_issued_at", "client_id"]
)
async def test_what_only_the_server_says_is_not_taken_from_a_client(world, member):
    response = await register(world, LOOPBACK | {member: "mine"})
    assert response.status_code == 201
    assert response.json().get(member) != "mine"
    assert "mine" not in repr(stored(world, response.json()["client_id"]))


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
async def test_a_private_key_in_metadata_is_refused_and_not_recorded(world, member):
    key = {"kty": "RSA", "n": "n", "e": "AQAB", member: "very-private"}
    response = await register(
        world,
        LOOPBACK | {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]}},
    )
    assert response.json()["error"] == "invalid_client_metadata"
    assert "very-private" not in response.text
    assert "very-private" not in repr(world.audit.events)
    assert count(world) == 0


async def test_a_client_may_register_with_a_key_of_its_own_and_gets_no_secret(world):
    keys = {"keys": [{"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}]}
    response = await register(
        world, LOOPBACK | {"token_endpoint_auth_method": "private_key_jwt", "jwks": keys}
    )
    assert response.status_code == 201
    assert "client_secret" not in response.json()
    assert response.json()["jwks"] == keys
    row = stored(world, response.json()["client_id"])
    assert row.secret_digest is None
    assert row.metadata.jwks == keys


@pytest.mark.parametrize("value", [True, False, None])
async def test_a_client_may_ask_for_bound_tokens_only(world, value):
    response = await register(world, LOOPBACK | {"dpop_bound_access_tokens": value})
    assert response.status_code == 201
    assert response.json().get("dpop_bound_access_tokens") == (True if value else None)
    row = stored(world, response.json()["client_id"])
    assert row.metadata.dpop_bound_access_tokens is (value is True)


@pytest.mark.parametrize("value", ["true", 1, 0, [], {}])
async def test_whether_tokens_are_bound_is_said_plainly(world, value):
    response = await register(world, LOOPBACK | {"dpop_bound_access_tokens": value})
    assert response.json()["error"] == "invalid_client_metadata"
    assert count(world) == 0


async def test_the_repository_says_how_many_a_network_registers_in_an_hour(world):
    world.admit(per_hour=2)
    answers = [await register(world, LOOPBACK) for _ in range(3)]
    assert [one.status_code for one in answers] == [201, 201, 429]
    world.admit(per_hour=3)
    assert (await register(world, LOOPBACK)).status_code == 201


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_form_of_another_site_registers_nothing(world, media_type):
    """What a browser sends across sites without asking is not JSON by its own word."""
    response = await register(world, json.dumps(LOOPBACK).encode(), **{"Content-Type": media_type})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert count(world) == 0
