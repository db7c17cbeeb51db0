import pytest
from prometheus_client import CollectorRegistry

from remit.app.approval_metrics import ApprovalMetrics
from remit.audit.approval_events import (
    AccessGranted,
    ApprovalAnswered,
    ApprovalExpired,
    ApprovalRequested,
    ElevationGiven,
    ElevationRevoked,
    ElevationUsed,
    NotificationFailed,
)


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def metrics(registry):
    return ApprovalMetrics(registry)


def _answered(verdict, seconds=3):
    return ApprovalAnswered(
        approval="apr_1", verdict=verdict, capacity="role:manager", shown="d", acr="a",
        seconds=seconds,
    )  # fmt: skip


def test_people_who_were_asked_are_counted_by_what_they_said(metrics, registry):
    requested = ApprovalRequested(
        approval="apr_1", server="payments", name="refund", digest="d", needs=(), rules=(),
        decision_id="dec_1", expires_at=1,
    )  # fmt: skip
    for event in (
        requested,
        requested,
        ApprovalExpired(approval="apr_1", reason="late"),
        _answered("approved"),
        _answered("refused", seconds=100),
    ):
        metrics.count(event)
    read = registry.get_sample_value
    assert read("remit_approval_requests_total", {"outcome": "asked"}) == 2
    assert read("remit_approval_requests_total", {"outcome": "expired"}) == 1
    assert read("remit_approval_answers_total", {"verdict": "approved"}) == 1
    assert read("remit_approval_answers_total", {"verdict": "refused"}) == 1
    # A no that was slow makes nobody's yes slower.
    assert read("remit_approval_look_seconds_sum") == 3


def test_what_was_allowed_is_counted_by_what_became_of_it(metrics, registry):
    given = ElevationGiven(
        elevation="elv_1", approval="apr_1", parent="gnt_1", scopes=(), digest="d", expires_at=1
    )
    for event in (
        given,
        ElevationUsed(elevation="elv_1", decision_id="dec_1"),
        ElevationUsed(elevation="elv_1", decision_id="dec_1", given_back=True),
        ElevationRevoked(elevation="elv_1", reason="x"),
        AccessGranted(
            access="acc_1", offer="deploy", holder="usr_1", role=None, scopes=(), expires_at=1
        ),
    ):
        metrics.count(event)
    read = registry.get_sample_value
    for outcome in ("given", "used", "given_back", "revoked"):
        assert read("remit_elevations_total", {"outcome": outcome}) == 1
    assert read("remit_access_given_total", {"kind": "offer"}) == 1


def test_what_is_about_nobody_who_was_asked_is_not_counted(metrics, registry):
    failed = NotificationFailed(approval="apr_1", notifier="hook", attempts=1, error="x")
    before = {one.name: len(one.samples) for one in registry.collect()}
    metrics.count(failed)
    metrics.count(object())
    assert {one.name: len(one.samples) for one in registry.collect()} == before


def test_no_label_holds_a_person_an_agent_or_a_tool(metrics, registry):
    metrics.count(_answered("approved"))
    metrics.notified("hook", "failed")
    names = {name for one in registry.collect() for sample in one.samples for name in sample.labels}
    assert names <= {"outcome", "verdict", "kind", "notifier", "le"}
