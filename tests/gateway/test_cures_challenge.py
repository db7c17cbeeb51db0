"""Which token would do: 401 or 403, what it names, and when nobody is challenged."""

from dataclasses import replace

import pytest

from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.gateway.cures_challenge import (
    acr_values_of,
    can_be_challenged,
    challenged,
    max_age_of,
)
from remit.guard.call import Call
from remit.guard.challenge import refusal_response
from remit.guard.elevations import Asked, AskedState
from remit.guard.outcome import Deny, RefusalReason
from remit.policy.obligation import Obligation, ObligationKind
from remit.tokens.access_token import Delegate
from tests.gateway.doubles import token_of
from tests.gateway.people import APPROVE, CONFIRM, PAGE, SCOPE

METADATA = "https://remit.example/.well-known/oauth-protected-resource/mcp/crm"
MFA, PHR = "urn:remit:acr:mfa", "urn:remit:acr:phr"
ASKED = Asked(
    id="apr_1", state=AskedState.WAITING, url=PAGE, expires_at=EpochSeconds(9), alone=True
)
TOKEN = replace(token_of("dana"), scopes=("crm:accounts.read", "not a scope"))


def step_up(value):
    return Obligation(kind=ObligationKind.STEP_UP, value=value, rule="r")


def denied(*needs, **asked):
    return Deny(
        decision_id="dec_1",
        reason=RefusalReason.CONFIRMATION_NEEDED,
        detail='say "yes"\\ now',
        needs=needs,
        asked=replace(ASKED, **asked),
    )


def said(*needs, version="2026-07-28", token=TOKEN):
    deny = denied(*needs)
    refusal = refusal_response(deny, resource_metadata_url=METADATA)
    call = Call(
        server="crm", method="tools/call", authorization=(), context=Context(),
        protocol_version=version,
    )  # fmt: skip
    made = challenged(refusal, deny, call, token, metadata_url=METADATA)
    assert made.error == refusal.error
    return made.status, dict(made.headers)["WWW-Authenticate"]


def test_a_confirmation_is_asked_for_with_a_401_that_names_the_scopes_held():
    status, challenge = said(CONFIRM)
    assert status == 401
    assert challenge == (
        'Bearer error="insufficient_user_authentication", error_description="say \'yes\'\' now", '
        f'scope="crm:accounts.read", acr_values="{MFA} {PHR}", resource_metadata="{METADATA}"'
    )


def test_an_age_is_asked_for_in_seconds():
    status, challenge = said(step_up("5m"))
    assert (status, "acr_values" in challenge) == (401, False)
    assert 'max_age="300"' in challenge


@pytest.mark.parametrize(
    ("version", "scope"),
    [
        ("2026-07-28", "payments.refund.high_value"),
        ("2025-11-25", "crm:accounts.read payments.refund.high_value"),
        (None, "crm:accounts.read payments.refund.high_value"),
    ],
)
def test_an_elevated_scope_is_asked_for_with_a_403_and_old_clients_keep_what_they_have(
    version, scope
):
    status, challenge = said(SCOPE, step_up("5m"), step_up(PHR), version=version)
    assert status == 403
    assert 'error="insufficient_scope"' in challenge
    assert f'scope="{scope}"' in challenge
    assert f'acr_values="{PHR}", max_age="300"' in challenge


def test_a_token_that_is_bound_to_a_key_is_asked_for_as_such():
    _, challenge = said(CONFIRM, token=replace(TOKEN, jkt="thumb"))
    assert challenge.startswith("DPoP error=")
    assert "algs=" in challenge


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ((), ()),
        ((APPROVE, SCOPE), ()),
        ((step_up("5m"),), ()),
        ((CONFIRM, step_up(PHR)), (PHR,)),
        ((step_up("urn:remit:acr:pwd"), CONFIRM), (MFA, PHR)),
    ],
)
def test_the_strengths_named_meet_everything_that_is_wanting(needs, expected):
    assert acr_values_of(needs) == expected


def test_the_shortest_age_counts():
    assert max_age_of((step_up("1h"), step_up("5m"), step_up(PHR), CONFIRM)) == 300
    assert max_age_of((CONFIRM, APPROVE)) is None


def test_who_cannot_cure_it_by_authorizing_again_is_not_challenged():
    assert can_be_challenged(denied(CONFIRM), TOKEN)
    assert not can_be_challenged(replace(denied(CONFIRM), asked=None), TOKEN)
    assert not can_be_challenged(denied(CONFIRM, alone=False), TOKEN)
    assert not can_be_challenged(denied(CONFIRM, state=AskedState.REFUSED), TOKEN)
    assert not can_be_challenged(denied(CONFIRM, state=AskedState.EXHAUSTED), TOKEN)
    delegated = replace(TOKEN, actors=(Delegate("a2", "c2"),))
    assert not can_be_challenged(denied(CONFIRM), delegated)
    workload = replace(TOKEN, sub=TOKEN.agent_id)
    assert not can_be_challenged(denied(CONFIRM), workload)
