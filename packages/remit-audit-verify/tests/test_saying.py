from pathlib import Path

import pytest

from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport
from remit_audit_verify.saying import render_report


def stream(*verdicts) -> StreamReport:
    report = StreamReport(path=Path("main"), origin="example.test/main", records=12_000, proven=9)
    for verdict in verdicts:
        report.add(Problem("link", "0.jsonl", 3, 2, what="altered"), verdict)
    return report


@pytest.mark.parametrize(
    ("verdicts", "exit_code"),
    [
        ([], 0),
        ([Verdict.INCOMPLETE], 2),
        ([Verdict.TAMPERED], 1),
        ([Verdict.TAMPERED, Verdict.INCOMPLETE], 1),
        ([Verdict.INCOMPLETE, Verdict.TAMPERED], 1),
    ],
)
def test_tampered_outweighs_incomplete_outweighs_valid(verdicts, exit_code):
    one = VerifyReport(path=Path(), streams=(stream(*verdicts),))
    several = VerifyReport(
        path=Path(), streams=(stream(), *(stream(verdict) for verdict in verdicts))
    )
    assert one.exit_code == several.exit_code == exit_code


def test_nothing_to_check_is_not_valid():
    report = VerifyReport(path=Path("here"), streams=(), failure="there is no audit log here")
    assert report.exit_code == 2
    assert "NOT ENOUGH EVIDENCE" in render_report(report)


def test_a_valid_log_says_how_much_is_signed_and_whose_key_was_used():
    text = render_report(VerifyReport(path=Path(), streams=(stream(),)))
    assert text.startswith("example.test/main: valid")
    assert "12,000" in text
    assert "not yet checkpointed: the last 11,991 records" in text
    assert "pin it with --key" in text


def test_a_pinned_key_is_not_warned_of():
    report = stream()
    report.pinned = True
    assert "--key" not in render_report(VerifyReport(path=Path(), streams=(report,)))


def test_a_problem_is_said_with_its_place_and_the_last_good_record():
    text = render_report(VerifyReport(path=Path(), streams=(stream(Verdict.TAMPERED),)))
    assert "TAMPERED WITH" in text
    assert "0.jsonl:3: record 2: altered" in text
    assert "last provably good record: 1" in text


def test_a_range_of_records_is_said_as_one():
    report = stream()
    report.add(Problem("root", "0.jsonl", 9, 5, 7, "not signed"), Verdict.TAMPERED)
    assert "records 5 to 7: not signed" in render_report(
        VerifyReport(path=Path(), streams=(report,))
    )


def test_of_a_log_with_nothing_proven_no_record_is_good():
    report = StreamReport(path=Path("main"))
    report.add(Problem("key", "log.pub", what="no key"), Verdict.INCOMPLETE)
    text = render_report(VerifyReport(path=Path(), streams=(report,)))
    assert "last provably good record: none" in text
    assert report.last_good is None
