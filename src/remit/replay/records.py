"""Which recorded decisions are decided again."""

from dataclasses import dataclass
from pathlib import Path

from remit.clock import EpochSeconds
from remit.ids import TenantId

__all__ = ["Records"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The decisions of a log: those written from `since` on and before `until`, of one tenant or of all.

    `folder` is a stream's folder, or the one with all streams.
    """

    folder: Path
    since: EpochSeconds
    until: EpochSeconds
    tenant: TenantId | None = None
