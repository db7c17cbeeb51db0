"""What a log-in must reach."""

import pytest

from remit.clock import EpochSeconds
from remit.identity.requirements import can_be_reached, is_fresh, least_acr, meets_policy
from remit.identity.session import (
    ACR_MULTI_FACTOR,
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    Session,
)
from remit.model import SecondFactor, SignIn
from remit.web import site_at

OPTIONAL, REQUIRED = SignIn(), SignIn(second_factor=SecondFactor.REQUIRED)


def _session(acr: str, provider: str | None = None) -> Session:
    now = EpochSeconds(1000)
    return Session(
        id="ses_1", user_id="usr_1", auth_time=now, acr=acr, amr=(), created_at=now,
        last_seen_at=now, expires_at=EpochSeconds(9000), provider=provider,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "sign_in", "least"),
    [
        (None, OPTIONAL, ACR_PASSWORD),
        (None, REQUIRED, ACR_MULTI_FACTOR),
        (ACR_PASSWORD, REQUIRED, ACR_MULTI_FACTOR),
        (ACR_MULTI_FACTOR, OPTIONAL, ACR_MULTI_FACTOR),
        (ACR_PHISHING_RESISTANT, REQUIRED, ACR_PHISHING_RESISTANT),
        (ACR_PHISHING_RESISTANT, OPTIONAL, ACR_PHISHING_RESISTANT),
    ],
)
def test_the_stronger_of_policy_and_request_holds(asked, sign_in, least):
    assert least_acr(asked, sign_in) == least


def test_a_password_alone_does_not_meet_a_policy_of_two_factors():
    assert meets_policy(_session(ACR_PASSWORD), OPTIONAL)
    assert not meets_policy(_session(ACR_PASSWORD), REQUIRED)
    assert meets_policy(_session(ACR_MULTI_FACTOR), REQUIRED)
    assert not meets_policy(_session(ACR_PASSWORD, provider="okta"), REQUIRED)
    assert meets_policy(_session(ACR_MULTI_FACTOR, provider="okta"), REQUIRED)
    assert not meets_policy(_session("urn:other", provider="okta"), OPTIONAL)


def test_a_proof_is_fresh_until_its_age_is_reached():
    session = _session(ACR_PASSWORD)
    assert is_fresh(session, max_age=600, now=1599)
    assert not is_fresh(session, max_age=600, now=1600)
    assert not is_fresh(session, max_age=0, now=1000)
    assert is_fresh(session, max_age=None, now=10**9)


def test_a_passkey_cannot_be_had_where_browsers_make_none():
    named, numbered = site_at("https://remit.example"), site_at("https://192.0.2.1")
    assert can_be_reached(ACR_PHISHING_RESISTANT, named)
    assert not can_be_reached(ACR_PHISHING_RESISTANT, numbered)
    assert can_be_reached(ACR_MULTI_FACTOR, numbered)
