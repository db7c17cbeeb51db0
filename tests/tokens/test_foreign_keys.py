"""The keys of somebody else: which of them are used, and for what."""

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from remit.tokens.foreign_keys import ASYMMETRIC_ALGORITHMS, UnusableKeysError, parse_jwks

P256 = ECKey.generate_key("P-256", parameters={"kid": "ec"})


def public(key, **extra):
    return key.as_dict(private=False) | extra


def parsed(*keys):
    return parse_jwks({"keys": list(keys)})


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (P256, ("ES256",)),
        (ECKey.generate_key("P-384"), ("ES384",)),
        (OKPKey.generate_key("Ed25519"), ("EdDSA", "Ed25519")),
        (RSAKey.generate_key(2048), ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    ],
)
def test_a_public_key_is_good_for_the_algorithms_of_its_type(key, algorithms):
    (found,) = parsed(public(key))
    assert found.algorithms == algorithms
    assert set(algorithms) <= set(ASYMMETRIC_ALGORITHMS)


def test_a_key_that_names_its_algorithm_is_good_for_that_one():
    (found,) = parsed(public(P256, alg="ES256", use="sig", key_ops=["verify"]))
    assert found.algorithms == ("ES256",)


@pytest.mark.parametrize(
    "odd",
    [
        public(P256, use="enc"),
        public(P256, key_ops=["encrypt"]),
        public(P256, key_ops="verify"),
        public(P256, alg="ES384"),
        public(P256, kid=1),
        public(P256, crv="P-999"),
        public(P256, x="AA"),
        public(ECKey.generate_key("secp256k1")),
        public(OKPKey.generate_key("X25519")),
        {"kty": "RSA", "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": ["EC"]},
        {},
    ],
)
def test_an_odd_key_is_passed_over_and_the_others_stay(odd):
    assert [key.kid for key in parsed(odd, public(P256, kid="good"))] == ["good"]


@pytest.mark.parametrize(
    "keys",
    [
        [OctKey.generate_key(256).as_dict(private=True)],
        [P256.as_dict(private=True)],
        [public(P256), public(ECKey.generate_key("P-256"), kid="ec")],
        [public(P256, kid=str(number)) for number in range(65)],
        ["not an object"],
        "not a list",
    ],
)
def test_a_set_that_should_not_be_is_refused_whole(keys):
    with pytest.raises(UnusableKeysError):
        parse_jwks({"keys": keys})


def test_what_is_not_a_key_set_is_refused():
    with pytest.raises(UnusableKeysError):
        parse_jwks({})


def test_an_empty_set_has_no_keys():
    assert parsed() == ()
