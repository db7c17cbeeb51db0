"""Moments and lengths of time, as they stand on a page."""

import pytest

from remit.approvals.page_time import ago, length, moment


def test_a_moment_says_its_zone_and_can_be_read_by_machines():
    shown = moment(1_795_356_300)
    assert shown.text == "22 November 2026, 14:05 UTC"
    assert shown.machine == "2026-11-22T14:05:00Z"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "no time"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (119, "1 minute"),
        (300, "5 minutes"),
        (5_400, "1 hour 30 minutes"),
        (3_661, "1 hour 1 minute"),
        (86_400, "1 day"),
        (90_000, "1 day 1 hour"),
        (604_800, "7 days"),
    ],
)
def test_a_length_is_said_in_its_two_largest_units(seconds, words):
    assert length(seconds) == words


@pytest.mark.parametrize(
    ("passed", "words"),
    [(-5, "just now"), (0, "just now"), (59, "just now"), (60, "1 minute ago"), (7_300, "2 hours ago")],
)  # fmt: skip
def test_how_long_ago_is_said_in_one_unit(passed, words):
    assert ago(1_000, 1_000 + passed) == words
