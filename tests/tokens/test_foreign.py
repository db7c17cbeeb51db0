"""A JWT of somebody else: what is believed, and everything that is not."""

from base64 import urlsafe_b64encode

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from remit.canonical import canonical_bytes
from remit.tokens.foreign import (
    FUTURE_LEEWAY,
    MAX_FOREIGN_LENGTH,
    InvalidForeignJwtError,
    UnknownKeyError,
    audiences_of,
    read_foreign,
    time_claim,
    verify_foreign,
)
from remit.tokens.foreign_keys import parse_jwks

NOW = 1_780_000_000
P256 = ECKey.generate_key("P-256", parameters={"kid": "ec"})
ED25519 = OKPKey.generate_key("Ed25519", parameters={"kid": "ed"})
RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa"})
CLAIMS = {"iss": "https://idp.example", "iat": NOW, "exp": NOW + 300}


def jwks(*keys, **extra):
    return {"keys": [key.as_dict(private=False) | extra for key in keys]}


def part(value):
    return urlsafe_b64encode(canonical_bytes(value)).rstrip(b"=").decode()


def signed(key=P256, *, alg="ES256", header=None, **claims):
    said = {"alg": alg, "kid": key.kid, "typ": "JWT"} | (header or {})
    said = {name: value for name, value in said.items() if value is not None}
    payload = {name: one for name, one in (CLAIMS | claims).items() if one is not None}
    text = f"{part(said)}.{part(payload)}"
    signature = jws.JWSRegistry.algorithms[alg].sign(text.encode(), key)
    return f"{text}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def verify(raw, *, keys=None, algorithms=("ES256", "RS256", "EdDSA"), types=("jwt",), now=NOW):
    known = parse_jwks(jwks(P256, ED25519, RSA)) if keys is None else keys
    return verify_foreign(raw, known, algorithms=algorithms, types=types, now=now)


def refused(raw, reason, **circumstances):
    with pytest.raises(InvalidForeignJwtError) as caught:
        verify(raw, **circumstances)
    assert caught.value.reason == reason
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize(
    ("key", "alg"), [(P256, "ES256"), (RSA, "RS256"), (RSA, "PS512"), (ED25519, "EdDSA")]
)
def test_a_jwt_signed_by_a_published_key_is_believed(key, alg):
    assert verify(signed(key, alg=alg), algorithms=(alg,)).claims == CLAIMS


def test_what_is_read_before_it_is_verified_is_the_same():
    assert read_foreign(signed()).claims == verify(signed()).claims


def test_a_header_may_point_anywhere_and_is_not_followed():
    own = ECKey.generate_key("P-256")
    header = {
        "jwk": own.as_dict(private=False),
        "jku": "https://attacker.example/keys",
        "x5u": "https://attacker.example/chain",
        "x5c": ["AAAA"],
    }
    assert verify(signed(header=header)).header["jku"] == "https://attacker.example/keys"
    refused(signed(own, header=header | {"kid": "ec"}), "signature")


@pytest.mark.parametrize("raw", ["", "a.b", "a.b.c.d", "a.b.c", "é.b.c", "a==.b.c"])
def test_what_is_not_three_parts_of_base64url_is_refused(raw):
    refused(raw, "malformed")


def test_no_part_may_be_spelt_in_two_ways():
    raw = signed()
    assert raw[-1] in "AQgw"  # 64 bytes leave four bits, which must be zero
    refused(raw[:-1] + chr(ord(raw[-1]) + 1), "malformed")


def test_a_jwt_that_is_too_long_is_refused():
    refused("a" * (MAX_FOREIGN_LENGTH + 1), "malformed")


def test_a_claim_that_comes_twice_is_refused():
    head, _, signature = signed().split(".")
    twice = urlsafe_b64encode(b'{"sub":"a","sub":"b"}').rstrip(b"=").decode()
    refused(f"{head}.{twice}.{signature}", "malformed")


@pytest.mark.parametrize("extension", [{"crit": ["exp"]}, {"b64": False}])
def test_an_extension_that_is_demanded_is_refused(extension):
    refused(signed(header=extension), "malformed")


def test_none_is_refused_however_it_comes():
    text = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(CLAIMS)}"
    refused(f"{text}.", "algorithm")
    refused(f"{text}.AA", "algorithm", algorithms=("none", "ES256"))


def test_a_public_key_is_not_a_shared_secret():
    secret = OctKey.import_key({"kty": "oct", "k": part(RSA.as_dict(private=False))})
    raw = signed(secret, alg="HS256", header={"kid": "rsa"})
    refused(raw, "algorithm", algorithms=("HS256", "RS256"))


def test_an_algorithm_that_was_not_allowed_is_refused():
    refused(signed(RSA, alg="RS256"), "algorithm", algorithms=("ES256",))


def test_an_algorithm_that_does_not_fit_the_key_is_refused():
    refused(signed(header={"kid": "rsa"}), "unknown_key")


def test_a_key_is_used_with_the_algorithm_it_names_alone():
    keys = parse_jwks(jwks(RSA, alg="PS256"))
    refused(signed(RSA, alg="RS256"), "unknown_key", keys=keys)


@pytest.mark.parametrize("kind", ["at+jwt", "oauth-id-jag+jwt", "", 1])
def test_another_type_is_refused(kind):
    refused(signed(header={"typ": kind}), "type")


@pytest.mark.parametrize("kind", [None, "jwt", "JWT", "application/jwt"])
def test_a_type_may_be_spelt_as_the_standard_allows(kind):
    assert verify(signed(header={"typ": kind}), types=("jwt", ""))


def test_a_key_nobody_publishes_is_told_from_a_bad_signature():
    with pytest.raises(UnknownKeyError):
        verify(signed(ECKey.generate_key("P-256", parameters={"kid": "new"})))
    refused(signed(ECKey.generate_key("P-256", parameters={"kid": "ec"})), "signature")


def test_without_a_key_name_there_may_be_one_key_only():
    raw = signed(header={"kid": None})
    assert verify(raw)
    two = parse_jwks(jwks(P256, ECKey.generate_key("P-256", parameters={"kid": "other"})))
    refused(raw, "unknown_key", keys=two)


def test_a_changed_payload_is_refused():
    head, _, signature = signed().split(".")
    refused(f"{head}.{part(CLAIMS | {'sub': 'admin'})}.{signature}", "signature")


@pytest.mark.parametrize("size", [0, 63, 65, 72])
def test_a_signature_of_another_length_is_refused(size):
    text = signed().rpartition(".")[0]
    tail = urlsafe_b64encode(b"\1" * size).rstrip(b"=").decode()
    refused(f"{text}.{tail}", "signature" if size else "algorithm")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": None}, "expired"),
        ({"exp": NOW}, "expired"),
        ({"exp": "tomorrow"}, "malformed"),
        ({"exp": True}, "malformed"),
        ({"exp": -1}, "malformed"),
        ({"exp": 2**60}, "malformed"),
        ({"iat": NOW + FUTURE_LEEWAY + 1}, "not_yet"),
        ({"iat": NOW + 20, "exp": NOW + 10}, "not_yet"),
        ({"nbf": NOW + FUTURE_LEEWAY + 1}, "not_yet"),
    ],
)
def test_times_that_do_not_hold_now_are_refused(claims, reason):
    refused(signed(**claims), reason)


def test_a_clock_may_be_a_little_ahead():
    assert verify(signed(iat=NOW + FUTURE_LEEWAY, nbf=NOW + FUTURE_LEEWAY))


def test_a_time_may_have_a_fraction():
    assert time_claim({"exp": 12.9}, "exp") == 12
    assert time_claim({}, "exp") is None


def test_audiences_are_a_text_or_a_list_of_texts():
    assert audiences_of({"aud": "a"}) == ("a",)
    assert audiences_of({"aud": ["a", "b"]}) == ("a", "b")
    assert audiences_of({}) == ()
    for wrong in (1, None, {"a": 1}, ["a", 1]):
        with pytest.raises(InvalidForeignJwtError):
            audiences_of({"aud": wrong})
