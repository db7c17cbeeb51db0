"""How much may be asked of whom, and how large a message may be."""

from dataclasses import dataclass

__all__ = ["NO_LIMITS", "CallLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """`calls_per_minute`: on average, with a minute's worth at once; `concurrent_calls`: under way at one time.

    `None` is no limit of this kind. Each process that enforces counts for itself.
    """

    calls_per_minute: int | None = None
    concurrent_calls: int | None = None


NO_LIMITS = CallLimits()
