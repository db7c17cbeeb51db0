"""A report as a page and as a document, and what cannot be done to whoever reads it."""

import re
from datetime import UTC, datetime

import pytest

from remit.audit import Context, Query
from remit.audit.context import Network
from remit.audit.events import AgentSuspended, Decided
from remit.trail.dates import Dates, Style
from remit.trail.page import report_page
from remit.trail.pdf import _plain, report_pdf
from remit.trail.question import Question
from remit.trail.report import report_of

EVIL = "</pre><script>alert(1)</script>\u202e<img src=x onerror=alert(1)> ' \" {{ 7*7 }}"


@pytest.fixture
def report(collecting, source):
    context = Context(tenant="acme", agent_id="bot", network=Network(user_agent=EVIL))
    source.add("remit/main", AgentSuspended(context=context, reason=EVIL))
    source.add(
        "remit/main",
        Decided(
            context=context, decision_id="dec_1", server="crm", method="tools/call",
            name="\u5220\u9664", outcome="deny", reason="scope_missing",
        ),
    )  # fmt: skip
    collected = collecting(Question(query=Query()), asked={"text": EVIL}, most=10)
    dates = Dates(Style.US, "America/New_York")
    return report_of(collected, dates=dates, made_at="2026-01-05T15:00:00.000Z", made_by=EVIL)


def test_what_came_from_outside_is_text_and_nothing_else(report):
    page = report_page(report)
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "{{ 7*7 }}" in page
    assert "&lt;script&gt;" in page


def test_the_page_fetches_nothing_and_lets_nothing_run(report):
    page = report_page(report)
    assert "default-src 'none'; style-src 'sha256-" in page
    assert not re.findall(r"(?:src|href)=\"(?!#)", page)
    assert "style=" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_both_dates_and_what_was_looked_at_are_on_it(report):
    page = report_page(report)
    assert "01/05/2026 10:00:00.000 AM EST" in page
    assert "2026-01-05T15:00:00.000Z" in page
    assert "remit/main: records 0 to 1" in page
    assert 'lang="en"' in page


def test_an_empty_report_says_so(collecting, source):
    collected = collecting(Question(query=Query()), asked={}, most=10)
    page = report_page(report_of(collected, dates=Dates(), made_at="now", made_by="uid:0"))
    assert "No such events." in page


def test_the_document_is_one_whatever_letters_come(report):
    made = report_pdf(report, made=datetime(2026, 1, 5, tzinfo=UTC))
    assert made.startswith(b"%PDF-1.")
    assert made.rstrip().endswith(b"%%EOF")
    assert b"/JavaScript" not in made
    assert b"/URI" not in made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("refund", "refund"), ("\u5220", "\\u5220"), ("\u062d", "\\u062d"), ("\U0001f4b8", "\\U0001f4b8"),
        ("a\u202eb", "a\\u202eb"), ("a\x1bb", "a\\u001bb"), ("caf\u00e9", "caf\u00e9"), ("a\u2014b", "a-b"),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_letter_that_no_reader_has_stands_in_the_document_by_its_code_point(text, told):
    assert _plain(text) == told


def test_a_question_with_more_than_is_wanted_says_that_there_is_more(collecting, source):
    for _ in range(5):
        source.add("remit/main", AgentSuspended(context=Context(), reason="x"))
    collected = collecting(Question(query=Query()), asked={}, most=3)
    assert [record.sequence for record in collected.records] == [2, 3, 4]
    assert collected.more
    made = report_of(collected, dates=Dates(), made_at="now", made_by="uid:0")
    assert "older events that are not in this report" in report_page(made)
