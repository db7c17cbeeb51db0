"""What the authors of tests and plug-ins use: a clock that stands still, a log in memory, contract suites."""

from remit.testing.audit import InMemoryAuditLog
from remit.testing.clock import FixedClock

__all__ = ["FixedClock", "InMemoryAuditLog"]
