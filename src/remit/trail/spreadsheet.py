"""Events as CSV, one line each, safe to open in a spreadsheet.

A cell that a spreadsheet would calculate is text there: it begins with an apostrophe. So do cells that begin with what is
taken for a plus, a minus, an equals sign or an at sign in other widths; and so does what follows a semicolon within a cell,
where some countries' spreadsheets begin another. No cell holds a line break: the log keeps none.

Source: RFC 4180; OWASP "CSV Injection"; AUDIT §1.10 (11).
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from remit.audit.table import row
from remit.canonical import Json
from remit.trail.dates import Dates
from remit.trail.question import Found

__all__ = ["COLUMNS", "csv_lines", "safe_cell"]

COLUMNS: Final = (
    "time", "log", "seq", "kind", "outcome", "tenant", "environment", "user", "actor", "agent", "client", "grant",
    "flow", "trace", "target", "decision", "reason", "rules", "policy", "scopes", "ip", "id", "leaf",
)  # fmt: skip
_FORMULA: Final = frozenset("=+-@\t\r\n|%\u2212")
_WITHIN: Final = re.compile(r";(?=(\s*)(\S))")
_SCOPES: Final = ("scopes_required", "scopes", "granted", "requested")


def csv_lines(found: Iterable[Found], dates: Dates) -> Iterator[bytes]:
    """The heading, then a line for each; with `time` in the zone of `dates`, and `time_utc` beside it where that differs."""
    heading = COLUMNS if dates.is_plain else ("time", "time_utc", *COLUMNS[1:])
    yield _line(heading)
    for one in found:
        cells = _cells(one)
        time = cells[0]
        yield _line(cells if dates.is_plain else (dates.shown(time), time, *cells[1:]))


def safe_cell(text: str) -> str:
    """`text` so that no spreadsheet calculates it."""
    plain = "".join(one if one.isprintable() else "\ufffd" for one in text)
    # What is passed over before a formula does not hide one.
    parted = _WITHIN.sub(lambda found: ";'" if _calculated(found[2]) else ";", plain)
    return f"'{parted}" if _calculated(plain.lstrip()[:1]) else parted


def _calculated(first: str) -> bool:
    """Whether what begins with that letter is calculated; in whatever width, height or form it is written."""
    return unicodedata.normalize("NFKC", first) in _FORMULA


def _cells(found: Found) -> tuple[str, ...]:
    entry, shown = found.entry, row(found.entry)
    body = _part(entry, "body")
    return (
        _text(entry.get("observed")),
        found.record.log,
        str(found.record.sequence),
        shown.what,
        shown.outcome,
        _text(entry.get("tenant")),
        _text(entry.get("env")),
        _text(entry.get("user")),
        _text(_part(entry, "actor").get("id")),
        shown.agent,
        _text(entry.get("client")),
        _text(entry.get("grant")),
        _text(entry.get("flow")),
        _text(_part(entry, "trace").get("trace_id")),
        shown.target,
        _text(body.get("decision_id")),
        shown.reason,
        _names(body.get("rules")),
        _text(body.get("policy_version")),
        next((_names(body[one]) for one in _SCOPES if body.get(one)), ""),
        _text(_part(entry, "net").get("ip")),
        _text(entry.get("id")),
        found.record.leaf,
    )


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(
        [safe_cell(one) for one in cells]
    )
    return line.getvalue().encode()


def _part(entry: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    part = entry.get(name)
    return part if isinstance(part, dict) else {}


def _names(value: Json) -> str:
    if isinstance(value, list):
        return " ".join(_names(one) for one in value)
    if isinstance(value, dict):
        return _text(value.get("id"))
    return _text(value)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
