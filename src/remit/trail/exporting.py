"""What is handed out of the log, in the form that was asked for, with its SHA-256.

It is written whole before a byte of it leaves, so that the record of it names its digest.

Source: AUDIT §1.3 (`audit.exported`), §1.7.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from remit.canonical import canonical_bytes
from remit.clock import EpochSeconds, rfc3339_ms
from remit.trail.bundle import Proofs, write_bundle
from remit.trail.collecting import Collected
from remit.trail.dates import Dates
from remit.trail.page import report_page
from remit.trail.pdf import report_pdf
from remit.trail.report import report_of
from remit.trail.spreadsheet import csv_lines

__all__ = ["MEDIA_TYPES", "MOST_RECORDS", "Exported", "Form", "Making", "write_export"]

_IN_MEMORY: Final = 4 * 1024 * 1024
_CHUNK: Final = 256 * 1024


class Form(StrEnum):
    """What an export is."""

    JSONL = "jsonl"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"
    BUNDLE = "bundle"


MEDIA_TYPES: Final = {
    Form.JSONL: "application/x-ndjson",
    Form.CSV: "text/csv; charset=utf-8",
    Form.HTML: "text/html; charset=utf-8",
    Form.PDF: "application/pdf",
    Form.BUNDLE: "application/zip",
}
MOST_RECORDS: Final = {
    Form.JSONL: 1_000_000,
    Form.CSV: 1_000_000,
    Form.HTML: 10_000,
    Form.PDF: 5_000,
    Form.BUNDLE: 10_000,
}
"""In one export of each form; a narrower question has the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How an export is made: when, by whom, by what, with instants written how."""

    at: EpochSeconds
    by: str
    producer: str
    dates: Dates = Dates()


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: its bytes, how many, and their SHA-256 in hexadecimal. Whoever reads the bytes closes it."""

    file: IO[bytes]
    digest: str
    size: int

    def chunks(self) -> Iterator[bytes]:
        """The bytes, once."""
        with self.file:
            self.file.seek(0)
            while chunk := self.file.read(_CHUNK):
                yield chunk


def write_export(form: Form, collected: Collected, making: Making, *, proofs: Proofs) -> Exported:
    """Write `collected` in that form. Blocks.

    Raises:
        NoPdfError: PDF was asked for, and what writes it is not installed.
        OSError: there is no room for it.
    """
    with ExitStack() as undo:
        file: IO[bytes] = undo.enter_context(SpooledTemporaryFile(_IN_MEMORY))
        _write(form, file, collected, making, proofs=proofs)
        file.seek(0)
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        undo.pop_all()  # closed by whoever reads it
        return Exported(file, digest.hexdigest(), file.tell())


def _write(
    form: Form, file: IO[bytes], collected: Collected, making: Making, *, proofs: Proofs
) -> None:
    made_at = rfc3339_ms(making.at * 1_000)
    match form:
        case Form.JSONL:
            for found in collected.events():
                record = found.record
                shown = {"log": record.log, "seq": record.sequence, "leaf": record.leaf}
                file.write(canonical_bytes({**shown, "record": found.entry}) + b"\n")
        case Form.CSV:
            file.writelines(csv_lines(collected.events(), making.dates))
        case Form.BUNDLE:
            write_bundle(file, collected, proofs, made_at=made_at, producer=making.producer)
        case Form.HTML | Form.PDF:
            report = report_of(collected, dates=making.dates, made_at=made_at, made_by=making.by)
            if form is Form.HTML:
                file.write(report_page(report).encode())
            else:
                file.write(report_pdf(report, made=datetime.fromtimestamp(making.at, UTC)))
