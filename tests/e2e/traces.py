"""What a request leaves behind: rows, records, calls upstream, lines in the operator's log."""

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from remit.demo.stage import Stage

# How often somebody tried is what a limit on trying has to remember, and what a server offers is
# learned when it has started, seconds later: no request's doing.
_NOBODYS = {"throttle", "definitions"}
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything there was at one moment."""

    stage: Stage
    rows: dict[str, int]
    records: int
    upstream: int
    log: int

    @classmethod
    def of(cls, stage: Stage) -> "Traces":
        return cls(
            stage=stage,
            rows=_rows(stage),
            records=len(_records(stage)),
            upstream=_upstream(stage),
            log=len(_log(stage)),
        )

    async def recorded_since(self, *kinds: str) -> list[dict[str, Any]]:
        """The records that came, which must be of `kinds`: a refusal may be on its way to the disk."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            new = _records(self.stage)[self.records :]
            if len(new) >= len(kinds) or time.monotonic() > deadline:
                assert [one["kind"] for one in new] == list(kinds)
                return new
            await asyncio.sleep(0.02)

    def nothing_else_since(self) -> None:
        """No row came or went, the server behind the gateway heard nothing, and nothing broke."""
        rows = _rows(self.stage)
        changed = {name: n - self.rows[name] for name, n in rows.items() if n != self.rows[name]}
        assert not changed, changed
        assert _upstream(self.stage) == self.upstream
        written = _log(self.stage)[self.log :]
        assert "Traceback" not in written
        assert '"level": "error"' not in written


def _rows(stage: Stage) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{stage.data}/remit.sqlite3?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in tables
            if name not in _NOBODYS
        }


def _records(stage: Stage) -> list[dict[str, Any]]:
    lines = [
        line
        for segment in sorted((stage.data / "audit").rglob("*.jsonl"))
        for line in segment.read_bytes().splitlines(keepends=True)
    ]
    # The last line may still be on its way.
    records = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return [one for one in records if one["kind"] != "definition.pinned"]


def _upstream(stage: Stage) -> int:
    return (stage.folder / "crm.log").read_text().count("/mcp HTTP/1.1")


def _log(stage: Stage) -> str:
    return (stage.folder / "remit.log").read_text()
