"""Which proofs hold, and for which request."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.testing.dpop import ProofKey
from remit.tokens.dpop import (
    DPOP_ALGORITHMS,
    InvalidProofError,
    NonceNeededError,
    Occasion,
    check_proof,
    token_hash,
)
from remit.tokens.dpop_nonce import DpopNonces

NOW = 1_767_625_200
URI = "https://remit.example/token"
NONCES = DpopNonces(b"n" * 32)
AT_TOKEN = Occasion(method="POST", uri=URI, now=NOW)
AT_RESOURCE = Occasion(
    method="POST", uri="https://remit.example/mcp/crm", now=NOW, access_token="a.b.c"
)
KEY = ProofKey()

# RFC 9449 §4.1 and §7.1: the examples, whose times are long past.
RFC_TOKEN_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZ"
    "OXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIs"
    "ImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVy"
    "LmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFL"
    "bdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RFC_THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def check(raw, occasion=AT_TOKEN, *, required=False):
    values = raw if isinstance(raw, list) else [raw]
    return check_proof(values, occasion, NONCES, nonce_required=required)


def proof(occasion=AT_TOKEN, key=KEY, **changes):
    return key.proof(
        occasion.method, occasion.uri, at=occasion.now, token=occasion.access_token, **changes
    )


def refused(raw, occasion=AT_TOKEN, **how):
    with pytest.raises(InvalidProofError) as caught:
        check(raw, occasion, **how)
    return caught.value


def encoded(value) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_example_of_the_rfc_holds_in_its_time():
    occasion = Occasion(method="POST", uri="https://server.example.com/token", now=1_562_262_616)
    found = check(RFC_TOKEN_PROOF, occasion)
    assert (found.jkt, found.jti, found.nonce) == (RFC_THUMBPRINT, "-BwC3ESc6acc2lTc", None)


def test_the_hash_of_an_access_token_is_that_of_the_rfc():
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    assert token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


@pytest.mark.parametrize("algorithm", DPOP_ALGORITHMS)
def test_every_algorithm_that_is_named_is_taken(algorithm):
    key = ProofKey(algorithm)
    assert check(proof(key=key)).jkt == key.jkt
    assert check(proof(AT_RESOURCE, key=key), AT_RESOURCE).jkt == key.jkt


def test_two_proofs_of_a_key_have_two_ids_and_two_keys_with_one_jti_have_two():
    first, second = check(proof()), check(proof())
    assert first.id != second.id
    others = {check(proof(key=key, jti="same")).id for key in (ProofKey(), ProofKey())}
    assert len(others) == 2


@pytest.mark.parametrize("number", [0, 2])
def test_there_is_exactly_one_header(number):
    assert "exactly one" in refused([proof()] * number).detail


@pytest.mark.parametrize("raw", ["", "x", "a.b", "a.b.c", "é.é.é", "..", "a.b.c.d", "x" * 5_000])
def test_what_is_no_jwt_is_refused(raw):
    refused(raw)


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "DPOP+JWT", "application/dpop+jwt", 7])
def test_another_type_is_refused(typ):
    refused(proof(header={"typ": typ}))


@pytest.mark.parametrize("alg", [None, "none", "HS256", "RS256", "ES384", "Ed448", "es256", 7])
def test_another_algorithm_is_refused(alg):
    refused(proof(header={"alg": alg}))


def test_a_proof_signed_with_a_shared_secret_or_not_at_all_is_refused():
    header, payload, _ = proof().split(".")
    refused(f"{header}.{payload}.")
    unsigned = encoded({"typ": "dpop+jwt", "alg": "none", "jwk": KEY.public_jwk})
    refused(f"{unsigned}.{payload}.")


def test_the_key_of_an_algorithm_is_of_its_kind():
    refused(proof(header={"jwk": ProofKey("Ed25519").public_jwk}))
    refused(proof(header={"jwk": KEY.public_jwk | {"crv": "P-384"}}))


@pytest.mark.parametrize("name", ["d", "k", "p", "q", "dp", "dq", "qi", "oth"])
def test_a_private_key_is_refused_whatever_it_is_called(name):
    assert "private" in refused(proof(header={"jwk": KEY.public_jwk | {name: "AAAA"}})).detail


def test_what_else_a_key_says_is_passed_over():
    jwk = KEY.public_jwk | {"use": "sig", "alg": "ES256", "kid": "mine", "key_ops": ["verify"]}
    assert check(proof(header={"jwk": jwk})).jkt == KEY.jkt


@pytest.mark.parametrize("jwk", [None, "x", [], {}, {"kty": "EC"}, {"kty": "oct", "k": "AAAA"}])
def test_a_proof_holds_its_key(jwk):
    refused(proof(header={"jwk": jwk}))


@pytest.mark.parametrize("x", ["", "AA", "A" * 44, "=" * 43, "é" * 43, "A" * 43, 7, None])
def test_a_malformed_coordinate_is_refused(x):
    jwk = {name: value for name, value in (KEY.public_jwk | {"x": x}).items() if value is not None}
    refused(proof(header={"jwk": jwk}))


def test_a_coordinate_in_another_spelling_is_refused():
    x = KEY.public_jwk["x"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = x[:-1] + alphabet[alphabet.index(x[-1]) + 1]
    refused(proof(header={"jwk": KEY.public_jwk | {"x": other}}))


@pytest.mark.parametrize("name", ["crit", "b64", "jku", "x5c", "x5u", "whatever"])
def test_anything_else_in_the_header_is_refused(name):
    refused(proof(header={name: ["x"]}))


@pytest.mark.parametrize("name", ["jti", "htm", "htu", "iat"])
@pytest.mark.parametrize("value", [None, [], {}, True, "", "x" * 3_000])
def test_every_claim_is_there_and_of_its_type(name, value):
    refused(proof(**{name: value}))


@pytest.mark.parametrize("jti", ["x" * 257, 7])
def test_a_jti_is_of_bounded_length(jti):
    refused(proof(jti=jti))
    assert check(proof(jti="x" * 256)).jti == "x" * 256


def test_a_claim_that_comes_twice_is_refused():
    claims = f'{{"jti":"a","jti":"b","htm":"POST","htu":"{URI}","iat":{NOW}}}'
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.public_jwk}
    refused(KEY.signed(header, claims.encode()))
    once = claims.replace('"jti":"b",', "")
    assert check(KEY.signed(header, once.encode())).jti == "a"


@pytest.mark.parametrize("method", ["GET", "post", "PUT"])
def test_a_proof_for_another_method_is_refused(method):
    refused(proof(htm=method))


@pytest.mark.parametrize(
    "htu",
    [
        "https://remit.example/token?x=1",
        "https://remit.example/token#x",
        "HTTPS://REMIT.example/token",
        "https://remit.example:443/token",
    ],
)
def test_addresses_that_the_rfc_calls_equal_are_equal(htu):
    assert check(proof(htu=htu)).jkt == KEY.jkt


@pytest.mark.parametrize(
    "htu",
    [
        "http://remit.example/token",
        "https://remit.example/token/",
        "https://remit.example/TOKEN",
        "https://remit.example/x/../token",
        "https://remit.example/%74oken",
        "https://remit.example:8443/token",
        "https://remit.example.evil/token",
        "https://me@remit.example/token",
        "https://remit.example",
        "/token",
        "https://[::1/token",
        "https://remit.example:x/token",
    ],
)
def test_every_other_address_is_another(htu):
    refused(proof(htu=htu))


def test_at_a_resource_the_proof_names_the_token_it_comes_with():
    assert check(proof(AT_RESOURCE), AT_RESOURCE).jkt == KEY.jkt
    refused(proof(AT_RESOURCE, ath=None), AT_RESOURCE)
    refused(proof(AT_RESOURCE), replace(AT_RESOURCE, access_token="a.b.d"))


def test_a_proof_for_a_resource_gets_no_token():
    refused(proof(ath=token_hash("a.b.c")))


@pytest.mark.parametrize("age", [-5, 0, 60])
def test_a_proof_is_of_now(age):
    assert check(proof(iat=NOW - age)).jkt == KEY.jkt


@pytest.mark.parametrize("age", [-6, 61, 300, -300])
def test_a_clock_that_is_a_little_off_is_told_to_use_a_nonce(age):
    assert isinstance(refused(proof(iat=NOW - age)), NonceNeededError)
    assert check(proof(iat=NOW - age, nonce=NONCES.at(NOW))).jkt == KEY.jkt


@pytest.mark.parametrize("age", [301, -301, 10_000])
def test_a_proof_of_another_time_is_refused_with_a_nonce_and_without(age):
    for more in ({}, {"nonce": NONCES.at(NOW)}):
        assert not isinstance(refused(proof(iat=NOW - age, **more)), NonceNeededError)


def test_where_a_nonce_is_required_a_proof_without_one_is_told_so():
    assert isinstance(refused(proof(), required=True), NonceNeededError)
    assert check(proof(nonce=NONCES.at(NOW)), required=True).nonce == NONCES.at(NOW)


@pytest.mark.parametrize("nonce", ["x", DpopNonces(b"o" * 32).at(NOW), NONCES.at(NOW - 1_000)])
def test_a_nonce_that_is_not_good_is_refused_even_where_none_is_required(nonce):
    assert isinstance(refused(proof(nonce=nonce)), NonceNeededError)


def test_a_nonce_is_a_text():
    for nonce in (7, "", []):
        refused(proof(nonce=nonce))


def test_a_proof_that_was_changed_is_refused():
    header, _, signature = proof().split(".")
    _, payload, _ = proof(jti="other").split(".")
    assert "signature" in refused(f"{header}.{payload}.{signature}").detail


def test_a_proof_of_another_key_is_refused():
    assert "signature" in refused(proof(header={"jwk": ProofKey().public_jwk})).detail


def test_a_signature_of_another_length_is_refused():
    raw = proof()
    refused(raw[:-4])
    refused(raw + "AAAA")


@given(st.text(max_size=200))
def test_no_text_whatever_breaks_it(text):
    refused(text)
    refused(f"{encoded(text.encode('utf-8', 'replace'))}.{encoded({})}.AA")
