"""How a client proves itself, driven through the revocation endpoint: 200 means it did."""

import json
from base64 import b64encode
from urllib.parse import quote_plus

import pytest

from remit.audit.context import Context
from remit.oauth.client_standing import disable_client

BILLING = ("billing:job", "billing's secret: 100% + more")


async def register(world, method):
    document = {"redirect_uris": ["http://localhost/cb"], "token_endpoint_auth_method": method}
    response = await world.http.post(
        "/register",
        content=json.dumps(document),
        headers={"Content-Type": "application/json"},
    )
    return response.json()["client_id"], response.json().get("client_secret")


def basic(name, password, *, encode=quote_plus):
    pair = f"{encode(name)}:{encode(password)}".encode()
    return {"Authorization": "Basic " + b64encode(pair).decode()}


async def show(world, form=None, headers=None, content=None):
    """Ask for something that any client may, with credentials in `form` or `headers`."""
    if content is not None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
        return await world.http.post("/revoke", content=content, headers=headers)
    return await world.http.post("/revoke", data={"token": "x"} | (form or {}), headers=headers)


def outcome(response):
    return (response.status_code, response.json().get("error") if response.content else None)


REFUSED = (401, "invalid_client")


async def test_a_public_client_names_itself(world):
    client_id, _ = await register(world, "none")
    assert outcome(await show(world, {"client_id": client_id})) == (200, None)
    assert outcome(await show(world, {"client_id": "desk"})) == (200, None)


async def test_a_public_client_that_sends_a_secret_is_refused(world):
    client_id, _ = await register(world, "none")
    assert outcome(await show(world, {"client_id": client_id, "client_secret": "x"})) == REFUSED
    assert outcome(await show(world, headers=basic(client_id, "x"))) == REFUSED


async def test_an_empty_secret_counts_as_none(world):
    client_id, _ = await register(world, "none")
    assert outcome(await show(world, {"client_id": client_id, "client_secret": ""})) == (200, None)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_secret_is_accepted_in_the_header_and_in_the_body(world, method):
    client_id, secret = await register(world, method)
    post = await show(world, {"client_id": client_id, "client_secret": secret})
    header = await show(world, headers=basic(client_id, secret))
    assert (outcome(post), outcome(header)) == ((200, None), (200, None))


async def test_the_secret_of_a_static_client_is_the_one_its_reference_names(world):
    name, secret = BILLING
    assert outcome(await show(world, {"client_id": name, "client_secret": secret})) == (200, None)
    assert outcome(await show(world, {"client_id": name, "client_secret": "other"})) == REFUSED
    assert outcome(await show(world, {"client_id": name})) == REFUSED
    reference = {"client_id": name, "client_secret": "env:BILLING_SECRET"}
    assert outcome(await show(world, reference)) == REFUSED


async def test_both_parts_of_the_header_are_form_decoded(world):
    """RFC 6749 §2.3.1: this identifier holds a colon, this secret a plus, a percent and blanks."""
    assert outcome(await show(world, headers=basic(*BILLING))) == (200, None)
    unencoded = await show(world, headers=basic(*BILLING, encode=str))
    assert outcome(unencoded) == REFUSED


async def test_the_same_client_id_beside_the_header_is_accepted_and_another_is_not(world):
    """The Python SDK sends both."""
    client_id, secret = await register(world, "client_secret_basic")
    headers = basic(client_id, secret)
    assert outcome(await show(world, {"client_id": client_id}, headers)) == (200, None)
    assert outcome(await show(world, {"client_id": "desk"}, headers)) == (400, "invalid_request")


async def test_two_methods_at_once_are_refused_even_when_they_agree(world):
    client_id, secret = await register(world, "client_secret_basic")
    both = await show(
        world, {"client_id": client_id, "client_secret": secret}, basic(client_id, secret)
    )
    assert outcome(both) == (400, "invalid_request")


async def test_two_headers_are_refused(world):
    client_id, secret = await register(world, "client_secret_basic")
    header = basic(client_id, secret)["Authorization"]
    response = await show(world, headers=[("Authorization", header), ("Authorization", header)])
    assert outcome(response) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["client_id", "client_secret", "token"])
async def test_a_repeated_parameter_is_refused(world, name):
    client_id, secret = await register(world, "client_secret_post")
    pairs = f"token=x&client_id={client_id}&client_secret={secret}"
    value = {"client_id": client_id, "client_secret": secret, "token": "x"}[name]
    response = await show(world, content=f"{pairs}&{name}={value}")
    assert outcome(response) == (400, "invalid_request")


@pytest.mark.parametrize("half", ["client_assertion", "client_assertion_type"])
async def test_half_an_assertion_is_never_taken_for_no_authentication(world, half):
    response = await show(world, {"client_id": "desk", half: "x"})
    assert outcome(response) == (400, "invalid_request")


async def test_a_request_without_a_client_is_refused(world):
    assert outcome(await show(world)) == (400, "invalid_request")


@pytest.mark.parametrize(
    "client_id", ["cli_unknown", "https://client.example/meta", "x" * 5000, "\u202e"]
)
async def test_an_unknown_client_is_refused_and_no_document_is_fetched_for_it(world, client_id):
    world.documents.serve("/meta", b"{}")
    assert outcome(await show(world, {"client_id": client_id})) == REFUSED
    assert world.documents.requests == []


async def test_a_disabled_client_is_unknown(world):
    client_id, secret = await register(world, "client_secret_post")
    for name in (client_id, "desk"):
        await world.database.run(
            lambda tx, name=name: disable_client(
                tx,
                name,
                reason="lost",
                catalog=world.directory.catalog,
                now=world.clock.now(),
                context=Context(),
            )
        )
    form = {"client_id": client_id, "client_secret": secret}
    assert outcome(await show(world, form)) == REFUSED
    assert outcome(await show(world, {"client_id": "desk"})) == REFUSED


async def test_the_scheme_is_named_only_when_a_header_was_tried(world):
    client_id, _ = await register(world, "client_secret_basic")
    tried = await show(world, headers=basic(client_id, "wrong"))
    assert tried.headers["www-authenticate"].startswith("Basic realm=")
    assert tried.headers["cache-control"] == "no-store"
    posted = await show(world, {"client_id": client_id, "client_secret": "wrong"})
    assert "www-authenticate" not in posted.headers


async def test_the_scheme_is_read_whatever_its_case(world):
    client_id, secret = await register(world, "client_secret_basic")
    credentials = basic(client_id, secret)["Authorization"].removeprefix("Basic ")
    response = await show(world, headers={"Authorization": f"bAsIc {credentials}"})
    assert outcome(response) == (200, None)


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b":secret").decode(),
        "Basic " + b64encode(b"desk:").decode(),
        "Basic " + b64encode(b"\xff\xfe:x").decode(),
        "Basic " + b64encode(b"%ff:x").decode(),
        "Basic " + b64encode(b"a%zz:x").decode(),
        "Basic " + b64encode(b"a%00:x").decode(),
        "Basic " + b64encode(b"a\0:x").decode(),
        "Basic " + b64encode(b"a:" + b"x" * 5000).decode(),
        "Basic " + b64encode(b"desk:x").decode() + "\x20junk",
        "Bearer abc",
        "Digest username=desk",
        "desk:x",
    ],
)
async def test_a_malformed_header_is_a_failed_authentication(world, header):
    response = await show(world, {"client_id": "desk"}, {"Authorization": header})
    assert outcome(response) == REFUSED
    assert "www-authenticate" in response.headers


async def test_wrong_secrets_from_one_address_are_limited_and_the_right_one_must_wait_too(world):
    client_id, secret = await register(world, "client_secret_post")
    right = {"client_id": client_id, "client_secret": secret}
    for _ in range(world.deps.limits.attempts_per_minute):
        assert outcome(await show(world, right | {"client_secret": "wrong"})) == REFUSED
    limited = await show(world, right)
    assert outcome(limited) == (429, "slow_down")
    assert 0 < int(limited.headers["retry-after"]) <= 60
    world.clock.advance(60)
    assert outcome(await show(world, right)) == (200, None)


async def test_guessing_at_one_client_does_not_lock_out_another(world):
    client_id, _ = await register(world, "client_secret_post")
    for _ in range(world.deps.limits.attempts_per_minute):
        await show(world, {"client_id": client_id, "client_secret": "wrong"})
    name, secret = BILLING
    assert outcome(await show(world, {"client_id": name, "client_secret": secret})) == (200, None)


async def test_a_right_secret_counts_for_nothing(world):
    name, secret = BILLING
    for _ in range(world.deps.limits.attempts_per_minute + 1):
        response = await show(world, {"client_id": name, "client_secret": secret})
    assert outcome(response) == (200, None)


async def test_a_secret_that_cannot_be_read_lets_nobody_in(world):
    agents = world.directory.catalog.agents
    object.__setattr__(agents["billing-job"].clients.static[0], "secret", "env:MISSING")
    response = await show(world, {"client_id": BILLING[0], "client_secret": "env:MISSING"})
    assert outcome(response) == (500, "server_error")
    assert "MISSING" not in response.text


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"token=x&client_id=%zz", {}),
        (b"token=x&client_id=%ff", {}),
        (b"token=x&client_id=de%00sk", {}),
        (b'{"token":"x","client_id":"desk"}', {"Content-Type": "application/json"}),
        (b"token=x&client_id=desk", {"Content-Type": "text/plain"}),
        (b"&".join(b"a%d=1" % n for n in range(200)), {}),
    ],
)
async def test_a_form_that_cannot_be_read_in_one_way_is_refused(world, content, headers):
    assert outcome(await show(world, content=content, headers=headers)) == (400, "invalid_request")


async def test_a_form_beyond_the_limit_is_refused(world):
    response = await show(world, content=b"token=" + b"x" * 70_000)
    assert outcome(response) == (413, "invalid_request")


async def test_credentials_in_the_query_are_not_read(world):
    response = await world.http.post("/revoke?client_id=desk", data={"token": "x"})
    assert outcome(response) == (400, "invalid_request")
