"""What Remit counts, for Prometheus.

Everything about decisions and calls is read off the audit events as they pass, so
that a number and the log cannot disagree. No label holds a user, a client, a token
or anything a caller may choose: a server's name counts only if the catalog has it.

Source: https://prometheus.io/docs/practices/naming/, OpenMetrics 1.0.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from remit.app.approval_metrics import ApprovalMetrics
from remit.audit.context import Context
from remit.audit.events import (
    CallCompleted,
    Decided,
    Event,
    GuardrailViolated,
    RefusalsCounted,
)
from remit.audit.port import AuditLog, AuditUnavailableError, Receipt
from remit.guard.records import SELF_TEST

__all__ = ["EXPOSITION_TYPE", "MeteredAuditLog", "Metrics"]

EXPOSITION_TYPE = CONTENT_TYPE_LATEST

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_FAST = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
_SLOW = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one process, in a registry of their own."""

    def __init__(self, *, version: str, is_server: Callable[[str], bool]) -> None:
        self._is_server = is_server
        self._doors: dict[str, tuple[Gauge, Histogram]] = {}
        self._answered: dict[tuple[str, str, int], Counter] = {}
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        self.registry = registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=registry)
        counter = partial(Counter, registry=registry)
        histogram = partial(Histogram, registry=registry)
        gauge = partial(Gauge, registry=registry)
        gauge("remit_build_info", "Version that runs.", ["version"]).labels(version).set(1)
        self._requests = counter(
            "remit_http_requests", "Requests answered.", ["door", "method", "status"]
        )
        self._request_seconds = histogram(
            "remit_http_request_seconds", "Time to answer a request.", ["door"], buckets=_SLOW
        )
        self._open_requests = gauge(
            "remit_http_requests_open", "Requests being answered.", ["door"]
        )
        self._decisions = counter(
            "remit_decisions", "Decisions at the gateway.", ["server", "outcome", "reason"]
        )
        self._observed = counter(
            "remit_observed_refusals",
            "Calls let through that a rule in observe mode would have refused.",
            ["server", "rule"],
        )
        self._decision_seconds = histogram(
            "remit_decision_seconds", "Time to decide one call.", buckets=_FAST
        )
        self._engine_answers, self._engine_seconds = _of_engines(registry)
        self._calls = counter(
            "remit_calls", "Allowed calls by what became of them.", ["server", "outcome"]
        )
        self._call_seconds = histogram(
            "remit_call_seconds", "Time of an allowed call, upstream included.", ["server"],
            buckets=_SLOW,
        )  # fmt: skip
        self._upstream_errors = counter(
            "remit_upstream_errors", "Calls that an upstream server failed.", ["server"]
        )
        self._audit_events = counter("remit_audit_events", "Events on stable storage.", ["kind"])
        self._refusals = counter(
            "remit_refusals_counted", "Refusals counted together.", ["where", "error"]
        )
        self._violations = counter(
            "remit_guardrail_violations", "Requests beyond a guardrail, refused.", ["guardrail"]
        )
        self._audit_failures = counter(
            "remit_audit_failures", "Times the audit log could not take an event."
        )
        self._audit_seconds = histogram(
            "remit_audit_append_seconds", "Time until events are on stable storage.", buckets=_SLOW
        )
        self._standing_failures = counter(
            "remit_standing_failures", "Times standing could not be re-read."
        )
        self._approvals = ApprovalMetrics(registry)
        self._reloads = counter("remit_reloads", "Reloads of the policy repository.", ["outcome"])

    def notified(self, notifier: str, outcome: str) -> None:
        """Count one attempt to tell people that something waits."""
        self._approvals.notified(notifier, outcome)

    def exposition(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)

    def gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Show `read()` under `name` each time somebody looks."""
        Gauge(name, about, registry=self.registry).set_function(read)

    def request_began(self, door: str) -> None:
        self._of_door(door)[0].inc()

    def request_ended(self, door: str, *, method: str, status: int, seconds: float) -> None:
        open_requests, taken = self._of_door(door)
        open_requests.dec()
        taken.observe(seconds)
        key = (door, method if method in _METHODS else "other", status)
        counter = self._answered.get(key)
        if counter is None:
            counter = self._answered[key] = self._requests.labels(key[0], key[1], str(status))
        counter.inc()

    def _of_door(self, door: str) -> tuple[Gauge, Histogram]:
        """The two series of a door, looked up once: every request needs them."""
        found = self._doors.get(door)
        if found is None:
            found = self._open_requests.labels(door), self._request_seconds.labels(door)
            self._doors[door] = found
        return found

    def standing_failed(self) -> None:
        self._standing_failures.inc()

    def engine_asked(self, engine: str, outcomes: Sequence[str], *, seconds: float) -> None:
        """What came of asking `engine`, which the catalog names, once, so many questions."""
        self._engine_seconds.labels(engine).observe(seconds)
        for outcome in outcomes:
            self._engine_answers.labels(engine, outcome).inc()

    def reloaded(self, *, succeeded: bool) -> None:
        self._reloads.labels("in_force" if succeeded else "refused").inc()

    def audit_took(self, events: Sequence[object], *, seconds: float) -> None:
        self._audit_seconds.observe(seconds)
        for event in events:
            self._count(event)

    def audit_failed(self) -> None:
        self._audit_failures.inc()

    def _count(self, event: object) -> None:
        if not isinstance(event, Event):
            return
        self._audit_events.labels(event.kind).inc()
        if event.context.actor == SELF_TEST:
            return  # nobody called
        self._approvals.count(event)
        if isinstance(event, Decided):
            server = self._server(event.server)
            self._decisions.labels(server, event.outcome, event.reason).inc()
            self._decision_seconds.observe(event.micros / 1e6)
            if event.outcome == "allow":
                for rule in event.observed:
                    self._observed.labels(server, str(rule["id"])).inc()
        elif isinstance(event, CallCompleted):
            server = self._server(event.server)
            self._calls.labels(server, event.outcome).inc()
            self._call_seconds.labels(server).observe(event.micros / 1e6)
            if event.outcome == "upstream_failed":
                self._upstream_errors.labels(server).inc()
        elif isinstance(event, GuardrailViolated):
            self._violations.labels(event.guardrail).inc()
        elif isinstance(event, RefusalsCounted):
            self._refusals.labels(event.where, event.error).inc(event.count)
            if event.where == "guardrail":
                self._violations.labels(event.error).inc(event.count)

    def _server(self, name: str) -> str:
        return name if self._is_server(name) else "unknown"


def _of_engines(registry: CollectorRegistry) -> tuple[Counter, Histogram]:
    """What is counted of policy engines in other processes."""
    answers = Counter(
        "remit_engine_answers",
        "Questions to policy engines in other processes, by what came of them.",
        ["engine", "outcome"],
        registry=registry,
    )
    seconds = Histogram(
        "remit_engine_seconds",
        "Time until a policy engine in another process answered, or was given up.",
        ["engine"],
        buckets=_SLOW,
        registry=registry,
    )
    return answers, seconds


class MeteredAuditLog:
    """An audit log whose events are counted as it takes them."""

    def __init__(self, log: AuditLog, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics

    async def append(self, event: Event) -> Receipt:
        began = time.perf_counter()
        try:
            receipt = await self._log.append(event)
        except AuditUnavailableError:
            self._metrics.audit_failed()
            raise
        self._metrics.audit_took((event,), seconds=time.perf_counter() - began)
        return receipt

    def append_soon(self, event: Event) -> None:
        began = time.perf_counter()
        try:
            self._log.append_soon(event)
        except AuditUnavailableError:
            self._metrics.audit_failed()
            raise
        self._metrics.audit_took((event,), seconds=time.perf_counter() - began)

    def count_refusal(
        self, context: Context, *, where: str, error: str, about: str = "", token: str | None = None
    ) -> bool:
        return self._log.count_refusal(context, where=where, error=error, about=about, token=token)

    def record(self, events: Sequence[object]) -> None:
        began = time.perf_counter()
        try:
            self._log.record(events)
        except AuditUnavailableError:
            self._metrics.audit_failed()
            raise
        self._metrics.audit_took(events, seconds=time.perf_counter() - began)

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        self._log.abandon(events, cause)
