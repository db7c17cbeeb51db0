"""A bound token is worth nothing without its key, and a proof nothing a second time."""

from dataclasses import replace

import pytest

from remit.guard import Challenge, Deny, Permit, RefusalReason, refusal_response
from remit.guard.call import RequestProof
from remit.guard.possession import Possession
from remit.guard.replay_memory import ReplayMemory
from remit.testing.catalog import CRM, PAYMENTS, with_agent, with_server
from remit.testing.dpop import ProofKey
from remit.tokens import audience_of

URL = "https://remit.example"
URI = audience_of(URL, CRM)
KEY = ProofKey()


@pytest.fixture
def raw(world):
    """A token that is bound to `KEY`."""
    return world.raw(jkt=KEY.jkt)


def request(*values, method="POST", uri=URI):
    return RequestProof(method, uri, values)


def call_with(world, raw, proof, **changes):
    scheme = changes.pop("scheme", "DPoP")
    return world.call(authorization=(f"{scheme} {raw}",), proof=proof, **changes)


async def nonce_of(world, raw):
    """What a first answer offers."""
    proof = request()
    await world.guard.decide(call_with(world, raw, proof))
    return proof.next_nonce


async def good(world, raw, key=KEY, **changes):
    changes = {"token": raw, "nonce": await nonce_of(world, raw)} | changes
    return request(key.proof("POST", URI, at=world.clock.now(), **changes))


async def refused(world, raw, proof, **changes):
    outcome = await world.guard.decide(call_with(world, raw, proof, **changes))
    assert isinstance(outcome, Challenge), outcome
    assert outcome.dpop
    return outcome


async def test_who_has_the_key_may_call(world, raw):
    assert isinstance(
        await world.guard.decide(call_with(world, raw, await good(world, raw))), Permit
    )


async def test_the_first_request_is_told_the_nonce_and_the_log_says_so(world, raw):
    first = request(KEY.proof("POST", URI, at=world.clock.now(), token=raw))
    outcome = await refused(world, raw, first)
    assert outcome.reason is RefusalReason.NONCE_NEEDED
    assert first.next_nonce
    assert (world.recorded.outcome, world.recorded.reason) == ("challenge", "use_dpop_nonce")


async def test_a_proof_is_taken_once(world, raw):
    proof = await good(world, raw)
    assert isinstance(await world.guard.decide(call_with(world, raw, proof)), Permit)
    again = request(*proof.values)
    outcome = await refused(world, raw, again)
    assert (outcome.reason, outcome.detail) == (
        RefusalReason.INVALID_PROOF,
        "the proof was used before",
    )


async def test_one_request_may_be_put_to_the_guard_again_even_when_its_proof_is_old(world, raw):
    proof = await good(world, raw)
    for _ in range(3):
        assert isinstance(await world.guard.decide(call_with(world, raw, proof)), Permit)
        world.clock.advance(190)
        world.stand()


async def test_a_request_that_proved_one_token_proves_no_other(world, raw):
    proof = await good(world, raw)
    await world.guard.decide(call_with(world, raw, proof))
    other = world.raw(jkt=KEY.jkt, jti="jti_2")
    assert (await refused(world, other, proof)).reason is RefusalReason.INVALID_PROOF


async def test_a_bound_token_is_no_bearer_token_even_with_a_proof(world, raw):
    for proof in (None, request(), await good(world, raw)):
        outcome = await refused(world, raw, proof, scheme="Bearer")
        assert outcome.reason is RefusalReason.INVALID_TOKEN


async def test_an_unbound_token_is_no_bound_one(world):
    raw = world.raw()
    proof = request(KEY.proof("POST", URI, at=world.clock.now(), token=raw))
    outcome = await world.guard.decide(call_with(world, raw, proof))
    assert outcome.reason is RefusalReason.INVALID_TOKEN


async def test_a_bound_token_without_a_proof_is_refused(world, raw):
    for proof in (None, request()):
        outcome = await refused(world, raw, proof)
        assert outcome.reason is RefusalReason.INVALID_PROOF


async def test_two_proofs_are_none(world, raw):
    nonce = await nonce_of(world, raw)
    values = [
        KEY.proof("POST", URI, at=world.clock.now(), token=raw, nonce=nonce) for _ in range(2)
    ]
    assert (await refused(world, raw, request(*values))).reason is RefusalReason.INVALID_PROOF


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htu": audience_of(URL, PAYMENTS)},
        {"htu": "https://other.example/mcp/crm"},
        {"token": "another.access.token"},
        {"token": None},
        {"iat": 1},
        {"key": ProofKey()},
    ],
    ids=lambda changes: next(iter(changes)),  # keys differ from worker to worker
)
async def test_a_proof_of_anything_else_is_refused(world, raw, changes):
    outcome = await refused(world, raw, await good(world, raw, **changes))
    assert outcome.reason is RefusalReason.INVALID_PROOF


async def test_another_key_than_the_tokens_is_said_to_be_so(world, raw):
    outcome = await refused(world, raw, await good(world, raw, key=ProofKey()))
    assert outcome.detail == "the proof is of another key than the token's"


async def test_a_proof_made_for_one_process_is_not_taken_by_another(world, raw):
    proof = await good(world, raw)
    world.guard = world.new_guard()
    outcome = await refused(world, raw, proof)
    assert outcome.reason is RefusalReason.NONCE_NEEDED


async def test_an_old_nonce_is_refused_and_the_new_one_told(world, raw):
    old = await nonce_of(world, raw)
    world.clock.advance(240)
    world.stand()
    proof = await good(world, raw, nonce=old)
    assert (await refused(world, raw, proof)).reason is RefusalReason.NONCE_NEEDED
    assert proof.next_nonce not in {None, old}


async def test_a_wrong_proof_makes_a_bad_token_no_better(world):
    raw = world.raw(PAYMENTS, jkt=KEY.jkt)
    outcome = await refused(world, raw, await good(world, raw))
    assert outcome.reason is RefusalReason.INVALID_TOKEN


async def test_where_a_server_asks_for_bound_tokens_no_other_is_good(world, raw):
    catalog = world.directory.catalog
    world.directory.catalog = with_server(
        catalog, replace(catalog.servers[CRM], dpop_required=True)
    )
    outcome = await world.guard.decide(world.call())
    assert (outcome.reason, outcome.dpop) == (RefusalReason.INVALID_TOKEN, True)
    missing = await world.guard.decide(world.call(authorization=()))
    assert (missing.reason, missing.dpop) == (RefusalReason.MISSING_TOKEN, True)
    assert isinstance(
        await world.guard.decide(call_with(world, raw, await good(world, raw))), Permit
    )


async def test_where_an_agent_must_use_bound_tokens_no_other_is_good(world):
    catalog = world.directory.catalog
    world.directory.catalog = with_agent(
        catalog, replace(catalog.agents["assistant"], dpop_required=True)
    )
    outcome = await world.guard.decide(world.call())
    assert (outcome.reason, outcome.dpop) == (RefusalReason.INVALID_TOKEN, True)


async def test_a_step_up_of_a_bound_token_asks_for_a_bound_token(world):
    raw = world.raw(jkt=KEY.jkt, scopes=("crm:accounts.read",))
    proof = await good(world, raw)
    outcome = await refused(world, raw, proof, name="update_account")
    assert outcome.reason is RefusalReason.INSUFFICIENT_SCOPE


async def test_the_challenge_names_scheme_error_algorithms_and_metadata(world, raw):
    outcome = await refused(world, raw, request())
    response = refusal_response(outcome, resource_metadata_url="https://remit.example/m")
    assert response.status == 401
    assert dict(response.headers)["WWW-Authenticate"] == (
        'DPoP error="invalid_dpop_proof", '
        'error_description="the request must have exactly one `DPoP` header", '
        'resource_metadata="https://remit.example/m", algs="ES256 Ed25519 EdDSA"'
    )


async def test_what_cannot_be_remembered_is_not_taken_and_may_be_tried_again(world, raw):
    full = ReplayMemory(capacity=0)
    world.guard._ladder._authentication._presented._possession = Possession(full)
    outcome = await world.guard.decide(call_with(world, raw, await good(world, raw)))
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.TOO_MANY_PROOFS
    response = refusal_response(outcome, resource_metadata_url="https://remit.example/m")
    assert response.status == 503
    assert "Retry-After" in dict(response.headers)


async def test_a_bearer_token_is_offered_no_nonce(world):
    proof = request()
    await world.guard.decide(world.call(proof=proof))
    assert proof.next_nonce is None
