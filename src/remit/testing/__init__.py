"""What the authors of tests and plug-ins use: a clock that stands still, contract suites."""

from remit.testing.clock import FixedClock

__all__ = ["FixedClock"]
