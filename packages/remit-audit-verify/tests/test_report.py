from pathlib import Path

import pytest

from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport, worst


@pytest.mark.parametrize(
    ("found", "counts"),
    [([], 0), ([0, 3], 3), ([3, 2], 2), ([2, 1, 3], 1), ([0, 0], 0)],
)
def test_tampered_with_counts_before_too_little_before_stale_before_valid(found, counts):
    assert worst(map(Verdict, found)) == counts


def test_the_last_good_record_stands_before_the_first_bad_one_and_under_a_checkpoint():
    report = StreamReport(path=Path(), proven=9, records=20)
    assert report.last_good == 8
    assert report.unsigned == 11
    report.add(Problem("root", "x", sequence=4), Verdict.TAMPERED)
    assert report.last_good == 3
    assert report.unsigned == 0
    report.add(Problem("root", "x", sequence=0), Verdict.STALE)
    assert report.last_good is None
    assert report.verdict is Verdict.TAMPERED


def test_where_there_was_nothing_to_check_there_is_not_enough_evidence():
    report = VerifyReport(path=Path(), streams=(), failure="there is no audit log here")
    assert report.exit_code == 2
