"""Clients that are a URL: which URLs, which documents, how long, and what a change means."""

import json

import pytest

from remit.audit.context import Context, Network
from remit.audit.events import (
    ClientMetadataFetched,
    ClientQueued,
    ClientRegistered,
    ClientUpdated,
    GrantRevoked,
)
from remit.model import Admission, ClientKind, DocumentHost, Environment
from remit.oauth import (
    approve_client,
    client_id_metadata,
    client_store,
    list_pending,
    reject_client,
)
from remit.oauth.client import AuthMethod, ClientStatus, GrantType
from remit.oauth.client_id_metadata import check_client_id_url
from remit.oauth.client_lookup import find_client, known_client
from remit.oauth.client_standing import disable_client
from remit.oauth.errors import InvalidClientError, SlowDownError

URL = "https://client.example/meta"
DOCUMENT = {
    "client_id": URL,
    "client_name": "Assistant",
    "client_uri": "https://client.example",
    "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


def publish(world, document=None, *, path="/meta", **answer):
    body = document if isinstance(document, bytes) else json.dumps(document or DOCUMENT).encode()
    return world.documents.serve(path, body, **answer)


def stored(world, client_id=URL):
    return world.database.read_now(lambda tx: client_store.select_client(tx, client_id))


async def refusal(world, client_id=URL):
    with pytest.raises(InvalidClientError) as refused:
        await find_client(world.deps, client_id)
    return refused.value.detail


async def test_a_document_describes_a_client(world):
    publish(world)
    client = await find_client(world.deps, URL, context=Context(flow_id="f"))
    assert client.client_id == URL
    assert client.kind is ClientKind.METADATA_DOCUMENT
    assert client.name == "Assistant"
    assert client.host == "client.example"
    assert client.agent_id == "support-assistant"
    assert client.redirect_uris == ("http://localhost/callback", "http://127.0.0.1/callback")
    assert client.grant_types == (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
    assert client.token_endpoint_auth_method is AuthMethod.NONE
    assert not client.is_confidential
    assert world.kinds() == ["client.cimd_fetched", "client.registered"]
    fetched = world.only(ClientMetadataFetched)
    assert (fetched.outcome, len(fetched.document_digest)) == ("ok", 64)
    registered = world.only(ClientRegistered)
    assert registered.registration == "metadata_document"
    assert registered.context.client_id == URL
    assert registered.context.agent_id == "support-assistant"
    assert registered.context.flow_id == "f"


async def test_a_document_that_no_agent_lists_is_the_unregistered_agent(world):
    url = "https://client.example/other"
    publish(world, DOCUMENT | {"client_id": url}, path="/other")
    assert (await find_client(world.deps, url)).agent_id == "unregistered"


async def test_an_authorization_request_may_come_from_a_url(world):
    publish(world)
    response = await world.http.get(
        "/authorize",
        params={
            "client_id": URL,
            "redirect_uri": "http://localhost:50000/callback",
            "response_type": "code",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
            "resource": "https://remit.example/mcp/crm",
            "state": "s",
        },
    )
    assert response.status_code == 303
    assert response.headers["location"].startswith("/authorize/continue")


async def test_a_redirect_uri_that_the_document_does_not_hold_is_never_redirected_to(world):
    publish(world)
    response = await world.http.get(
        "/authorize",
        params={
            "client_id": URL,
            "redirect_uri": "https://evil.example/cb",
            "response_type": "code",
        },
    )
    assert response.status_code == 400
    assert "location" not in response.headers


async def test_a_document_that_cannot_be_used_is_a_page_and_never_a_redirect(world):
    response = await world.http.get(
        "/authorize", params={"client_id": URL, "redirect_uri": "http://localhost/callback"}
    )
    assert response.status_code in {400, 401}
    assert "location" not in response.headers


@pytest.mark.parametrize(
    "client_id",
    [
        "https://client.example",
        "https://client.example/",
        "https://client.example/meta#x",
        "https://client.example/meta#",
        "https://client.example/meta?x=1",
        "https://client.example/meta?",
        "https://user@client.example/meta",
        "https://user:pass@client.example/meta",
        "https://client.example/./meta",
        "https://client.example/a/../meta",
        "https://client.example/a/..",
        "https://client.example/%2e/meta",
        "https://client.example/a/%2E%2e/meta",
        "https://client.example/a/.%2e",
        "https://client.example\\meta",
        "https://client.example/me ta",
        "https://client.example/me\tta",
        "https://client.example/meta\n",
        "https://client.example/%zz",
        "https://CLIENT.example/meta",
        "https://client.example:0/meta",
        "https://client.example:99999999/meta",
        "https://client/meta",
        "https://localhost/meta",
        "https://127.0.0.1/meta",
        "https://127.1/meta",
        "https://2130706433/meta",
        "https://[::1]/meta",
        "https://client.example./meta",
        "https://.client.example/meta",
        "https://кли.example/meta",
        "https:///meta",
        "https://client.example/" + "a" * 1100,
    ],
)
async def test_a_url_that_could_be_spelt_in_two_ways_is_no_client_id(world, client_id):
    publish(world, DOCUMENT | {"client_id": client_id})
    await refusal(world, client_id)
    assert world.documents.requests == []
    assert world.kinds() == []


@pytest.mark.parametrize(
    "client_id",
    ["http://client.example/meta", "HTTPS://client.example/meta", "client.example/meta"],
)
async def test_what_is_not_https_is_just_an_unknown_client(world, client_id):
    assert await find_client(world.deps, client_id) is None
    assert world.documents.requests == []


def test_the_host_of_a_client_id_is_what_vouches_for_it():
    assert check_client_id_url("https://client.example:8443/meta.json") == "client.example"


async def test_the_default_port_spelt_out_is_another_client(world):
    publish(world)
    assert "client_id" in await refusal(world, "https://client.example:443/meta")


@pytest.mark.parametrize(
    "client_id",
    ["https://client.example/Meta", "https://client.example/meta/", "https://other.example/meta",
     "https://client.example:443/meta", "", None, 5, [URL]],
)  # fmt: skip
async def test_a_document_that_speaks_of_another_url_is_refused(world, client_id):
    publish(world, DOCUMENT | {"client_id": client_id})
    assert "is not the URL it was found at" in await refusal(world)
    assert stored(world) is None
    assert world.only(ClientMetadataFetched).outcome == "refused"


@pytest.mark.parametrize(
    "metadata",
    [
        {"client_name": None},
        {"client_name": ""},
        {"client_name": "  "},
        {"client_name": "Trusted\u202eesrever"},
        {"redirect_uris": None},
        {"redirect_uris": []},
        {"redirect_uris": ["http://app.example/cb"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"grant_types": ["client_credentials"]},
        {"client_secret": "s"},
        {"client_secret": None},
        {"client_secret_expires_at": 0},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "d"}]}},
        {"jwks": {"keys": [{"kty": "RSA", "n": "n", "e": "e", "p": "p"}]}},
        {"jwks": {"keys": [{"kty": "oct", "k": "k"}]}},
        {"jwks_uri": "http://client.example/jwks"},
    ],
)
async def test_a_document_that_only_a_secret_could_back_or_that_says_too_little_is_refused(
    world, metadata
):
    publish(world, DOCUMENT | metadata)
    await refusal(world)
    assert stored(world) is None


@pytest.mark.parametrize(
    "keys", [{"jwks_uri": "https://client.example/jwks"}, {"jwks": {"keys": [{"kty": "EC"}]}}]
)
async def test_a_client_with_keys_must_use_them_and_is_never_taken_for_one_without(world, keys):
    """AS-50."""
    publish(world, DOCUMENT | keys | {"token_endpoint_auth_method": "private_key_jwt"})
    client = await find_client(world.deps, URL)
    assert client.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT
    assert client.is_confidential
    assert (client.jwks_uri, client.jwks) == (keys.get("jwks_uri"), keys.get("jwks"))
    world.clock.advance(86_400)
    without = {name: value for name, value in DOCUMENT.items() if "auth_method" not in name}
    publish(world, without | keys)
    assert "without `token_endpoint_auth_method`" in await refusal(world)


@pytest.mark.parametrize("keys", [{}, {"jwks": {"keys": []}}, {"jwks_uri": None}])
async def test_a_client_that_would_sign_must_say_with_which_keys(world, keys):
    publish(world, DOCUMENT | keys | {"token_endpoint_auth_method": "private_key_jwt"})
    assert "`private_key_jwt` takes `jwks` or `jwks_uri`" in await refusal(world)
    assert stored(world) is None


async def test_an_absent_method_without_keys_is_none(world):
    publish(world, {name: DOCUMENT[name] for name in ("client_id", "client_name", "redirect_uris")})
    client = await find_client(world.deps, URL)
    assert client.token_endpoint_auth_method is AuthMethod.NONE
    assert client.grant_types == (GrantType.AUTHORIZATION_CODE,)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"client_id":"https://client.example/meta","client_id":"https://client.example/meta"}',
        b"\xef\xbb\xbf" + json.dumps(DOCUMENT).encode(),
        json.dumps(DOCUMENT).encode("utf-16"),
        json.dumps(DOCUMENT).encode()[:-1] + b',"x":NaN}',
        json.dumps(DOCUMENT).encode() + b"{}",
        b"<html></html>",
    ],
)
async def test_a_document_that_two_parsers_could_read_differently_is_refused(world, body):
    publish(world, body)
    assert "it is not JSON" in await refusal(world)


async def test_a_document_beyond_five_kilobytes_is_refused(world):
    publish(world, DOCUMENT | {"padding": "x" * 5200})
    assert "larger than 5120 bytes" in await refusal(world)


async def test_nothing_that_the_document_names_is_fetched(world):
    publish(
        world,
        DOCUMENT
        | {
            "logo_uri": "https://client.example/logo",
            "client_uri": "https://client.example/home",
            "tos_uri": "https://client.example/tos",
            "policy_uri": "https://client.example/policy",
        },
    )
    client = await find_client(world.deps, URL)
    assert client.logo_uri == "https://client.example/logo"
    assert len(world.documents.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 404, 500])
async def test_what_is_not_200_is_refused_and_not_kept(world, status):
    publish(world, status=status, headers={"Location": "https://client.example/other"})
    assert str(status) in await refusal(world)
    assert stored(world) is None
    publish(world)
    assert await find_client(world.deps, URL) is not None


async def test_an_address_on_the_inside_is_never_asked(world):
    publish(world)
    world.documents.addresses = ("169.254.169.254",)
    assert "no public address" in await refusal(world)
    assert world.documents.dialled == []


@pytest.mark.parametrize(
    ("cache_control", "fresh_for"),
    [
        (None, 3600),
        ("max-age=600", 600),
        ("max-age=5", 60),
        ("no-store", 60),
        ("max-age=999999999", 86_400),
    ],
)
async def test_a_document_is_kept_as_long_as_its_host_says_within_bounds(
    world, cache_control, fresh_for
):
    publish(world, headers={} if cache_control is None else {"Cache-Control": cache_control})
    await find_client(world.deps, URL)
    world.clock.advance(fresh_for - 1)
    await find_client(world.deps, URL)
    assert len(world.documents.requests) == 1
    world.clock.advance(1)
    await find_client(world.deps, URL)
    assert len(world.documents.requests) == 2


async def test_a_document_that_cannot_be_fetched_again_is_not_believed_any_longer(world):
    publish(world)
    await find_client(world.deps, URL)
    world.clock.advance(3600)
    publish(world, status=500)
    await refusal(world)


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": ["http://localhost/callback", "https://client.example/cb"]},
        {"redirect_uris": ["http://localhost/callback"]},
        {"client_name": "Another name"},
    ],
)
async def test_a_change_of_what_was_consented_to_changes_the_fingerprint(world, change):
    publish(world)
    before = await find_client(world.deps, URL)
    world.clock.advance(3600)
    publish(world, DOCUMENT | change)
    after = await find_client(world.deps, URL)
    assert after.fingerprint != before.fingerprint
    assert world.only(ClientUpdated).changed == tuple(change)
    assert stored(world).created_at == world.clock.now() - 3600


async def test_a_change_of_anything_else_is_recorded_but_keeps_the_consent(world):
    publish(world)
    before = await find_client(world.deps, URL)
    world.clock.advance(3600)
    publish(world, DOCUMENT | {"software_version": "2", "tos_uri": "https://client.example/tos"})
    after = await find_client(world.deps, URL)
    assert after.fingerprint == before.fingerprint
    assert world.only(ClientUpdated).changed == ("software_version", "tos_uri")


async def test_the_same_document_again_changes_nothing(world):
    publish(world)
    await find_client(world.deps, URL)
    world.clock.advance(3600)
    reordered = DOCUMENT | {"redirect_uris": list(reversed(DOCUMENT["redirect_uris"]))}
    publish(world, reordered)
    before = stored(world).fingerprint
    assert (await find_client(world.deps, URL)).fingerprint == before


async def test_one_url_is_asked_only_so_often(world):
    for _ in range(3):
        await refusal(world)
    with pytest.raises(SlowDownError) as slow:
        await find_client(world.deps, URL)
    assert len(world.documents.requests) == 3
    assert 0 < slow.value.retry_after <= 60
    world.clock.advance(60)
    publish(world)
    assert await find_client(world.deps, URL) is not None


async def test_one_host_is_asked_only_so_often_for_urls_nobody_knows(world):
    publish(world)
    await find_client(world.deps, URL)
    for n in range(19):
        await refusal(world, f"https://client.example/unknown/{n}")
    with pytest.raises(SlowDownError):
        await find_client(world.deps, "https://client.example/unknown/19")
    world.clock.advance(59)
    assert len(world.documents.requests) == 20
    assert await find_client(world.deps, URL) is not None


async def test_one_peer_makes_us_ask_only_so_often_wherever_it_sends_us(world):
    def of(ip):
        return Context(network=Network(ip=ip))

    for n in range(20):
        with pytest.raises(InvalidClientError):
            await find_client(world.deps, f"https://h{n}.example/meta", context=of("2001:db8::1"))
    with pytest.raises(SlowDownError):
        await find_client(world.deps, "https://h20.example/meta", context=of("2001:db8::2"))
    with pytest.raises(InvalidClientError):
        await find_client(world.deps, "https://h20.example/meta", context=of("203.0.113.1"))
    assert len(world.documents.dialled) == 21


async def test_strangers_cannot_keep_a_known_client_of_the_same_host_from_being_refreshed(world):
    publish(world, headers={"Cache-Control": "max-age=60"})
    await find_client(world.deps, URL)
    world.clock.advance(60)
    for n in range(25):
        with pytest.raises((InvalidClientError, SlowDownError)):
            await find_client(world.deps, f"https://client.example/unknown/{n}")
    assert await find_client(world.deps, URL) is not None


async def test_only_the_hosts_that_the_repository_lists_are_asked(world):
    world.admit(document_hosts=(DocumentHost(host="other.example"),))
    publish(world)
    assert "`client.example` are not admitted" in await refusal(world)
    assert world.documents.requests == []
    world.admit(document_hosts=(DocumentHost(host="client.example"),))
    assert await find_client(world.deps, URL) is not None


async def test_where_documents_are_off_none_is_asked_and_a_known_one_ends(world):
    publish(world)
    await find_client(world.deps, URL)
    world.admit(metadata_documents=False)
    assert "not admitted here" in await refusal(world)


async def test_a_disabled_document_stays_disabled_and_is_not_asked(world):
    publish(world)
    await find_client(world.deps, URL)
    await world.database.run(
        lambda tx: disable_client(
            tx,
            URL,
            reason="misbehaved",
            catalog=world.directory.catalog,
            now=world.clock.now(),
            context=Context(),
        )
    )
    world.clock.advance(86_400)
    assert await find_client(world.deps, URL) is None
    assert len(world.documents.requests) == 1


async def test_a_client_is_not_known_whose_fetch_the_log_does_not_hold(world):
    publish(world)
    world.audit.failing = True
    with pytest.raises(Exception, match="audit log"):
        await find_client(world.deps, URL)
    world.audit.failing = False
    assert stored(world) is None


# -- terms per host -----------------------------------------------------------

APPROVED_HOST = DocumentHost(host="*.example", admission=Admission.APPROVE, owner="it@acme.example")


def decide(world, how):
    world.database.run_now(
        lambda tx: how(tx, URL, reason="known", now=world.clock.now(), context=Context())
    )


async def refresh(world, secret):
    return await world.http.post(
        "/token",
        data={"grant_type": "refresh_token", "refresh_token": secret, "client_id": URL},
    )


def granted(world):
    """A refresh token of a live grant of the client."""
    return world.refresh_token(world.grant(URL, agent_id="support-assistant"))


async def ask(world, **more):
    return await world.http.get(
        "/authorize",
        params={
            "response_type": "code",
            "client_id": URL,
            "redirect_uri": "http://localhost:3000/callback",
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
            "resource": "https://remit.example/mcp/crm",
        }
        | more,
    )


async def test_a_host_answers_for_its_documents_as_the_repository_in_force_says(world):
    world.admit(document_hosts=(DocumentHost(host="client.example", owner="one@acme.example"),))
    publish(world)
    client = await find_client(world.deps, URL)
    assert (client.owner, client.bounds.environment) == ("one@acme.example", None)
    assert world.only(ClientRegistered).rule == "client.example"
    bound = DocumentHost(
        host="*.example", owner="two@acme.example", environment=Environment("prod")
    )
    world.admit(document_hosts=(bound,))
    client = await known_client(world.deps, URL)
    assert (client.owner, client.bounds.environment) == ("two@acme.example", "prod")
    assert len(world.documents.requests) == 1


async def test_a_host_that_is_refused_ends_its_clients_and_is_not_asked(world):
    publish(world)
    await find_client(world.deps, URL)
    secret = granted(world)
    refused = DocumentHost(host="client.example", admission=Admission.REFUSE)
    world.admit(document_hosts=(refused, DocumentHost(host="*.example")))
    assert "`client.example` are not admitted" in await refusal(world)
    assert (await refresh(world, secret)).json()["error"] == "invalid_client"
    assert len(world.documents.requests) == 1


async def test_a_document_may_have_to_wait_for_approval(world):
    world.admit(document_hosts=(APPROVED_HOST,))
    publish(world)
    page = await ask(world)
    assert page.status_code == 403
    assert "waits for approval" in page.text
    (row,) = world.database.read_now(list_pending)
    assert (row.client_id, row.owner, row.rule) == (URL, "it@acme.example", "*.example")
    assert world.only(ClientQueued).registration == "metadata_document"
    assert await known_client(world.deps, URL) is None
    decide(world, approve_client)
    assert (await ask(world)).status_code == 303
    assert (await known_client(world.deps, URL)).status is ClientStatus.ADMITTED
    assert len(world.documents.requests) == 1


async def test_a_rejected_document_is_unknown_and_not_asked_again(world):
    world.admit(document_hosts=(APPROVED_HOST,))
    publish(world)
    await ask(world)
    decide(world, reject_client)
    world.clock.advance(86_400)
    page = await ask(world)
    assert page.status_code == 400
    assert "invalid_client" in page.text
    assert await known_client(world.deps, URL) is None
    assert len(world.documents.requests) == 1


async def test_a_host_that_is_to_be_approved_from_now_on_stops_what_nobody_approved(world):
    publish(world)
    await find_client(world.deps, URL)
    secret = granted(world)
    world.admit(document_hosts=(APPROVED_HOST,))
    assert (await refresh(world, secret)).json()["error"] == "invalid_client"
    assert (await ask(world)).status_code == 403
    assert len(world.database.read_now(list_pending)) == 1
    world.admit(document_hosts=(DocumentHost(host="*.example"),))
    assert (await ask(world)).status_code == 303
    assert world.database.read_now(list_pending) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": ["http://localhost/callback", "https://client.example/cb"]},
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": "https://client.example/jwks",
        },
    ],
)
async def test_an_approved_client_whose_redirect_uris_or_keys_change_waits_again(world, change):
    world.admit(document_hosts=(APPROVED_HOST,))
    publish(world)
    await ask(world)
    decide(world, approve_client)
    world.clock.advance(86_400)
    publish(world, DOCUMENT | {"client_name": "Renamed"})
    assert (await ask(world)).status_code == 303
    secret = granted(world)
    world.clock.advance(86_400)
    publish(world, DOCUMENT | change)
    assert (await ask(world)).status_code == 403
    assert (await refresh(world, secret)).json()["error"] == "invalid_client"
    row = stored(world)
    assert (row.status, row.queued_at, row.decided_by) == (
        ClientStatus.PENDING, world.clock.now(), None,
    )  # fmt: skip
    assert len(world.audit.of(ClientQueued)) == 2


async def test_a_repository_may_have_a_document_fetched_again_sooner_than_its_host_says(world):
    world.admit(document_hosts=(DocumentHost(host="client.example", max_fresh=120),))
    publish(world, headers={"Cache-Control": "max-age=86400"})
    await find_client(world.deps, URL)
    world.clock.advance(119)
    await find_client(world.deps, URL)
    assert len(world.documents.requests) == 1
    world.clock.advance(1)
    await find_client(world.deps, URL)
    assert len(world.documents.requests) == 2


async def test_a_document_gets_no_grant_beyond_the_code_flow(world):
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    publish(world, DOCUMENT | {"grant_types": ["authorization_code", exchange]})
    client = await find_client(world.deps, URL)
    assert client.grant_types == (GrantType.AUTHORIZATION_CODE,)


# -- what a change means for what was granted (AS-50) -----------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": ["http://localhost/callback"]},
        {"redirect_uris": ["http://localhost/callback", "https://attacker.example/cb"]},
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}]},
        },
        {"dpop_bound_access_tokens": True},
    ],
)
async def test_when_redirect_uris_or_keys_change_every_grant_given_before_ends(world, change):
    publish(world)
    await find_client(world.deps, URL)
    secret = granted(world)
    world.grant("billing:job")
    world.clock.advance(3_599)
    answer = await refresh(world, secret)
    assert answer.status_code == 200
    secret = answer.json()["refresh_token"]
    world.clock.advance(1)
    publish(world, DOCUMENT | change)
    await find_client(world.deps, URL)
    (ended,) = world.audit.of(GrantRevoked)
    assert (ended.reason, ended.context.client_id) == ("client_changed", URL)
    assert world.published, "the gateway has to know at once"
    response = await refresh(world, secret)
    assert response.status_code in {400, 401}
    assert response.json()["error"] in {"invalid_grant", "invalid_client"}


async def test_when_only_words_change_what_was_granted_stays(world):
    publish(world)
    await find_client(world.deps, URL)
    world.clock.advance(3_600)
    publish(world, DOCUMENT | {"client_name": "Renamed", "tos_uri": "https://client.example/tos"})
    secret = granted(world)
    await find_client(world.deps, URL)
    assert world.only(ClientUpdated).changed == ("client_name", "tos_uri")
    assert world.audit.of(GrantRevoked) == []
    assert (await refresh(world, secret)).status_code == 200


async def test_a_change_that_the_log_cannot_hold_has_not_happened(world):
    publish(world)
    await find_client(world.deps, URL)
    granted(world)
    world.clock.advance(86_400)
    publish(world, DOCUMENT | {"redirect_uris": ["https://client.example/cb"]})
    world.audit.failing = True
    with pytest.raises(Exception, match="audit log"):
        await find_client(world.deps, URL)
    world.audit.failing = False
    assert stored(world).metadata.redirect_uris == tuple(DOCUMENT["redirect_uris"])


async def test_one_network_makes_us_ask_only_so_often_even_for_clients_we_know(world, monkeypatch):
    monkeypatch.setattr(client_id_metadata, "_PER_PEER", 3)
    context = Context(network=Network(ip="203.0.113.9"))

    async def ask_for(name, context):
        url = f"https://client.example/{name}"
        publish(world, DOCUMENT | {"client_id": url}, path=f"/{name}")
        return await find_client(world.deps, url, context=context)

    for name in "abcd":
        await ask_for(name, Context(network=Network(ip=f"198.51.100.{ord(name)}")))
    world.clock.advance(86_400)
    for name in "abc":
        await ask_for(name, context)
    with pytest.raises(SlowDownError):
        await ask_for("d", context)
    await ask_for("d", Context(network=Network(ip="203.0.113.10")))
    world.clock.advance(60)
    await ask_for("a", context)
