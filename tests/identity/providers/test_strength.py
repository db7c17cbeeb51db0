"""What a provider's word is worth: nothing unless it is believed, and then no more than it says."""

import pytest

from remit.clock import EpochSeconds, Seconds
from remit.identity.providers.id_token import IdToken
from remit.identity.providers.strength import acr_to_ask, proof_of
from remit.identity.session import ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT
from remit.model import IdentityProvider

NOW = EpochSeconds(1_780_000_000)


def provider(*, believe_amr):
    return IdentityProvider(
        name="corp",
        title="Corp",
        issuer="https://login.corp.example",
        client_id="remit",
        believe_amr=believe_amr,
    )


def proof(*amr, acr=None, believe_amr=True, auth_time=None, issued_at=NOW):
    token = IdToken(
        subject="s", issued_at=issued_at, auth_time=auth_time, acr=acr, amr=amr, claims={}
    )
    return proof_of(provider(believe_amr=believe_amr), token, now=NOW, oldest=Seconds(600))


@pytest.mark.parametrize("method", ["mfa", "otp", "hwk"])
def test_a_second_factor_there_is_one_here(method):
    assert proof("pwd", method).acr == ACR_MULTI_FACTOR


@pytest.mark.parametrize("method", ["pwd", "sms", "MFA", "mfa ", "", "phr\n"])
def test_what_we_do_not_know_is_a_password(method):
    assert proof(method).acr == ACR_PASSWORD


def test_a_phishing_resistant_log_in_there_is_a_passkey_here():
    assert proof("phr").acr == proof(acr="phr").acr == ACR_PHISHING_RESISTANT


def test_who_is_not_believed_says_nothing():
    found = proof("mfa", "phr", acr="phr", believe_amr=False)
    assert (found.acr, found.amr) == (ACR_PASSWORD, ())


def test_only_short_plain_words_are_kept():
    found = proof("mfa", "mfa", "a\nb", "ä", "x" * 33, *(f"m{number}" for number in range(40)))
    assert found.amr[:2] == ("mfa", "m0")
    assert len(found.amr) == 16


def test_strength_is_asked_only_where_the_answer_would_count():
    assert acr_to_ask(provider(believe_amr=True), ACR_MULTI_FACTOR) == "mfa"
    assert acr_to_ask(provider(believe_amr=True), ACR_PHISHING_RESISTANT) == "phr"
    assert acr_to_ask(provider(believe_amr=True), ACR_PASSWORD) is None
    assert acr_to_ask(provider(believe_amr=True), None) is None
    assert acr_to_ask(provider(believe_amr=False), ACR_PHISHING_RESISTANT) is None


def test_the_proof_is_as_old_as_it_is_said_to_be_or_may_be():
    assert proof(auth_time=EpochSeconds(NOW - 5)).auth_time == NOW - 5
    assert proof(auth_time=EpochSeconds(NOW + 5)).auth_time == NOW
    assert proof().auth_time == NOW - 600


@pytest.mark.parametrize("off", [-40, 40])
def test_a_provider_whose_clock_is_off_still_says_how_long_ago_it_was(off):
    there = EpochSeconds(NOW + off)
    assert proof(auth_time=EpochSeconds(there - 5), issued_at=there).auth_time == NOW - 5
