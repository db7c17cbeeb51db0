import hashlib
import hmac
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws

from remit.model import Sensitivity
from remit.testing.clock import FixedClock
from remit.tokens import (
    AccessToken,
    InvalidTokenError,
    KeySet,
    SigningKey,
    TokenVerifier,
    mint,
)
from remit.tokens.mint import claims_of
from remit.tokens.verify import MAX_TOKEN_LENGTH


def encoded(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(raw, header):
    """The token with another header, whose signature therefore is of something else."""
    return ".".join([encoded(header), *raw.split(".")[1:]])


def refused(minted, raw, match=None):
    with pytest.raises(InvalidTokenError, match=match) as caught:
        minted.verify(raw)
    assert "\n" not in caught.value.detail
    return caught.value.detail


def test_a_token_of_ours_is_believed(minted):
    assert minted.verify(minted.raw()) == minted.token()


@pytest.mark.parametrize("raw", ["", "a", "a.b", "a.b.c.d", "..", "a..c", ".b.", "é.b.c"])
def test_what_is_not_three_parts_is_refused(minted, raw):
    refused(minted, raw)


def test_a_token_that_is_too_long_is_refused_before_anything_is_read(minted):
    refused(minted, "a" * (MAX_TOKEN_LENGTH + 1), "too long")


def test_no_part_may_be_spelt_in_two_ways(minted):
    raw = minted.raw()
    head, body, signature = raw.split(".")
    refused(minted, f"{head}=.{body}.{signature}", "base64url")
    refused(minted, f"{head}.{body}\n.{signature}", "base64url")
    refused(minted, f"{head} .{body}.{signature}", "base64url")
    # 64 bytes end in a character of which four bits say nothing: other letters decode alike.
    last = signature[-1]
    other = next(
        letter
        for letter in string.ascii_letters + string.digits
        if letter != last
        and urlsafe_b64decode(signature[:-1] + letter + "==") == urlsafe_b64decode(signature + "==")
    )
    refused(minted, f"{head}.{body}.{signature[:-1]}{other}", "canonical")


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"not json",
        b'{"typ":"at+jwt","alg":"ES256","kid":"KID","kid":"KID"}',
        b'{"typ":"at+jwt","typ":"at+jwt","alg":"ES256","kid":"KID"}',
        b'\xef\xbb\xbf{"typ":"at+jwt","alg":"ES256","kid":"KID"}',
    ],
)
def test_a_header_that_two_parsers_could_read_differently_is_refused(minted, header):
    kid = minted.keys.signing_at(minted.clock.now()).kid.encode()
    refused(minted, with_header(minted.raw(), header.replace(b"KID", kid)), "strict JSON")


@pytest.mark.parametrize("kind", ["JWT", "jwt", "id_token", "at+jwt ", "application/jwt", None, 1])
def test_only_the_type_of_access_tokens_is_believed(minted, kind):
    header = {"typ": kind, "alg": "ES256", "kid": minted.keys.signing_at(minted.clock.now()).kid}
    refused(minted, with_header(minted.raw(), orjson.dumps(header)), "not an access token")


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_may_be_spelt_as_a_media_type(minted, kind):
    assert minted.verify(minted.signed(claims_of(minted.token()), typ=kind))


@pytest.mark.parametrize(
    "algorithm", [b'"none"', b'"HS256"', b'"RS256"', b'"ES384"', b'"es256"', b"null", b'["ES256"]']
)
def test_only_our_algorithm_is_believed(minted, algorithm):
    kid = minted.keys.signing_at(minted.clock.now()).kid.encode()
    header = b'{"typ":"at+jwt","alg":' + algorithm + b',"kid":"' + kid + b'"}'
    refused(minted, with_header(minted.raw(), header), "another algorithm")


def test_a_token_signed_with_our_public_key_as_a_password_is_refused(minted):
    secret = minted.keys.signing_at(minted.clock.now()).key.as_pem(private=False)
    header = {
        "typ": "at+jwt",
        "alg": "HS256",
        "kid": minted.keys.signing_at(minted.clock.now()).kid,
    }
    signed = f"{encoded(orjson.dumps(header))}.{minted.raw().split('.')[1]}"
    forged = f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"
    refused(minted, forged, "another algorithm")


@pytest.mark.parametrize("kid", [None, "", 5, "unknown"])
def test_a_token_must_name_a_key_in_force(minted, kid):
    header = {"typ": "at+jwt", "alg": "ES256"} | ({} if kid is None else {"kid": kid})
    refused(minted, with_header(minted.raw(), orjson.dumps(header)), "key")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crit", ["exp"]),
        ("jwk", {"kty": "EC"}),
        ("jku", "https://evil.example/jwks"),
        ("x5u", "https://evil.example/x5u"),
        ("x5c", ["MII"]),
        ("b64", False),
        ("zip", "DEF"),
        ("cty", "JWT"),
    ],
)
def test_a_header_with_anything_else_in_it_is_refused(minted, name, value):
    header = {
        "typ": "at+jwt",
        "alg": "ES256",
        "kid": minted.keys.signing_at(minted.clock.now()).kid,
        name: value,
    }
    refused(minted, with_header(minted.raw(), orjson.dumps(header)), "field we do not know")


def test_a_changed_payload_is_refused(minted):
    head, _, signature = minted.raw().split(".")
    other = minted.raw(sub="usr_2").split(".")[1]
    refused(minted, f"{head}.{other}.{signature}", "signature")


def test_a_signature_in_der_is_refused(minted):
    head, body, signature = minted.raw().split(".")
    raw = urlsafe_b64decode(signature + "==")
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    refused(minted, f"{head}.{body}.{encoded(encode_dss_signature(r, s))}", "signature")


def test_an_empty_signature_is_refused(minted):
    head, body, _ = minted.raw().split(".")
    refused(minted, f"{head}.{body}.", "base64url")
    refused(minted, f"{head}.{body}.{encoded(bytes(64))}", "signature")


def test_a_payload_that_two_parsers_could_read_differently_is_refused(minted):
    payload = minted.raw().split(".")[1]
    claims = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    doubled = claims[:-1] + b',"sub":"usr_2"}'
    refused(minted, minted.signed(doubled), "strict JSON")


def test_a_token_of_another_issuer_is_refused_even_under_our_key(minted):
    refused(minted, minted.raw(iss="https://remit.example/"), "another issuer")


@pytest.mark.parametrize(
    "audience",
    [
        "https://remit.example/mcp/crm/",
        "https://remit.example/mcp/payments",
        "https://REMIT.example/mcp/crm",
        "https://remit.example",
    ],
)
def test_a_token_for_another_resource_is_refused(minted, audience):
    refused(minted, minted.raw(aud=audience), "another resource")


def test_a_remembered_token_is_still_refused_at_another_resource(minted):
    raw = minted.raw()
    minted.verify(raw)
    with pytest.raises(InvalidTokenError, match="another resource"):
        minted.verifier.verify(raw, audience="https://remit.example/mcp/payments")


def test_a_token_expires_to_the_second_even_when_remembered(minted):
    raw = minted.raw()
    minted.clock.advance(599)
    minted.verify(raw)
    minted.clock.advance(1)
    refused(minted, raw, "expired")


def test_a_token_from_the_future_is_refused_beyond_a_minute(minted):
    now = minted.clock.now()
    minted.verify(minted.raw(iat=now + 60))
    refused(minted, minted.raw(iat=now + 61), "future")


def test_a_token_that_expires_before_it_is_issued_is_refused(minted):
    now = minted.clock.now()
    refused(minted, minted.raw(iat=now + 30, exp=now + 30))


def test_not_before_is_honoured_even_when_remembered(minted):
    now = minted.clock.now()
    raw = minted.with_claims(lambda claims: claims.update(nbf=now + 120))
    refused(minted, raw, "not good yet")
    minted.clock.advance(60)
    minted.verify(raw)


def test_a_token_signed_before_a_rotation_is_believed_until_its_key_is_retired(minted):
    raw, old = minted.raw(), minted.keys.signing_at(minted.clock.now())
    new = SigningKey.generate(minted.clock.now() + 1)
    minted.keys.publish([old, new])
    minted.verify(raw)
    minted.verify(minted.raw(jti="jti_2"))
    minted.keys.publish([new])
    refused(minted, raw, "not in force")


def test_a_key_that_arrives_late_makes_its_tokens_good(minted):
    """What is signed by an unknown key may be signed by one another process has just made."""
    late = SigningKey.generate(minted.clock.now())
    other = KeySet([late])
    raw = type(minted)(clock=minted.clock, keys=other, verifier=minted.verifier).raw()
    refused(minted, raw, "not in force")
    minted.keys.publish([minted.keys.signing_at(minted.clock.now()), late])
    minted.verify(raw)


def test_a_remembered_verdict_costs_no_signature(minted, monkeypatch):
    raw = minted.raw()
    minted.verify(raw)
    monkeypatch.setattr(jws, "deserialize_compact", lambda *a, **k: pytest.fail("verified again"))
    minted.verify(raw)


def test_a_forgery_stays_refused_when_it_is_sent_again(minted):
    head, body, _ = minted.raw().split(".")
    forged = f"{head}.{body}.{encoded(bytes(range(64)))}"
    assert refused(minted, forged) == refused(minted, forged)


def test_no_number_of_tokens_makes_the_memory_grow_without_end(minted):
    head, body, _signature = minted.raw().split(".")
    for n in range(400):
        bad = encoded(hashlib.sha512(str(n).encode()).digest())
        refused(minted, f"{head}.{body}.{bad}")
    assert len(minted.verifier._refused) <= 256


def test_no_detail_shows_the_token(minted):
    raw = minted.raw()
    head, body, _signature = raw.split(".")
    detail = refused(minted, f"{head}.{body}.{encoded(bytes(64))}")
    assert head not in detail
    assert body not in detail


_CLOCK = FixedClock()
_KEYS = KeySet([SigningKey.generate(_CLOCK.now())])
_VERIFIER = TokenVerifier(_KEYS, "https://remit.example", _CLOCK)
_SAMPLE = mint(
    _KEYS,
    AccessToken(
        iss="https://remit.example",
        sub="usr_1",
        aud="https://remit.example/mcp/crm",
        client_id="cli_1",
        jti="jti_1",
        iat=_CLOCK.now(),
        exp=_CLOCK.now() + 600,
        scopes=(),
        grant_id="gnt_1",
        agent_id="assistant",
        organization_id="acme",
        environment="prod",
        sensitivity=Sensitivity.LOW,
    ),
)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_whatever_is_sent_is_refused_and_nothing_else_is_raised(raw):
    with pytest.raises(InvalidTokenError):
        _VERIFIER.verify(raw, audience="https://remit.example/mcp/crm")


@settings(max_examples=150)
@given(st.data())
def test_no_token_with_one_byte_changed_is_believed(data):
    raw = _SAMPLE
    at = data.draw(st.integers(0, len(raw) - 1))
    character = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = raw[:at] + character + raw[at + 1 :]
    if changed != raw:
        with pytest.raises(InvalidTokenError):
            _VERIFIER.verify(changed, audience="https://remit.example/mcp/crm")
