from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.approvals.notification import (
    NotSentError,
    Occasion,
    inert,
    next_attempt,
    notice_json,
    page_of,
)
from remit.clock import EpochSeconds
from tests.approvals.notified import AT, NOTICE, PAGE


def test_it_is_tried_again_later_and_later_and_never_sooner_than_an_attempt_may_take():
    pauses = [next_attempt(attempts, now=AT) - AT for attempts in range(1, 30)]
    assert pauses == sorted(pauses)
    assert pauses[0] > 12
    assert pauses[-1] == 3_600


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("refund_payment", "refund_payment"),
        ("a b-c.d/e:f", "a b-c.d/e:f"),
        ("[approve](https://evil.example)", "?approve??https:??evil.example?"),
        ("<!channel>", "??channel?"),
        ("@here `x` *y* ~z~ |w|", "?here ?x? ?y? ?z? ?w?"),
        ("refund\u202edlog", "refund?dlog"),
        ("a\r\nBcc: b", "a??Bcc: b"),
        ("\x00\x1b[31m", "???31m"),
        ("pаyments", "p?yments"),  # noqa: RUF001  a Cyrillic letter
        ("", ""),
    ],
)
def test_a_name_can_be_no_markup_no_mention_and_no_other_writing_direction(name, shown):
    assert inert(name) == shown


@given(st.text())
def test_whatever_a_name_is_it_is_one_short_plain_line_without_an_address(name):
    shown = inert(name)
    assert shown.isascii()
    assert shown.isprintable() or shown == ""
    assert not set(shown) & set("<>`[]()@&|\"'\\")
    assert "://" not in shown
    assert len(shown) <= 130


def test_one_is_seen_on_its_page_and_several_in_the_inbox():
    emergency = replace(NOTICE, occasion=Occasion.EMERGENCY, about="acc_1")
    assert page_of([NOTICE], PAGE) == f"{PAGE}/approvals/apr_1"
    assert page_of([NOTICE, NOTICE], PAGE) == f"{PAGE}/approvals"
    assert page_of([NOTICE, emergency], PAGE) == f"{PAGE}/approvals"
    assert page_of([emergency], PAGE) == f"{PAGE}/emergency"


def test_what_is_kept_is_what_may_be_told():
    assert set(notice_json(NOTICE)) == {
        "about", "occasion", "tenant", "server", "kind", "name", "environment", "agent", "roles",
        "at", "ends_at",
    }  # fmt: skip


def test_an_error_says_a_code_and_nothing_of_its_cause():
    error = NotSentError("answered_500", cause=ValueError("https://hooks.example/secret"))
    assert "secret" not in str(error)
    assert (error.told, error.for_good, error.answered) == ("answered_500", False, False)
    assert EpochSeconds(AT) == AT
