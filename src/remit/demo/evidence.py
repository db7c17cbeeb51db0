"""The part of the story for whoever does not trust us: one grant from beginning to end, and the log checked by the auditor's own program.

What is checked is a copy, by a process that has nothing of Remit's server in it; with the key that was kept, and with the
receipts that came with the answers.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from remit.audit import read_events, row
from remit.demo.narrator import Narrator
from remit.demo.people_asked import expect
from remit.demo.stage import Stage

__all__ = ["RECEIPT", "check_elsewhere", "receipt_of", "show_timeline"]

RECEIPT: Final = "dev.remit/audit"
"""Where a tool's answer says which records it stands in."""
_TOLD: Final = ("consent.presented", "consent.granted", "token.issued", "decision", "grant.revoked")
_BEGINNING: Final = 9
_END: Final = 5
"""So many lines of a long story are shown of both ends; what is between is counted."""


def receipt_of(result: Any) -> Mapping[str, Any] | None:
    """The receipt that came with a tool's answer, if one did."""
    meta = getattr(result, "meta", None)
    found = meta.get(RECEIPT) if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else None


async def show_timeline(stage: Stage, say: Narrator) -> None:
    """Tell the story of the grant that ended, as the log has it.

    Raises:
        UnexpectedAnswerError: its beginning, its calls or its end are not there.
    """
    say.step("One grant, from its page to its end")
    grant = next(
        str(one["grant"])
        for one in read_events(stage.data / "audit")
        if one["kind"] == "grant.revoked" and one["grant"]
    )
    say.asked(f"remit audit timeline grant {grant}")
    told = await stage.remit("audit", "timeline", "grant", grant, "--json")
    records = [orjson.loads(line)["record"] for line in told.splitlines() if line.startswith("{")]
    kinds = [one["kind"] for one in records]
    for kind in _TOLD:
        expect(kind in kinds, f"`{kind}` in the story of a grant, not {kinds}")
    say.table(("time", "what", "outcome", "why"), _both_ends(records))
    say.why("the page its person saw, the tokens, each call, the end: joined by grant and trace")


def _both_ends(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """The lines of a story; of a long one its beginning and its end, and how many more there are between them."""
    rows = [row(one) for one in records]
    lines = [(one.time[11:19], one.what, one.outcome, one.reason.replace("_", " ")) for one in rows]
    left = len(lines) - _BEGINNING - _END
    if left <= 1:
        return lines
    between = ("", f"… {left} more", "", "that command shows them all")
    return [*lines[:_BEGINNING], between, *lines[-_END:]]


async def check_elsewhere(
    stage: Stage, say: Narrator, receipts: Sequence[Mapping[str, Any]]
) -> None:
    """Have the separate verifier check a copy of the log, offline, with a kept key and kept receipts.

    Raises:
        UnexpectedAnswerError: it finds anything wrong.
    """
    say.step("Checked by a program that is not ours to run")
    copy, kept = stage.folder / "evidence", stage.folder / "kept"
    shutil.copytree(stage.data / "audit", copy)
    kept.mkdir()
    key = next(copy.rglob("log.pub"))
    shutil.copy(key, kept / "log.pub")
    (kept / "receipts.jsonl").write_bytes(b"\n".join(map(orjson.dumps, receipts)))
    options = ["--key", str(kept / "log.pub"), "--receipt", str(kept / "receipts.jsonl")]
    say.asked("remit-audit-verify evidence --key log.pub --receipt receipts.jsonl")
    status, output = await _verify(copy, options)
    expect(status == 0, f"a log that verifies: {output}")
    for line in output.strip().splitlines()[:3]:
        say.allowed(line.strip())
    say.why("files in, a verdict out: standard library and one cryptography package, no server")


async def _verify(log: Path, options: Sequence[str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "remit_audit_verify", str(log), *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()
