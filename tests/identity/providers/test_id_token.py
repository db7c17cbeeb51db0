"""An ID token by itself; every claim that is not of the log-in is refused in test_arrival.py."""

import hashlib
from base64 import urlsafe_b64encode

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from remit.canonical import canonical_bytes
from remit.clock import EpochSeconds
from remit.identity.providers.id_token import Expected, check_id_token
from remit.identity.providers.rejection import ProviderLoginError
from remit.ids import digest
from remit.tokens.foreign import UnknownKeyError
from remit.tokens.foreign_keys import parse_jwks

NOW = EpochSeconds(1_780_000_000)
KEYS = {
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "PS512": RSAKey.generate_key(2048),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}


def part(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def half_of(hashed):
    return part(hashed[: len(hashed) // 2])


def check(alg="ES256", *, keys=None, **says):
    claims = {
        "iss": "https://login.corp.example",
        "aud": "remit",
        "sub": "sub-1",
        "nonce": "nonce-1",
        "iat": NOW,
        "exp": NOW + 300,
    } | says
    text = f"{part(canonical_bytes({'alg': alg}))}.{part(canonical_bytes(claims))}"
    raw = f"{text}.{part(JWSRegistry.algorithms[alg].sign(text.encode(), KEYS[alg]))}"
    published = parse_jwks({"keys": [(keys or KEYS[alg]).as_dict(private=False)]})
    expected = Expected(
        issuer="https://login.corp.example",
        client_id="remit",
        algorithms=tuple(KEYS),
        nonce_digest=digest("nonce-1"),
        asked_at=NOW,
        max_age=None,
        access_token="at-1",
    )
    return check_id_token(raw, published, expected, now=NOW)


@pytest.mark.parametrize(
    ("alg", "hashed"),
    [("ES256", "sha256"), ("ES384", "sha384"), ("PS512", "sha512"), ("EdDSA", "sha512")],
)
def test_the_access_token_is_hashed_as_the_signature_is(alg, hashed):
    right = hashlib.new(hashed, b"at-1").digest()
    assert check(alg, at_hash=half_of(right)).subject == "sub-1"
    with pytest.raises(ProviderLoginError):
        check(alg, at_hash=half_of(hashlib.new(hashed, b"at-2").digest()))
    with pytest.raises(ProviderLoginError):
        check(alg, at_hash=part(right))


def test_what_it_says_of_the_log_in_is_read_as_far_as_it_is_well_formed():
    token = check(amr=["pwd", 7, "otp"], acr="phr", auth_time=NOW - 5)
    assert (token.amr, token.acr, token.auth_time) == (("pwd", "otp"), "phr", NOW - 5)
    token = check(amr={"mfa": True}, acr=7)
    assert (token.amr, token.acr, token.auth_time) == ((), None, None)


def test_a_time_that_is_no_time_is_refused():
    with pytest.raises(ProviderLoginError):
        check(auth_time="yesterday")


def test_an_unknown_key_is_told_apart_so_that_the_keys_are_looked_at_again():
    with pytest.raises(UnknownKeyError):
        check("ES256", keys=KEYS["ES384"])
