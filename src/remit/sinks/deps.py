"""What carrying copies needs of others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from remit.audit.source import RecordSource
from remit.clock import Clock
from remit.db import Database
from remit.model import SinkRules

__all__ = ["SinkCounts", "SinkDeps"]


class SinkCounts:
    """What is counted; this one counts nothing. Names are those that the repository declares."""

    def sent(self, sink: str, records: int) -> None:
        """So many records arrived."""

    def failed(self, sink: str, why: str) -> None:
        """An attempt came to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkDeps:
    """`rules` are those in force now; `instance` is what this process is called among several, `own_log` what it writes."""

    database: Database
    source: RecordSource
    clock: Clock
    rules: Callable[[], Mapping[str, SinkRules]]
    read_secret: Callable[[str], str]
    instance: str
    own_log: str
    counts: SinkCounts
