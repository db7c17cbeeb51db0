"""A report for people: what was asked, what was found, in the order it happened, and over which records.

Source: AUDIT §1.7, §1.10 (12).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from remit.audit import Row, row
from remit.canonical import canonical_text
from remit.trail.collecting import Collected
from remit.trail.dates import Dates
from remit.trail.question import Found, Looked
from remit.trail.timeline import Story

__all__ = ["Report", "ReportLine", "report_of"]

_BAD = frozenset({"deny", "fail", "error", "refused", "unknown", "unjustified", "upstream_failed"})
_WAITS = frozenset({"challenge", "connection_needed", "task"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One event. `tone` is `good`, `bad` or `waits`; `why`: by what it belongs to a story."""

    row: Row
    time: str
    time_utc: str
    place: str
    leaf: str
    tone: str
    whole: str
    why: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`asked` is the question in words of its fields; `more`: there are older events that are not in it."""

    title: str
    asked: str
    made_at: str
    made_by: str
    dates: Dates
    lines: Sequence[ReportLine]
    counts: Sequence[tuple[str, int]]
    looked: Sequence[Looked]
    more: bool
    behind: int

    @property
    def span(self) -> str:
        """From the first event to the last."""
        return f"{self.lines[0].time} to {self.lines[-1].time}" if self.lines else ""


def report_of(collected: Collected, *, dates: Dates, made_at: str, made_by: str) -> Report:
    """The report of what was collected. `made_at` is an instant as the log writes it."""
    asked = collected.asked
    subject = asked.get("timeline")
    lines = [_line(one, dates, collected.story) for one in collected.events()]
    return Report(
        title=f"The story of {subject}" if isinstance(subject, str) else "What the audit log says",
        asked=", ".join(
            f"{name} {value if isinstance(value, str) else canonical_text(value)}"
            for name, value in asked.items()
            if name not in {"timeline", "limit"}
        ),
        made_at=dates.shown(made_at),
        made_by=made_by,
        dates=dates,
        lines=lines,
        counts=Counter(one.row.outcome for one in lines).most_common(),
        looked=collected.looked,
        more=collected.more,
        behind=collected.behind,
    )


def _line(found: Found, dates: Dates, story: Story | None) -> ReportLine:
    shown = row(found.entry)
    bad, waits = shown.outcome in _BAD, shown.outcome in _WAITS
    return ReportLine(
        row=shown,
        time=dates.shown(shown.time),
        time_utc=shown.time,
        place=f"{found.record.log}#{found.record.sequence}",
        leaf=found.record.leaf,
        tone="bad" if bad else "waits" if waits else "good",
        whole=orjson.dumps(found.entry, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode(),
        why=() if story is None else story.why(found),
    )
