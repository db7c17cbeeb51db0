"""Who asks for a bound token has its key, and shows it once."""

import asyncio
from dataclasses import replace

import pytest
from flows import VERIFIER
from sqlalchemy import func, select

from remit.oauth.assertion_store import seen_assertions
from remit.testing.dpop import ProofKey
from remit.tokens.dpop import DPOP_ALGORITHMS
from remit.tokens.dpop_nonce import DpopNonces

URI = "https://remit.example/token"
BILLING = {"client_id": "billing:job", "client_secret": "billing's secret: 100% + more"}
FORM = BILLING | {"grant_type": "client_credentials", "resource": "https://remit.example/mcp/crm"}
KEY = ProofKey()


def proof(world, key=KEY, **changes):
    return key.proof("POST", URI, at=world.clock.now(), **changes)


async def ask(world, *proofs, form=FORM):
    headers = [("DPoP", one) for one in proofs]
    return await world.http.post("/token", data=form, headers=headers)


def claims(world, response):
    raw = response.json()["access_token"]
    return world.deps.verifier.verify(raw, audience="https://remit.example/mcp/crm")


def remembered(world):
    count = select(func.count()).select_from(seen_assertions)
    return world.database.read_now(lambda tx: tx.connection.execute(count).scalar())


async def refused(world, *proofs, error="invalid_dpop_proof", form=FORM):
    response = await ask(world, *proofs, form=form)
    assert (response.status_code, response.json()["error"]) == (400, error), response.text
    assert response.headers["cache-control"] == "no-store"
    return response


@pytest.mark.parametrize("algorithm", DPOP_ALGORITHMS)
async def test_a_token_is_bound_to_the_key_that_was_proved(world, algorithm):
    key = ProofKey(algorithm)
    response = await ask(world, proof(world, key))
    assert response.status_code == 200
    assert response.json()["token_type"] == "DPoP"
    assert claims(world, response).jkt == key.jkt


async def test_without_a_proof_a_token_is_a_bearer_token_and_no_nonce_is_offered(world):
    response = await ask(world)
    assert response.json()["token_type"] == "Bearer"
    assert claims(world, response).jkt is None
    assert "dpop-nonce" not in response.headers


async def test_a_proof_is_taken_once(world):
    used = proof(world)
    assert (await ask(world, used)).status_code == 200
    assert (await refused(world, used)).json()["error_description"] == "the proof was used before"


async def test_of_two_that_show_the_same_proof_at_once_one_gets_a_token(world):
    used = proof(world)
    answers = await asyncio.gather(*(ask(world, used) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


async def test_another_process_of_the_same_remit_takes_it_no_second_time(world):
    """What is remembered is in the database; `nonces` has one key for all."""
    used = proof(world, nonce=world.deps.nonces.at(world.clock.now()))
    assert (await ask(world, used)).status_code == 200
    world.clock.advance(200)
    await refused(world, used)


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": "https://remit.example/introspect"},
        {"htu": "https://other.example/token"},
        {"token": "an.access.token"},
        {"iat": 1},
        {"jti": None},
        {"header": {"typ": "jwt"}},
        {"header": {"alg": "none"}},
        {"header": {"jwk": None}},
        {"header": {"jwk": KEY.public_jwk | {"d": "AAAA"}}},
        {"header": {"jwk": ProofKey().public_jwk}},
    ],
    ids=lambda changes: next(iter(changes)),  # keys differ from worker to worker
)
async def test_what_is_no_proof_of_this_request_gets_nothing_and_leaves_nothing(world, changes):
    await refused(world, proof(world, **changes))
    assert remembered(world) == 0


async def test_two_proofs_are_none(world):
    await refused(world, proof(world), proof(world))
    await refused(world, "")


async def test_every_answer_to_a_proof_offers_a_nonce(world):
    nonce = world.deps.nonces.at(world.clock.now())
    good, bad = await ask(world, proof(world)), await refused(world, "x")
    assert good.headers["dpop-nonce"] == bad.headers["dpop-nonce"] == nonce
    wrong = await ask(world, proof(world), form=FORM | {"client_secret": "wrong"})
    assert (wrong.status_code, wrong.headers["dpop-nonce"]) == (401, nonce)


async def test_a_nonce_that_is_not_good_is_told_the_one_that_is(world):
    for nonce in ("x", DpopNonces(b"o" * 32).at(world.clock.now())):
        response = await refused(world, proof(world, nonce=nonce), error="use_dpop_nonce")
        again = proof(world, nonce=response.headers["dpop-nonce"])
        assert (await ask(world, again)).status_code == 200


async def test_a_clock_that_is_off_is_helped_by_a_nonce(world):
    off = world.clock.now() - 200
    response = await refused(world, proof(world, iat=off), error="use_dpop_nonce")
    nonce = response.headers["dpop-nonce"]
    assert (await ask(world, proof(world, iat=off, nonce=nonce))).status_code == 200


async def test_a_client_that_proved_nothing_of_itself_leaves_no_trace_of_its_proof(world):
    used = proof(world)
    assert (await ask(world, used, form=FORM | {"client_secret": "wrong"})).status_code == 401
    assert remembered(world) == 0
    assert (await ask(world, used)).status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "authorization_code", "client_id": "portal", "code": "x"},
        {"grant_type": "refresh_token", "client_id": "portal", "refresh_token": "x"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x.y.z"},
        {"grant_type": "client_credentials", "client_id": "portal"},
        {"grant_type": "nothing", "client_id": "portal"},
    ],
    ids=lambda form: form["grant_type"],
)
async def test_strangers_with_keys_of_their_own_leave_no_trace(server, form):
    """Anybody can make keys and proofs, and name a client that has no secret."""
    for _ in range(3):
        response = await server.browser().client.post(
            "/token", data=form, headers={"DPoP": proof(server, ProofKey())}
        )
        assert response.status_code == 400
    assert remembered(server) == 0


async def test_the_same_request_twice_ends_no_grant_and_another_proof_is_a_thief(server):
    await server.add_user()
    code, used = await server.code(), proof(server)
    http = server.browser().client
    fields = {
        "grant_type": "authorization_code",
        "client_id": "portal",
        "code": code,
        "code_verifier": VERIFIER,
    }
    sent = [http.post("/token", data=fields, headers={"DPoP": used}) for _ in range(3)]
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]
    refusals = {one.json()["error"] for one in answers if one.status_code == 400}
    assert refusals == {"invalid_dpop_proof"}
    assert remembered(server) == 1
    (refresh_token,) = {one.json()["refresh_token"] for one in answers if one.status_code == 200}
    form = {"grant_type": "refresh_token", "client_id": "portal", "refresh_token": refresh_token}
    again = await http.post("/token", data=form, headers={"DPoP": proof(server)})
    assert again.status_code == 200  # the grant stands
    replayed = await http.post("/token", data=fields, headers={"DPoP": proof(server)})
    assert replayed.json()["error"] == "invalid_grant"
    form["refresh_token"] = again.json()["refresh_token"]
    over = await http.post("/token", data=form, headers={"DPoP": proof(server)})
    assert over.json()["error"] == "invalid_grant"
    assert remembered(server) == 2


async def test_a_proof_is_good_again_after_a_refusal_that_changed_nothing(world):
    used = proof(world)
    response = await ask(world, used, form=FORM | {"scope": "nothing:known"})
    assert response.json()["error"] == "invalid_scope"
    assert (await ask(world, used)).status_code == 200


async def test_a_server_that_takes_only_bound_tokens_gets_no_others_made(world):
    catalog = world.directory.catalog
    crm = replace(catalog.servers["crm"], dpop_required=True)
    world.declare(servers={"crm": crm})
    await refused(world)
    assert (await ask(world, proof(world))).status_code == 200


async def test_an_agent_that_must_prove_its_key_gets_no_bearer_tokens(world):
    catalog = world.directory.catalog
    agents = dict(catalog.agents)
    agents["billing-job"] = replace(agents["billing-job"], dpop_required=True)
    world.declare(agents=agents)
    await refused(world)
    assert (await ask(world, proof(world))).status_code == 200


async def test_a_client_that_registered_for_bound_tokens_gets_no_others(world):
    catalog = world.directory.catalog
    agents = dict(catalog.agents)
    job = agents["billing-job"]
    (client,) = job.clients.static
    bound = replace(client, dpop_bound_access_tokens=True)
    agents["billing-job"] = replace(job, clients=replace(job.clients, static=(bound,)))
    world.declare(agents=agents)
    await refused(world)
    assert (await ask(world, proof(world))).json()["token_type"] == "DPoP"


async def test_the_algorithms_are_advertised_and_all_are_asymmetric(world):
    metadata = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["dpop_signing_alg_values_supported"] == ["ES256", "Ed25519", "EdDSA"]


async def test_scripts_may_send_proofs_and_read_nonces(world):
    origin = {"Origin": "https://page.example"}
    asked = await world.http.options("/token", headers=origin)
    assert "DPoP" in asked.headers["access-control-allow-headers"].split(", ")
    response = await world.http.post("/token", data=FORM, headers=origin | {"DPoP": proof(world)})
    assert "DPoP-Nonce" in response.headers["access-control-expose-headers"].split(", ")


async def test_no_proof_reaches_the_log(world):
    used = proof(world)
    await ask(world, used)
    await refused(world, used)
    text = repr(world.audit.events)
    assert used.split(".")[1] not in text
