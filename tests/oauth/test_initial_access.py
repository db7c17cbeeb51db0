"""Initial access tokens, made by an administrator and shown at the registration endpoint."""

import asyncio

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import (
    ClientRegistered,
    ClientRegistrationRefused,
    InitialAccessTokenCreated,
    InitialAccessTokenRevoked,
)
from remit.errors import ConflictError, NotFoundError
from remit.model import AdmissionRule, Environment, RegistrationMode
from remit.oauth import (
    InitialAccessWanted,
    UnacceptableTokenError,
    client_store,
    create_initial_access_token,
    list_initial_access_tokens,
    revoke_initial_access_token,
)
from remit.oauth.initial_access_store import initial_access_tokens

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))
LOOPBACK = {"redirect_uris": ["http://localhost/callback"]}


@pytest.fixture
def gated(world):
    world.admit(mode=RegistrationMode.GATED)
    return world


def make(world, **wanted):
    """A token and its secret."""
    details = InitialAccessWanted(**({"owner": "team@acme.example"} | wanted))
    return world.database.run_now(
        lambda tx: create_initial_access_token(
            tx,
            details,
            catalog=world.directory.catalog,
            now=world.clock.now(),
            context=ADMIN,
        )
    )


def revoke(world, token_id, reason="left"):
    return world.database.run_now(
        lambda tx: revoke_initial_access_token(
            tx, token_id, reason=reason, now=world.clock.now(), context=ADMIN
        )
    )


async def register(world, authorization=None, document=LOOPBACK):
    headers = {} if authorization is None else {"Authorization": authorization}
    return await world.http.post("/register", json=document, headers=headers)


def rows(world):
    return world.database.read_now(client_store.select_clients)


def uses_left(world, token):
    (found,) = [
        one for one in world.database.read_now(list_initial_access_tokens) if one.id == token.id
    ]
    return found.uses_left


async def test_a_client_with_a_token_is_its_owners(gated):
    token, secret = make(gated, environment=Environment("prod"), note="for the desk")
    assert secret.startswith("rmt_iat_")
    response = await register(gated, f"Bearer {secret}")
    assert response.status_code == 201
    (row,) = rows(gated)
    assert (row.owner, row.bounds.environment, row.initial_access_token) == (
        "team@acme.example", "prod", token.id,
    )  # fmt: skip
    event = gated.only(ClientRegistered)
    assert (event.owner, event.environment, event.initial_access_token) == (
        "team@acme.example", "prod", token.id,
    )  # fmt: skip
    assert uses_left(gated, token) == 0


async def test_a_token_and_its_end_are_events_and_its_secret_is_nowhere(gated):
    token, secret = make(gated, uses=3)
    created = gated.only(InitialAccessTokenCreated)
    assert (created.token_id, created.owner, created.uses, created.expires) == (
        token.id, "team@acme.example", 3, gated.clock.now() + 86_400,
    )  # fmt: skip
    assert created.context.actor.id == token.created_by == "root"
    revoke(gated, token.id)
    assert gated.only(InitialAccessTokenRevoked).token_id == token.id
    assert secret not in repr(gated.audit.events)
    kept = gated.database.read_now(
        lambda tx: tx.connection.execute(initial_access_tokens.select()).one()
    )
    assert secret not in repr(kept)


async def test_without_a_token_the_challenge_names_the_scheme_and_no_error(gated):
    response = await register(gated)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    assert response.headers["www-authenticate"] == 'Bearer realm="remit"'
    assert response.headers["cache-control"] == "no-store"
    assert gated.only(ClientRegistrationRefused).error == "invalid_token"


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer rmt_iat_wrong",
        "bearer rmt_iat_wrong",
        "Bearer eyJhbGciOiJFUzI1NiJ9.e30.x",
        "Bearer ",
        "Bearer a b",
        "Bearer " + "a" * 2_000,
        "Bearer a,Bearer b",
    ],
)
async def test_a_token_that_is_none_is_told_so_in_the_words_of_the_standard(gated, authorization):
    make(gated)
    response = await register(gated, authorization)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    assert 'Bearer realm="remit", error="invalid_token"' in response.headers["www-authenticate"]
    assert rows(gated) == ()


async def test_another_scheme_is_as_good_as_nothing(gated):
    response = await register(gated, "Basic YTpi")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="remit"'


async def test_two_headers_are_refused(gated):
    _, secret = make(gated)
    response = await gated.http.post(
        "/register",
        json=LOOPBACK,
        headers=[("Authorization", f"Bearer {secret}"), ("Authorization", f"Bearer {secret}")],
    )
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("how", ["expired", "revoked", "used up"])
async def test_a_token_that_has_ended_is_refused_like_one_that_never_was(gated, how):
    token, secret = make(gated, lifetime=60)
    if how == "expired":
        gated.clock.advance(60)
    elif how == "revoked":
        revoke(gated, token.id)
    else:
        assert (await register(gated, f"Bearer {secret}")).status_code == 201
    before = len(rows(gated))
    refused = await register(gated, f"Bearer {secret}")
    unknown = await register(gated, "Bearer rmt_iat_unknown")
    assert (refused.status_code, refused.content) == (401, unknown.content)
    assert refused.headers["www-authenticate"] == unknown.headers["www-authenticate"]
    assert len(rows(gated)) == before


async def test_a_token_that_was_good_a_moment_before_its_end_is(gated):
    _, secret = make(gated, lifetime=60)
    gated.clock.advance(59)
    assert (await register(gated, f"Bearer {secret}")).status_code == 201


@pytest.mark.parametrize(
    "document",
    [{}, {"redirect_uris": ["javascript:alert(1)"]}, LOOPBACK | {"grant_types": ["implicit"]}],
)
async def test_a_registration_that_is_refused_spends_no_use(gated, document):
    token, secret = make(gated)
    assert (await register(gated, f"Bearer {secret}", document)).status_code == 400
    assert uses_left(gated, token) == 1
    assert (await register(gated, f"Bearer {secret}")).status_code == 201


async def test_a_registration_beyond_the_limit_of_its_network_spends_no_use(gated):
    gated.admit(per_hour=1)
    token, secret = make(gated, uses=5)
    assert (await register(gated, f"Bearer {secret}")).status_code == 201
    assert (await register(gated, f"Bearer {secret}")).status_code == 429
    assert uses_left(gated, token) == 4


async def test_a_registration_that_the_log_cannot_hold_spends_no_use(gated):
    token, secret = make(gated)
    gated.audit.failing = True
    assert (await register(gated, f"Bearer {secret}")).status_code == 503
    gated.audit.failing = False
    assert uses_left(gated, token) == 1


@pytest.mark.parametrize("uses", [1, 3])
async def test_of_many_at_once_no_more_succeed_than_there_are_uses(gated, uses):
    token, secret = make(gated, uses=uses)
    answers = await asyncio.gather(
        *(register(gated, f"Bearer {secret}") for _ in range(12)),
    )
    assert sorted(one.status_code for one in answers) == [201] * uses + [401] * (12 - uses)
    assert len(rows(gated)) == uses
    assert uses_left(gated, token) == 0


async def test_whoever_guesses_tokens_has_to_wait(gated):
    _, secret = make(gated)
    for _ in range(gated.deps.limits.attempts_per_minute):
        assert (await register(gated, "Bearer rmt_iat_guess")).status_code == 401
    response = await register(gated, f"Bearer {secret}")
    assert (response.status_code, response.json()["error"]) == (429, "slow_down")
    gated.clock.advance(60)
    assert (await register(gated, f"Bearer {secret}")).status_code == 201


async def test_where_everybody_may_register_a_token_still_says_whose_a_client_is(world):
    token, secret = make(world)
    assert (await register(world, f"Bearer {secret}")).status_code == 201
    (row,) = rows(world)
    assert row.owner == "team@acme.example"
    assert uses_left(world, token) == 0
    assert (await register(world, f"Bearer {secret}")).status_code == 401
    assert (await register(world, "Bearer something-of-the-client")).status_code == 201
    assert (await register(world)).status_code == 201


async def test_where_nobody_may_register_a_token_does_not_help(world):
    world.admit(mode=RegistrationMode.OFF)
    _, secret = make(world)
    assert (await register(world, f"Bearer {secret}")).status_code == 403


async def test_rule_and_token_must_agree_on_the_environment(gated):
    gated.declare(environments=(Environment("prod"), Environment("staging")))
    rule = AdmissionRule(
        name="staging",
        redirect_uris=("http://localhost/callback",),
        environment=Environment("staging"),
    )
    gated.admit(rules=(rule,))
    token, secret = make(gated, environment=Environment("prod"))
    response = await register(gated, f"Bearer {secret}")
    assert response.json()["error"] == "invalid_client_metadata"
    assert uses_left(gated, token) == 1
    _, free = make(gated)
    assert (await register(gated, f"Bearer {free}")).status_code == 201
    assert rows(gated)[0].bounds.environment == "staging"


@pytest.mark.parametrize(
    "wanted",
    [
        {"owner": ""},
        {"owner": " "},
        {"owner": "two\nlines"},
        {"owner": "x" * 201},
        {"note": "x" * 201},
        {"environment": Environment("nowhere")},
        {"uses": 0},
        {"uses": -1},
        {"uses": 10_001},
        {"lifetime": 59},
        {"lifetime": 366 * 86_400 + 1},
    ],
)
async def test_a_token_that_nobody_answers_for_or_without_bounds_is_not_made(world, wanted):
    with pytest.raises(UnacceptableTokenError):
        make(world, **wanted)
    assert world.database.read_now(list_initial_access_tokens) == ()
    assert world.kinds() == []


async def test_a_token_is_revoked_once(world):
    token, _ = make(world)
    assert revoke(world, token.id).revoked_at == world.clock.now()
    with pytest.raises(ConflictError):
        revoke(world, token.id)
    with pytest.raises(NotFoundError):
        revoke(world, "iat_unknown")
    assert not token.is_usable(world.clock.now() + 86_400)
