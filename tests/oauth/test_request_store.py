"""The SQL of requests that wait and of consents that are remembered."""

from dataclasses import replace
from functools import partial

import pytest

from remit.oauth import request_store
from remit.oauth.pending_request import PendingRequest
from remit.oauth.request_store import Consent

NOW = 1_000
REQUEST = PendingRequest(
    digest="d1",
    browser_digest="b1",
    query="client_id=portal&state=%C3%A4",
    redirect_uri="https://app.example/cb",
    session_id=None,
    created_at=NOW,
    expires_at=NOW + 600,
)
CONSENT = Consent(
    user_id="usr_1",
    client_id="portal",
    resource="https://remit.example/mcp/crm",
    scopes=("crm:accounts.read",),
    fingerprint="f1",
    granted_at=NOW,
)


@pytest.fixture
def run(database):
    return database.run_now


def add(tx, request, per_browser=16):
    request_store.add_request(tx, request, per_browser=per_browser)


def find(run, digest="d1", now=NOW):
    return run(lambda tx: request_store.find_request(tx, digest, now=now))


def finish(run, digest="d1", now=NOW):
    return run(lambda tx: request_store.finish_request(tx, digest, now=now))


def test_a_request_comes_back_while_it_waits(run):
    run(lambda tx: add(tx, REQUEST))
    assert find(run, now=NOW + 599) == REQUEST
    assert find(run, now=NOW + 600) is None
    assert find(run, "other") is None


def test_a_request_is_finished_once(run):
    run(lambda tx: add(tx, replace(REQUEST, session_id="ses_1")))
    assert finish(run) is True
    assert finish(run) is False
    assert find(run) is None


def test_a_request_that_expired_or_never_was_is_not_finished(run):
    run(lambda tx: add(tx, REQUEST))
    assert finish(run, now=NOW + 600) is False
    assert finish(run, "other") is False


def test_the_last_consent_is_the_one_that_is_remembered(run):
    wider = replace(CONSENT, scopes=("a:b.c", "d:e.f"), fingerprint="f2", granted_at=NOW + 1)
    key = {"user_id": "usr_1", "client_id": "portal", "resource": CONSENT.resource}
    assert run(lambda tx: request_store.find_consent(tx, **key)) is None
    run(lambda tx: request_store.remember_consent(tx, CONSENT))
    assert run(lambda tx: request_store.find_consent(tx, **key)) == CONSENT
    run(lambda tx: request_store.remember_consent(tx, wider))
    assert run(lambda tx: request_store.find_consent(tx, **key)) == wider


@pytest.mark.parametrize(
    "other", [{"user_id": "x"}, {"client_id": "x"}, {"resource": "x"}], ids=str
)
def test_a_consent_is_forgotten_alone(run, other):
    key = {"user_id": "usr_1", "client_id": "portal", "resource": CONSENT.resource}
    run(lambda tx: request_store.remember_consent(tx, CONSENT))
    run(lambda tx: request_store.forget_consent(tx, **{**key, **other}))
    assert run(lambda tx: request_store.find_consent(tx, **key)) == CONSENT
    run(lambda tx: request_store.forget_consent(tx, **key))
    assert run(lambda tx: request_store.find_consent(tx, **key)) is None


def test_of_one_browser_the_newest_requests_wait_and_the_oldest_go(run):
    for n in range(5):
        request = replace(REQUEST, digest=f"d{n}", created_at=NOW + n)
        run(lambda tx, request=request: add(tx, request, per_browser=3))
    assert [find(run, f"d{n}") is not None for n in range(5)] == [False, False, True, True, True]


def test_what_is_finished_or_waits_elsewhere_takes_no_place(run):
    run(lambda tx: add(tx, REQUEST))
    finish(run)
    run(lambda tx: add(tx, replace(REQUEST, digest="other", browser_digest="b2")))
    run(lambda tx: add(tx, replace(REQUEST, digest="d2"), per_browser=1))
    assert find(run, "other") is not None
    assert find(run, "d2") is not None
    run(lambda tx: add(tx, replace(REQUEST, digest="d3"), per_browser=1))
    assert find(run, "other") is not None
    assert find(run, "d2") is None


def test_who_was_logged_in_and_did_not_answer_is_taken_apart_from_the_others(run):
    known = replace(REQUEST, digest="d2", session_id="ses_1", expires_at=NOW + 599)
    answered = replace(known, digest="d3")
    for one in (REQUEST, known, answered):
        run(lambda tx, one=one: add(tx, one))
    assert finish(run, "d3") is True
    take = partial(request_store.take_expired_requests, before=NOW + 600)
    assert run(partial(request_store.take_expired_requests, before=NOW + 599)) == ()
    assert run(partial(request_store.purge_expired_requests, before=NOW + 601)) == 2
    assert run(take) == (known,)
    assert run(take) == ()


def test_of_more_than_are_taken_at_once_the_others_stay_for_the_next_time(run, monkeypatch):
    monkeypatch.setattr(request_store, "_RECORDED", 2)
    for number in range(5):
        one = replace(REQUEST, digest=f"d{number}", session_id="ses_1")
        run(lambda tx, one=one: add(tx, one))
    take = partial(request_store.take_expired_requests, before=NOW + 601)
    assert run(partial(request_store.purge_expired_requests, before=NOW + 601)) == 0
    assert [len(run(take)) for _ in range(4)] == [2, 2, 1, 0]
