"""PKCE, S256 only."""

import pytest

from remit.oauth.errors import InvalidGrantError, InvalidRequestError
from remit.oauth.pkce import challenge_for, require_challenge, require_verifier

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_challenge_is_the_one_of_rfc_7636_appendix_b():
    assert challenge_for(VERIFIER) == CHALLENGE


def test_a_sha256_challenge_with_its_method_passes():
    assert require_challenge(CHALLENGE, "S256") == CHALLENGE


@pytest.mark.parametrize("method", [None, "plain", "s256", "S256 ", "S512"])
def test_every_method_but_s256_is_refused(method):
    with pytest.raises(InvalidRequestError):
        require_challenge(CHALLENGE, method)


@pytest.mark.parametrize(
    "challenge",
    [
        None,
        CHALLENGE[:-1],
        CHALLENGE + "A",
        CHALLENGE + "=",
        CHALLENGE[:-1] + "N",  # not the end of any 32 octets
        CHALLENGE.replace("-", "+"),
        "é" * 43,
        VERIFIER + VERIFIER,
    ],
)
def test_a_challenge_that_is_no_sha256_is_refused(challenge):
    with pytest.raises(InvalidRequestError):
        require_challenge(challenge, "S256")


def test_the_verifier_of_the_challenge_passes():
    require_verifier(VERIFIER, CHALLENGE)


@pytest.mark.parametrize("other", [VERIFIER[:-1] + "l", VERIFIER + "a", CHALLENGE])
def test_another_verifier_is_an_invalid_grant(other):
    with pytest.raises(InvalidGrantError):
        require_verifier(other, CHALLENGE)


@pytest.mark.parametrize(
    "other", [None, "short", "a" * 42, "a" * 129, VERIFIER[:-1] + "é", "a b" * 20]
)
def test_what_is_no_verifier_is_an_invalid_request(other):
    with pytest.raises(InvalidRequestError):
        require_verifier(other, CHALLENGE)
