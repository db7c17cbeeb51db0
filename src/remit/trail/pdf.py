"""A report as PDF, for a file: the events, one a line, and over which records and checkpoints it was given.

The letters of the page are those that every reader of PDF has; others stand there by their code points, and are whole in
the HTML of the same report. It takes the package fpdf2 (`remit[reports]`).

Source: ISO 32000-1 (PDF 1.7) §9.6.2.2 (the standard fonts).
"""

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Final

from remit.errors import Error
from remit.trail.report import Report, ReportLine

__all__ = ["NoPdfError", "report_pdf"]

_TONES: Final = {"good": (26, 107, 60), "bad": (179, 38, 30), "waits": (122, 77, 0)}
_INK: Final = (27, 30, 34)
_SOFT: Final = (89, 97, 106)
_LINE: Final = (221, 225, 229)
_LONGEST: Final = 400


class NoPdfError(Error):
    """The package that writes PDF is not installed: `pip install remit[reports]`, or take the HTML."""

    code: ClassVar[str] = "no_pdf"


def report_pdf(report: Report, *, made: datetime) -> bytes:
    """The document, on A4, dated `made`.

    Raises:
        NoPdfError: fpdf2 is not installed.
    """
    if find_spec("fpdf") is None:
        raise NoPdfError("PDF takes the package fpdf2: install `remit[reports]`, or take HTML")
    pdf = _document(report, made)
    _head(pdf, report)
    for line in report.lines:
        _event(pdf, line)
    _foot(pdf, report)
    return bytes(pdf.output())


def _document(report: Report, made: datetime) -> Any:
    """A document that says on each page what it is and which page."""
    library: Any = import_module("fpdf")

    class Document(library.FPDF):  # type: ignore[misc]  # what is imported when it is asked for has no type
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("Helvetica", size=8)
            self.set_text_color(*_SOFT)
            self.cell(0, 5, f"{_plain(report.title)}  ·  page {self.page_no()}", align="C")

    pdf = Document(format="A4")
    pdf.set_creation_date(made)
    pdf.set_title(_plain(report.title))
    pdf.set_creator("Remit")
    pdf.set_lang("en")
    pdf.set_auto_page_break(auto=True, margin=16)
    pdf.set_margin(15)
    pdf.add_page()
    return pdf


def _head(pdf: Any, report: Report) -> None:
    _text(pdf, report.title, size=17, bold=True)
    if report.asked:
        _text(pdf, f"Asked: {report.asked}", size=10)
    if report.span:
        _text(pdf, report.span, size=9, colour=_SOFT)
    _text(
        pdf,
        f"Times in {report.dates.zone}. Made {report.made_at} by {report.made_by}.",
        size=9,
        colour=_SOFT,
    )
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in report.counts)
    _text(pdf, f"{len(report.lines):,} events{': ' if counts else ''}{counts}", size=11, bold=True)
    for said in _warnings(report):
        _text(pdf, said, size=10, colour=_TONES["waits"])
    pdf.ln(3)


def _event(pdf: Any, line: ReportLine) -> None:
    row = line.row
    pdf.set_draw_color(*_LINE)
    if pdf.will_page_break(16):
        pdf.add_page()
    pdf.line(pdf.l_margin, pdf.get_y(), pdf.w - pdf.r_margin, pdf.get_y())
    pdf.ln(1)
    beside = "" if line.time == line.time_utc else f"  ({line.time_utc})"
    _text(pdf, f"{line.time}{beside}   {line.place}", size=8, colour=_SOFT)
    _text(pdf, f"{row.what}: {row.outcome}", size=10, bold=True, colour=_TONES[line.tone])
    parts = (("by", row.who), ("through", row.agent), ("on", row.target), ("because", row.reason))
    said = "   ".join(f"{name} {value}" for name, value in parts if value)
    if said:
        _text(pdf, said, size=9)
    pdf.ln(1)


def _foot(pdf: Any, report: Report) -> None:
    pdf.ln(4)
    _text(pdf, "What was looked at", size=12, bold=True)
    for one in report.looked:
        last = max(one.first, one.to - 1)
        _text(pdf, f"{one.log}: records {one.first:,} to {last:,}", size=10)
        if one.checkpoint:
            pdf.set_font("Courier", size=7)
            pdf.set_text_color(*_SOFT)
            pdf.multi_cell(0, 3.4, _plain(one.checkpoint.strip(), breaks=True), new_x="LMARGIN")


def _warnings(report: Report) -> Iterator[str]:
    if report.more:
        yield "There are older events that are not in this report."
    if report.behind:
        yield f"{report.behind:,} records were not indexed yet, and not looked at."


def _text(
    pdf: Any,
    text: str,
    *,
    size: int,
    bold: bool = False,
    colour: tuple[int, int, int] = _INK,
) -> None:
    pdf.set_font("Helvetica", style="B" if bold else "", size=size)
    pdf.set_text_color(*colour)
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    pdf.multi_cell(0, size * 0.5, _plain(cut), align="L", new_x="LMARGIN", new_y="NEXT")


def _plain(text: str, *, breaks: bool = False) -> str:
    """`text` in the letters that the standard fonts have; each other by its code point, and so is what is not seen."""
    told = (
        one if one.isprintable() or (breaks and one == "\n") else f"\\u{ord(one):04x}"
        for one in text.replace("\u2014", "-")
    )
    return "".join(told).encode("latin-1", errors="backslashreplace").decode("latin-1")
