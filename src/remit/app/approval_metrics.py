"""What Remit counts of people who were asked: how many, what they said, how long they looked, whether they were told.

Read off the audit events like everything else. No label holds a person, an agent or a tool.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

from remit.audit.approval_events import (
    AccessGranted,
    ApprovalAnswered,
    ApprovalExpired,
    ApprovalRequested,
    ElevationGiven,
    ElevationRevoked,
    ElevationUsed,
    EmergencyTaken,
)

__all__ = ["ApprovalMetrics"]

_LOOKED = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0)


class ApprovalMetrics:
    """The counters, in the registry of the process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "remit_approval_requests",
            "Requests to people, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self._answers = Counter(
            "remit_approval_answers", "Answers of people.", ["verdict"], registry=registry
        )
        self._looked = Histogram(
            "remit_approval_look_seconds",
            "Time that what was approved had been in front of whoever approved it.",
            buckets=_LOOKED,
            registry=registry,
        )
        self._elevations = Counter(
            "remit_elevations",
            "Elevations, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self._access = Counter(
            "remit_access_given", "Access that was given for a while.", ["kind"], registry=registry
        )
        self._told = Counter(
            "remit_notifications",
            "Attempts to tell people that something waits, by what came of them.",
            ["notifier", "outcome"],
            registry=registry,
        )

    def notified(self, notifier: str, outcome: str) -> None:
        """What came of one attempt of a notifier that the repository names."""
        self._told.labels(notifier, outcome).inc()

    def count(self, event: object) -> None:
        """Count what `event` says, if it is about people who were asked."""
        match event:
            case ApprovalRequested():
                self._requests.labels("asked").inc()
            case ApprovalExpired():
                self._requests.labels("expired").inc()
            case ApprovalAnswered():
                self._answers.labels(event.verdict).inc()
                if event.verdict != "refused":
                    self._looked.observe(event.seconds)
            case ElevationGiven():
                self._elevations.labels("given").inc()
            case ElevationUsed():
                self._elevations.labels("given_back" if event.given_back else "used").inc()
            case ElevationRevoked():
                self._elevations.labels("revoked").inc()
            case AccessGranted():
                self._access.labels("offer").inc()
            case EmergencyTaken():
                self._access.labels("emergency").inc()
            case _:
                pass
