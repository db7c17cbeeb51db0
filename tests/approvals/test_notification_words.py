from dataclasses import replace

import pytest

from remit.approvals.notification import Occasion
from remit.approvals.notification_words import subject_of_mail, words_of
from tests.approvals.notified import NOTICE, PAGE


def test_it_says_what_waits_for_whom_until_when_and_where_to_log_in():
    assert words_of([NOTICE], PAGE) == (
        "Waiting for an answer: tool `refund_payment` of `payments` in prod, asked for by the agent"
        " `refunds` (acme). It waits until 2026-01-05 15:15 UTC. For: manager.\n"
        f"Log in to see it: {PAGE}/approvals/apr_1\n"
        "This message approves nothing, and cannot be answered."
    )
    assert (
        subject_of_mail([NOTICE])
        == "[Remit] Waiting for an answer: tool `refund_payment` of `payments`"
    )


def test_what_escalated_and_what_was_taken_in_an_emergency_are_told_as_such():
    late = replace(NOTICE, occasion=Occasion.ESCALATED)
    taken = replace(
        NOTICE, occasion=Occasion.EMERGENCY, kind="emergency", name="break-glass", agent=None
    )
    assert words_of([late], PAGE).startswith("Still waiting for an answer: tool `refund_payment`")
    assert words_of([taken], PAGE).startswith(
        "Emergency access taken: `break-glass` in prod (acme). It has to be reviewed by: manager."
    )


def test_a_review_that_is_late_is_told_as_such():
    late = replace(
        NOTICE, occasion=Occasion.OVERDUE, kind="emergency", name="break-glass", agent=None
    )
    assert words_of([late], PAGE) == (
        "Emergency access not reviewed in time: `break-glass` in prod (acme). It has to be reviewed by: manager.\n"
        f"Log in to see it: {PAGE}/emergency\n"
        "This message approves nothing, and cannot be answered."
    )


def test_of_a_resource_not_even_the_name_is_told():
    words = words_of([replace(NOTICE, kind="resource", name="crm://accounts/4711")], PAGE)
    assert "a resource of `payments`" in words
    assert "4711" not in words


@pytest.mark.parametrize("kind", ["access", "tool", "prompt"])
def test_names_are_shown_inert_wherever_they_stand(kind):
    evil = "[yes](https://evil.example) <!channel>\r\n\u202e"
    notice = replace(
        NOTICE, kind=kind, name=evil, server=evil, agent=evil, tenant=evil, environment=evil,
        roles=(evil,),
    )  # fmt: skip
    text = f"{subject_of_mail([notice])}\n{words_of([notice], PAGE)}"
    assert text.count("://") == 1
    assert not set(text.removeprefix("[Remit]")) & set("<>[]\u202e\r")
    assert len(text.splitlines()) == 4


def test_many_are_told_at_once_and_only_the_first_of_very_many_by_name():
    many = [replace(NOTICE, about=f"apr_{place}") for place in range(30)]
    words = words_of(many, PAGE)
    assert words.startswith("30 requests wait for an answer:\n")
    assert "... and 20 more" in words
    assert words.count("refund_payment") == 10
    assert f"{PAGE}/approvals\n" in words
    assert subject_of_mail(many) == "[Remit] 30 requests wait for an answer"


def test_an_emergency_among_many_is_said_in_the_first_line():
    some = [NOTICE, replace(NOTICE, occasion=Occasion.EMERGENCY)]
    assert words_of(some, PAGE).startswith("2 things to look at, emergency access among them:")
