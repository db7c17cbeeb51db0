"""When a session holds."""

from dataclasses import replace

import pytest

from remit.clock import Seconds
from remit.identity.session import (
    ACR_MULTI_FACTOR,
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    Session,
    acr_of,
    expiry_of,
    holds,
    is_worth_noting,
    satisfies,
    stronger,
)

SESSION = Session(
    id="ses_1",
    user_id="usr_1",
    auth_time=1000,
    acr="a",
    amr=("pwd",),
    created_at=1000,
    last_seen_at=1000,
    expires_at=5000,
)
IDLE = Seconds(600)


@pytest.mark.parametrize(("now", "expected"), [(1000, True), (1599, True), (1600, False)])
def test_a_session_ends_after_its_idle_time(now, expected):
    assert holds(SESSION, now=now, idle=IDLE) is expected


@pytest.mark.parametrize(("now", "expected"), [(4999, True), (5000, False)])
def test_use_does_not_carry_a_session_beyond_its_absolute_limit(now, expected):
    assert holds(replace(SESSION, last_seen_at=4990), now=now, idle=IDLE) is expected


def test_an_ended_session_does_not_hold():
    assert not holds(replace(SESSION, ended_at=1000), now=1000, idle=IDLE)


def test_a_session_expires_as_the_catalog_says(catalog):
    assert expiry_of(catalog.issuer, 1000) == 1000 + 43_200


def test_use_is_noted_once_a_minute_and_oftener_where_the_idle_time_is_short():
    assert not is_worth_noting(SESSION, now=1059, idle=IDLE)
    assert is_worth_noting(SESSION, now=1060, idle=IDLE)
    assert is_worth_noting(SESSION, now=1010, idle=Seconds(40))


@pytest.mark.parametrize(
    ("acr", "wanted", "enough"),
    [
        (ACR_PASSWORD, ACR_PASSWORD, True),
        (ACR_PASSWORD, ACR_MULTI_FACTOR, False),
        (ACR_MULTI_FACTOR, ACR_PASSWORD, True),
        (ACR_MULTI_FACTOR, ACR_PHISHING_RESISTANT, False),
        (ACR_PHISHING_RESISTANT, ACR_MULTI_FACTOR, True),
        ("urn:other", ACR_PASSWORD, False),
        (ACR_PHISHING_RESISTANT, "urn:other", False),
        ("urn:other", "urn:other", False),
    ],
)
def test_a_stronger_proof_satisfies_a_weaker_wish_and_nothing_satisfies_an_unknown_one(
    acr, wanted, enough
):
    assert satisfies(acr, wanted) is enough


@pytest.mark.parametrize(
    ("amr", "acr"),
    [
        ((), ACR_PASSWORD),
        (("pwd",), ACR_PASSWORD),
        (("otp",), ACR_PASSWORD),
        (("pwd", "otp", "mfa"), ACR_MULTI_FACTOR),
        (("hwk", "user", "mfa"), ACR_PHISHING_RESISTANT),
        (("pwd", "swk", "user", "mfa"), ACR_PHISHING_RESISTANT),
    ],
)
def test_how_strong_methods_are_together(amr, acr):
    assert acr_of(amr) == acr


def test_of_two_the_stronger_counts_and_a_foreign_one_least():
    assert stronger(ACR_PASSWORD, ACR_MULTI_FACTOR) == ACR_MULTI_FACTOR
    assert stronger("urn:other", ACR_PASSWORD) == ACR_PASSWORD
