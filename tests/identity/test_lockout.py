"""How long an account rests."""

import pytest

from remit.identity.lockout import rest_after, rests_until


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (1, 0), (4, 0), (5, 30), (6, 60), (7, 120), (9, 480), (10, 900), (1000, 900)],
)
def test_a_rest_doubles_from_the_fifth_failure_to_a_quarter_of_an_hour(failures, seconds):
    assert rest_after(failures) == seconds


def test_an_account_that_need_not_rest_has_no_end_of_rest():
    assert rests_until(4, 1000) is None
    assert rests_until(5, 1000) == 1030


def test_a_guesser_gets_about_a_hundred_tries_a_day():
    now, tries = 0, 0
    while now < 86_400:
        tries += 1
        now += max(1, rest_after(tries))
    assert 90 <= tries <= 110
