import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.guard import Challenge, Deny, RefusalReason, refusal_response, www_authenticate

METADATA = "https://remit.example/.well-known/oauth-protected-resource/mcp/crm"
CHALLENGES = {
    RefusalReason.MISSING_TOKEN,
    RefusalReason.INVALID_TOKEN,
    RefusalReason.INVALID_PROOF,
    RefusalReason.NONCE_NEEDED,
    RefusalReason.INSUFFICIENT_SCOPE,
}


def outcome(reason, detail="why", scopes=()):
    if reason in CHALLENGES:
        return Challenge(decision_id="dec_1", reason=reason, detail=detail, scopes=scopes)
    return Deny(decision_id="dec_1", reason=reason, detail=detail)


def header(reason, baseline=(), **changes):
    return www_authenticate(
        outcome(reason, **changes), resource_metadata_url=METADATA, baseline=baseline
    )


def response(reason, **changes):
    return refusal_response(outcome(reason, **changes), resource_metadata_url=METADATA)


def test_without_credentials_nothing_is_said_about_an_error():
    value = header(RefusalReason.MISSING_TOKEN, baseline=("crm:accounts.read",))
    assert value == f'Bearer scope="crm:accounts.read", resource_metadata="{METADATA}"'


def test_a_server_without_a_baseline_names_no_scope():
    assert header(RefusalReason.MISSING_TOKEN) == f'Bearer resource_metadata="{METADATA}"'


def test_a_bad_token_is_answered_with_invalid_token():
    value = header(RefusalReason.INVALID_TOKEN, detail="the token has expired")
    assert value == (
        'Bearer error="invalid_token", error_description="the token has expired", '
        f'resource_metadata="{METADATA}"'
    )


def test_missing_scopes_are_named_all_in_one_challenge():
    value = header(
        RefusalReason.INSUFFICIENT_SCOPE, scopes=("a:b.read", "a:b.write"), baseline=("x:y",)
    )
    assert 'error="insufficient_scope"' in value
    assert 'scope="a:b.read a:b.write"' in value
    assert f'resource_metadata="{METADATA}"' in value


def test_a_malformed_request_is_answered_with_invalid_request():
    assert 'error="invalid_request"' in header(RefusalReason.MALFORMED_REQUEST)


@pytest.mark.parametrize(
    "reason",
    [
        reason
        for reason in RefusalReason
        if reason not in CHALLENGES | {RefusalReason.MALFORMED_REQUEST}
    ],
)
def test_what_no_token_would_change_carries_no_challenge(reason):
    assert header(reason) is None


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (RefusalReason.MISSING_TOKEN, 401),
        (RefusalReason.INVALID_TOKEN, 401),
        (RefusalReason.MALFORMED_REQUEST, 400),
        (RefusalReason.INSUFFICIENT_SCOPE, 403),
        (RefusalReason.FORBIDDEN, 403),
        (RefusalReason.NOT_FOUND, 200),
        (RefusalReason.INVALID_ARGUMENTS, 200),
        (RefusalReason.ENGINE_ERROR, 500),
        (RefusalReason.STALE_SNAPSHOT, 503),
        (RefusalReason.AUDIT_UNAVAILABLE, 503),
    ],
)
def test_each_reason_has_its_status(reason, status):
    assert response(reason).status == status


def test_a_missing_server_is_a_missing_page():
    deny = Deny(
        decision_id="d", reason=RefusalReason.NOT_FOUND, detail="unknown server", about_server=True
    )
    assert refusal_response(deny, resource_metadata_url=METADATA).status == 404


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_every_refusal_explains_itself_outside_the_codes_that_are_reserved(reason):
    error = response(reason).error
    assert error["code"] in {-32600, -32602} or error["code"] > 0
    assert error["message"] == "why"
    always = {
        "reason", "detail", "message", "missing", "obtainable", "how", "scopes", "retry", "decision",
    }  # fmt: skip
    waits = {"retry_after"} if error["data"]["retry"] else set()
    assert set(error["data"]) == always | waits
    assert error["data"]["reason"] == reason.value
    assert error["data"]["how"]


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_no_refusal_is_stored_by_a_cache(reason):
    assert ("Cache-Control", "no-store") in response(reason).headers


@pytest.mark.parametrize("reason", [RefusalReason.STALE_SNAPSHOT, RefusalReason.AUDIT_UNAVAILABLE])
def test_what_passes_says_when_to_try_again(reason):
    assert dict(response(reason).headers)["Retry-After"] == "1"


@given(st.text(max_size=60))
def test_no_detail_breaks_out_of_its_quotes_or_its_header(detail):
    value = header(RefusalReason.INVALID_TOKEN, detail=detail)
    pattern = r'Bearer (?:[a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(?:, )?)+'
    assert re.fullmatch(pattern, value)
    assert value.count("=") - value.split('error_description="')[1].split('"')[0].count("=") == 3


def test_a_scope_that_could_not_be_a_scope_is_not_repeated():
    value = header(RefusalReason.INSUFFICIENT_SCOPE, scopes=('a" evil="b', "a:b"))
    assert 'scope="a:b"' in value
    assert "evil" not in value
