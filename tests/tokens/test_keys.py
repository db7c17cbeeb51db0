import hashlib
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey, RSAKey

from remit.canonical import canonical_bytes
from remit.tokens import KeySet, SigningKey
from remit.tokens.keys import NoSigningKeyError, UnusableKeyError


def key(created_at=0, retired_at=None, signs_from=None):
    made = SigningKey.generate(created_at, signs_from=signs_from)
    return replace(made, retired_at=retired_at)


def test_the_kid_is_the_rfc_7638_thumbprint():
    made = key()
    required = {name: made.public_jwk[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(canonical_bytes(required)).digest()
    assert made.kid == urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_a_kid_is_never_taken_for_an_option_of_a_command():
    """`remit keys retire -Zz…` would be refused as an unknown option, one key in 64."""
    assert not [one for one in range(512) if key(one).kid.startswith("-")]


def test_what_is_published_has_no_private_part_and_says_its_use():
    (published,) = KeySet([key()]).public_jwks()["keys"]
    assert set(published) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert published["alg"] == "ES256"
    assert published["use"] == "sig"


def test_the_newest_key_signs_and_older_ones_go_on_verifying():
    old, new = key(1), key(2)
    keys = KeySet([new, old])
    assert keys.signing_at(9) is new
    assert keys.find(old.kid) is old
    assert [jwk["kid"] for jwk in keys.public_jwks()["keys"]] == [new.kid, old.kid]


def test_a_new_key_is_published_before_it_signs():
    old, new = key(1), key(2, signs_from=100)
    keys = KeySet([old, new])
    assert {jwk["kid"] for jwk in keys.public_jwks()["keys"]} == {old.kid, new.kid}
    assert keys.signing_at(99) is old
    assert keys.signing_at(100) is new


def test_a_clock_that_was_set_back_leaves_the_key_that_is_known_longest():
    first, second = key(50), key(60, signs_from=100)
    assert KeySet([first, second]).signing_at(10) is first


def test_what_is_let_go_of_verifies_nothing_before_anything_is_read_again():
    kept, gone = key(1), key(2)
    keys = KeySet([kept, gone])
    keys.retain({kept.kid})
    assert keys.find(gone.kid) is None
    assert keys.signing_at(9) is kept


def test_a_retired_key_neither_signs_verifies_nor_is_published():
    current, retired = key(1), key(2, retired_at=3)
    keys = KeySet([current, retired])
    assert keys.signing_at(9) is current
    assert keys.find(retired.kid) is None
    assert [jwk["kid"] for jwk in keys.public_jwks()["keys"]] == [current.kid]


def test_publishing_replaces_every_key_at_once():
    first, second = key(1), key(2)
    keys = KeySet([first])
    keys.publish([second])
    assert keys.signing_at(9) is second
    assert keys.find(first.kid) is None


def test_without_a_key_nothing_is_signed():
    with pytest.raises(NoSigningKeyError):
        KeySet([key(1, retired_at=2)]).signing_at(9)


def test_a_caller_cannot_change_what_is_published():
    keys = KeySet([key()])
    keys.public_jwks()["keys"][0]["kid"] = "evil"
    assert keys.public_jwks()["keys"][0]["kid"] == keys.signing_at(9).kid


def test_a_key_survives_being_stored():
    made = key(7)
    read = SigningKey.from_private_pem(made.private_pem, kid=made.kid, created_at=7)
    assert read.public_jwk == made.public_jwk


@pytest.mark.parametrize(
    "pem",
    [
        b"not a key",
        ECKey.generate_key("P-384").as_pem(private=True),
        ECKey.generate_key("P-256").as_pem(private=False),
        RSAKey.generate_key(2048).as_pem(private=True),
    ],
    ids=["garbage", "another curve", "public only", "another kind"],
)
def test_a_stored_key_that_is_no_private_p256_key_is_refused(pem):
    with pytest.raises(UnusableKeyError):
        SigningKey.from_private_pem(pem, kid="k", created_at=0)


def test_a_stored_key_under_another_name_is_refused():
    with pytest.raises(UnusableKeyError):
        SigningKey.from_private_pem(key().private_pem, kid=key().kid, created_at=0)


def test_a_key_shows_nothing_private_when_printed():
    made = key()
    assert repr(made) == f"SigningKey(kid={made.kid!r}, created_at=0)"
