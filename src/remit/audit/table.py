"""Events as rows for people: when, what, who, by which agent, on what, with what outcome, and why.

Decides which of a record's fields make its target, outcome and reason. Text from
outside cannot move a terminal's cursor or break a row: the log has cleaned it once,
and here it is cleaned again, since a file may have been changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from remit.audit.query import Query, follow, newest
from remit.canonical import Json, canonical_text

__all__ = ["HEADINGS", "Row", "render_rows", "row", "tail"]

HEADINGS = ("TIME", "WHAT", "WHO", "AGENT", "TARGET", "OUTCOME", "REASON")
_WIDEST = 48
_SUBJECTS = (
    "account_id", "resource", "client_name", "session_id", "catalog_version", "elevation", "approval", "access", "absent",
)  # fmt: skip
_REASONS = ("reason", "detail", "error", "changed", "credential", "how")

# What an event that names no outcome of its own came to.
_OUTCOMES = {
    "refused": "deny",
    "denied": "deny",
    "failed": "fail",
    "counted": "deny",
    "reuse_detected": "deny",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One event on one line; what does not apply is empty."""

    time: str
    what: str
    who: str
    agent: str
    target: str
    outcome: str
    reason: str


def row(entry: Mapping[str, Json]) -> Row:
    """The row of one event."""
    body = entry.get("body")
    held: Mapping[str, Json] = body if isinstance(body, dict) else {}
    kind = _text(entry.get("kind"))
    return Row(
        time=_text(entry.get("observed")),
        what=kind,
        who=_who(entry),
        agent=_text(entry.get("agent")),
        target=_target(held),
        outcome=_text(held.get("outcome") or held.get("verdict"))
        or _OUTCOMES.get(kind.rpartition(".")[2], "ok"),
        reason=_reason(held),
    )


def render_rows(rows: Iterable[Row], *, headings: bool = True) -> str:
    """The rows as a table of plain text with aligned columns, without a final newline."""
    table: list[tuple[str, ...]] = [HEADINGS] if headings else []
    table += [_cells(one) for one in rows]
    if not table:
        return ""
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    )


def tail(
    path: Path, *, count: int = 20, query: Query | None = None, following: bool = False
) -> Iterator[Row]:
    """The newest `count` events in `path` as rows, oldest first; then, if asked, those that come."""
    coming = follow(path, query) if following else iter(())
    shown = newest(path, count, query)
    for entry in shown:
        yield row(entry)
    known = {entry.get("id") for entry in shown}  # what came while the newest were read is in both
    for entry in coming:
        if entry.get("id") not in known:
            yield row(entry)


def _who(entry: Mapping[str, Json]) -> str:
    user = _text(entry.get("user"))
    if user:
        return user
    actor = entry.get("actor")
    if not isinstance(actor, dict):
        return ""
    return _text(actor.get("id")) or _text(actor.get("type"))


def _target(body: Mapping[str, Json]) -> str:
    server, name = _text(body.get("server")), _text(body.get("name"))
    if server:
        return f"{server}/{name or _text(body.get('method'))}"
    return next((_text(body[field]) for field in _SUBJECTS if body.get(field)), "")


def _reason(body: Mapping[str, Json]) -> str:
    missing = body.get("scopes_missing")
    reason = next((_text(body[field]) for field in _REASONS if body.get(field)), "")
    return f"{reason}: {_text(missing)}" if missing else reason


def _cells(one: Row) -> tuple[str, ...]:
    cells = [getattr(one, field.name) for field in fields(one)]
    return tuple(cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…" for cell in cells)


def _text(value: Json) -> str:
    match value:
        case None:
            return ""
        case str():
            text = value
        case list():
            text = " ".join(_text(item) for item in value)
        case _:
            text = canonical_text(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)
