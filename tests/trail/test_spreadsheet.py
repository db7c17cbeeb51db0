import csv
import io

import pytest

from remit.audit import Context
from remit.audit.events import AgentSuspended
from remit.trail.dates import Dates, Style
from remit.trail.question import Found
from remit.trail.spreadsheet import COLUMNS, csv_lines, safe_cell


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\uff1d1", "\uff0b1", "|cmd", "%0a", '=HYPERLINK("x")', "-",
     "\ufe66 1", "\ufe62 1", "\ufe63 1", "\ufe6b SUM(A1)", "\uff0d1", "\uff20A1", "\u22121", "\u207a1", "\uff5cx"],
)  # fmt: skip
def test_no_cell_is_a_formula(text):
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["x;=1+1", "a; =1", "a;b;@x", "a;\uff1d1", ";=1", 'say "no";-1'])
def test_where_a_semicolon_begins_a_cell_it_begins_no_formula(text):
    line = safe_cell(text).replace('"', '""')
    cells = next(csv.reader([f'"2026","{line}"'], delimiter=";"))
    assert not [one for one in cells if one.strip()[:1] in set("=+-@\uff1d")]


@pytest.mark.parametrize(
    "text", ["a;b", "a; b", ";", "", "plain", "1", "a=b", "2026-01-31", "usr_1", " "]
)
def test_what_is_none_stays_as_it_is(text):
    assert safe_cell(text) == text


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\u202eb", "a\tb"])
def test_no_cell_breaks_a_line_or_hides_anything(text):
    assert safe_cell(text).isprintable()


@pytest.mark.parametrize("reason", ["=cmd|' /C calc'!A0", 'a","b', "x" * 9_000, "a\nb"])
def test_one_record_is_one_line_that_is_read_back(source, reason):
    record = source.add("remit/main", AgentSuspended(context=Context(tenant="acme"), reason=reason))
    found = Found(record, record.entry())
    lines = b"".join(csv_lines([found], Dates()))
    assert lines.count(b"\r\n") == 2
    heading, row = csv.reader(io.StringIO(lines.decode()))
    assert tuple(heading) == COLUMNS
    assert dict(zip(heading, row, strict=True))["kind"] == "agent.suspended"


def test_in_another_zone_utc_stands_beside_it(source):
    record = source.add("remit/main", AgentSuspended(context=Context(), reason="x"))
    lines = b"".join(
        csv_lines([Found(record, record.entry())], Dates(Style.US, "America/New_York"))
    )
    heading, row = csv.reader(io.StringIO(lines.decode()))
    assert heading[:3] == ["time", "time_utc", "log"]
    assert row[:2] == ["01/05/2026 10:00:00.000 AM EST", "2026-01-05T15:00:00.000Z"]
