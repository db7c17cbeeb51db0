"""What Remit says to a guard is believed when it is signed, for it, and for this very question."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from remit.canonical import canonical_bytes
from remit.guard.snapshot import PublicKey
from remit.guard.statement import (
    BadStatementError,
    Statement,
    UnknownKeyError,
    sign_statement,
    verify_statement,
)
from remit.testing.clock import FixedClock
from remit.tokens import InvalidTokenError, KeySet, SigningKey, TokenVerifier
from remit.tokens.keys import NoSigningKeyError

NONCE = "n" * 32
KEY = SigningKey.generate(FixedClock().now())
OTHER = SigningKey.generate(FixedClock().now())
SAID = Statement(issuer="https://remit.example", server="crm", nonce=NONCE, version="a" * 64, age=1)


def public(key):
    jwk = key.public_jwk
    return PublicKey(kid=key.kid, x=jwk["x"], y=jwk["y"])


def encoded(value):
    return urlsafe_b64encode(canonical_bytes(value)).rstrip(b"=")


def test_what_was_signed_is_believed():
    assert (
        verify_statement(sign_statement(SAID, KEY), [public(OTHER), public(KEY)], nonce=NONCE)
        == SAID
    )


def test_a_key_nobody_has_is_told_from_a_forgery():
    with pytest.raises(UnknownKeyError):
        verify_statement(sign_statement(SAID, KEY), [public(OTHER)], nonce=NONCE)


def test_a_statement_that_was_signed_with_another_key_under_that_name_is_refused():
    line = sign_statement(SAID, OTHER)
    imposter = PublicKey(kid=OTHER.kid, x=public(KEY).x, y=public(KEY).y)
    with pytest.raises(BadStatementError, match="not valid"):
        verify_statement(line, [imposter], nonce=NONCE)


def test_an_earlier_answer_is_worth_nothing():
    with pytest.raises(BadStatementError, match="another question"):
        verify_statement(sign_statement(SAID, KEY), [public(KEY)], nonce="m" * 32)


def test_an_altered_word_breaks_the_signature():
    header, payload, signature = sign_statement(SAID, KEY).split(b".")
    said = urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)).replace(b'"crm"', b'"erp"')
    line = b".".join([header, urlsafe_b64encode(said).rstrip(b"="), signature])
    with pytest.raises(BadStatementError, match="not valid"):
        verify_statement(line, [public(KEY)], nonce=NONCE)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": KEY.kid, "typ": "remit-guard-snapshot+jwt"},
        {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt"},
        {"alg": "ES256", "kid": KEY.kid},
        {"alg": "ES256", "kid": 1, "typ": "remit-guard-snapshot+jwt"},
        {"alg": "ES256", "kid": KEY.kid, "typ": "remit-guard-snapshot+jwt", "jwk": {}},
        [],
    ],
)
def test_another_header_is_refused(header):
    _, payload, signature = sign_statement(SAID, KEY).split(b".")
    with pytest.raises(BadStatementError):
        verify_statement(
            b".".join([encoded(header), payload, signature]), [public(KEY)], nonce=NONCE
        )


@pytest.mark.parametrize("line", [b"", b"a.b", b"a.b.c.d", b"!.b.c", b"a" * 5000, b"e30.e30.e30="])
def test_what_is_no_statement_is_refused(line):
    with pytest.raises(BadStatementError):
        verify_statement(line, [public(KEY)], nonce=NONCE)


def test_a_statement_is_no_token_and_a_token_no_statement(world):
    raw = sign_statement(SAID, KEY).decode()
    with pytest.raises(InvalidTokenError):
        TokenVerifier(KeySet([KEY]), SAID.issuer, FixedClock()).verify(raw, audience="crm")
    signing = world.keys.signing_at(world.clock.now())
    with pytest.raises(BadStatementError, match="another type"):
        verify_statement(world.raw().encode(), [public(signing)], nonce=NONCE)


def test_a_public_key_signs_nothing():
    from joserfc.jwk import ECKey  # noqa: PLC0415

    bare = SigningKey(
        kid=KEY.kid, key=ECKey.import_key(dict(KEY.public_jwk)), created_at=0, signs_from=0
    )
    with pytest.raises(NoSigningKeyError):
        sign_statement(SAID, bare)
