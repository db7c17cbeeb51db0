import pytest

from remit.app.metrics import MeteredAuditLog, Metrics
from remit.audit.events import CallCompleted, Decided, LoginFailed
from remit.audit.port import AuditUnavailableError
from remit.testing.audit import InMemoryAuditLog


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="0.0.0", is_server={"crm"}.__contains__)


@pytest.fixture
def log() -> InMemoryAuditLog:
    return InMemoryAuditLog()


@pytest.fixture
def metered(log, metrics) -> MeteredAuditLog:
    return MeteredAuditLog(log, metrics)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def decided(server: str = "crm", **changes: object) -> Decided:
    event = {
        "decision_id": "d", "server": server, "method": "tools/call", "name": "x",
        "outcome": "deny", "reason": "forbidden", "micros": 250,
    }  # fmt: skip
    return Decided(**(event | changes))  # type: ignore[arg-type]


def completed(outcome: str) -> CallCompleted:
    return CallCompleted(
        decision_id="d",
        server="crm",
        method="tools/call",
        name="x",
        outcome=outcome,
        micros=2_000_000,
    )


async def test_a_decision_is_counted_when_it_is_in_the_log(metered, metrics, log):
    await metered.append(decided())
    assert len(log.events) == 1
    labels = {"server": "crm", "outcome": "deny", "reason": "forbidden"}
    assert value(metrics, "remit_decisions_total", **labels) == 1
    assert value(metrics, "remit_decision_seconds_sum") == pytest.approx(0.00025)
    assert value(metrics, "remit_audit_events_total", kind="decision") == 1


async def test_a_server_that_the_catalog_does_not_have_makes_no_label_of_its_own(metered, metrics):
    for name in ("../etc", "x" * 1000, "crm2"):
        await metered.append(decided(server=name))
    labels = {"server": "unknown", "outcome": "deny", "reason": "forbidden"}
    assert value(metrics, "remit_decisions_total", **labels) == 3
    assert b"../etc" not in metrics.exposition()


async def test_an_event_that_the_log_does_not_take_is_a_failure_and_nothing_else(
    metered, metrics, log
):
    log.failing = True
    with pytest.raises(AuditUnavailableError):
        await metered.append(decided())
    with pytest.raises(AuditUnavailableError):
        metered.append_soon(decided())
    with pytest.raises(AuditUnavailableError):
        metered.record([decided(), decided()])
    assert value(metrics, "remit_audit_failures_total") == 3
    assert b"remit_decisions_total{" not in metrics.exposition()


def test_the_events_of_a_transaction_are_counted(metered, metrics, log):
    metered.record([LoginFailed(account_id=None, reason="unknown"), completed("ok")])
    assert value(metrics, "remit_audit_events_total", kind="authn.failed") == 1
    assert value(metrics, "remit_calls_total", server="crm", outcome="ok") == 1
    metered.abandon(log.events[:1], RuntimeError())
    assert log.events[-1].kind == "effect.failed"


async def test_a_failing_upstream_is_counted_by_server(metered, metrics):
    await metered.append(completed("ok"))
    await metered.append(completed("upstream_failed"))
    assert value(metrics, "remit_upstream_errors_total", server="crm") == 1
    assert value(metrics, "remit_call_seconds_count", server="crm") == 2


def test_a_made_up_method_makes_no_label_of_its_own(metrics):
    metrics.request_began("site")
    metrics.request_ended("site", method="BREW", status=405, seconds=0.1)
    assert (
        value(metrics, "remit_http_requests_total", door="site", method="other", status="405") == 1
    )
    assert value(metrics, "remit_http_requests_open", door="site") == 0


def test_a_gauge_is_read_when_somebody_looks(metrics):
    ages = iter([1.0, 2.0])
    metrics.gauge("remit_standing_age_seconds", "Age.", lambda: next(ages))
    assert b"remit_standing_age_seconds 1.0" in metrics.exposition()
    assert b"remit_standing_age_seconds 2.0" in metrics.exposition()


def test_failures_and_reloads_are_counted(metrics):
    metrics.standing_failed()
    metrics.reloaded(succeeded=False)
    assert value(metrics, "remit_standing_failures_total") == 1
    assert value(metrics, "remit_reloads_total", outcome="refused") == 1
    assert value(metrics, "remit_build_info", version="0.0.0") == 1


async def test_what_would_have_been_refused_is_counted_by_its_rule_once_it_went_through(
    metered, metrics
):
    night = ({"id": "night", "effect": "forbid"},)
    await metered.append(decided(outcome="allow", reason="observed", observed=night))
    await metered.append(decided(observed=night))  # another rule refused it
    labels = {"server": "crm", "rule": "night"}
    assert value(metrics, "remit_observed_refusals_total", **labels) == 1


def test_an_engine_elsewhere_is_counted_by_question_and_timed_by_time_that_it_is_asked(metrics):
    metrics.engine_asked("pdp", ["allow", "deny", "deny"], seconds=0.004)
    metrics.engine_asked("pdp", ["late"], seconds=0.25)
    metrics.engine_asked("other", ["error"], seconds=0.001)
    for engine, outcome, count in (
        ("pdp", "allow", 1),
        ("pdp", "deny", 2),
        ("pdp", "late", 1),
        ("other", "error", 1),
    ):
        labels = {"engine": engine, "outcome": outcome}
        assert value(metrics, "remit_engine_answers_total", **labels) == count
    assert value(metrics, "remit_engine_seconds_count", engine="pdp") == 2
    assert value(metrics, "remit_engine_seconds_sum", engine="pdp") == pytest.approx(0.254)
