"""How far a request is, in words."""

from dataclasses import replace

import pytest

from remit.approvals.page_progress import acr_in_words, outcome_of, progress_of
from remit.approvals.person import Person
from remit.approvals.request import About, Answer, Part, PartKind, RequestState, Verdict
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT, Escalation
from remit.testing.catalog import small_catalog
from tests.approvals.test_page_call import asked

ADA = Person(
    user_id="usr_ada", username="ada", tenant="acme", roles=(), acr=ACR_PASSWORD, auth_time=0
)
BOB = replace(ADA, user_id="usr_bob", username="bob")
CONFIRMATION = Part(kind=PartKind.CONFIRMATION, acr=ACR_PHISHING_RESISTANT)
APPROVAL = Part(kind=PartKind.APPROVAL, acr=ACR_MULTI_FACTOR, role="manager", quorum=2)


def answered(person: str, verdict: Verdict, **changes: object) -> Answer:
    answer = Answer(
        person=person,
        verdict=verdict,
        capacity="role:manager",
        acr=ACR_MULTI_FACTOR,
        auth_time=0,
        shown="s",
        shown_at=1,
        at=1_100,
    )
    return replace(answer, **changes)


def test_each_part_says_whose_word_it_takes_and_how_many_were_given():
    request = asked(
        parts=(CONFIRMATION, APPROVAL),
        answers=(
            answered("usr_ada", Verdict.CONFIRMED),
            answered("usr_bob", Verdict.APPROVED, counts_for=(1,)),
        ),
    )
    own, others = progress_of(request, small_catalog())
    assert (own.who, own.how, own.given, own.is_met) == (
        "The person it is for",
        "with a passkey",
        1,
        True,
    )
    assert (others.who, others.given, others.wanted, others.is_met) == ("manager", 1, 2, False)


def test_a_no_and_a_yes_to_another_part_do_not_count():
    request = asked(
        parts=(APPROVAL, replace(APPROVAL, role="director")),
        answers=(
            answered("usr_bob", Verdict.APPROVED, counts_for=(1,)),
            answered("usr_cyn", Verdict.REFUSED),
        ),
    )
    assert [one.given for one in progress_of(request, small_catalog())] == [0, 1]


def test_owners_and_who_is_asked_later_are_named():
    part = replace(APPROVAL, owners=True, escalation=Escalation(after=600, role="director"))
    (shown,) = progress_of(asked(parts=(part,)), small_catalog())
    assert shown.who.startswith("manager, or the owner ")
    assert shown.escalates_to == "director"
    assert shown.escalates.machine == "1970-01-01T00:26:40Z"


@pytest.mark.parametrize(
    ("acr", "words"),
    [
        (ACR_PHISHING_RESISTANT, "with a passkey"),
        (ACR_MULTI_FACTOR, "with a second factor"),
        (ACR_PASSWORD, "logged in"),
        (None, "logged in"),
    ],
)
def test_how_somebody_logs_in_for_it_is_said(acr, words):
    assert acr_in_words(acr) == words


@pytest.mark.parametrize(
    ("changes", "mark", "title"),
    [
        ({}, "waiting", "This waits for an answer"),
        ({"state": RequestState.APPROVED, "ended_at": 1_100}, "yes", "The call is allowed"),
        ({"state": RequestState.REFUSED, "ended_at": 1_100}, "no", "The call is refused"),
        ({"state": RequestState.WITHDRAWN, "ended_at": 1_100}, "no", "This was withdrawn"),
        ({"state": RequestState.EXPIRED, "ended_at": 1_700}, "no", "This is over"),
        ({"expires_at": 1_050}, "no", "This is over"),
        (
            {"state": RequestState.APPROVED, "about": About.ACCESS},
            "yes",
            "The access is allowed",
        ),
    ],
)
def test_how_it_ended_is_said(changes, mark, title):
    outcome = outcome_of(asked(**changes), ADA, now=1_100)
    assert (outcome.mark, outcome.title) == (mark, title)


def test_whose_agent_goes_on_is_said_to_who_looks():
    request = asked(state=RequestState.APPROVED)
    assert "your agent" in outcome_of(request, ADA, now=1_100).next
    assert "the agent" in outcome_of(request, BOB, now=1_100).next


def test_who_said_their_part_is_told_that_it_takes_others():
    request = asked(
        parts=(CONFIRMATION, APPROVAL), answers=(answered("usr_ada", Verdict.CONFIRMED),)
    )
    assert outcome_of(request, ADA, now=1_100).title == "Your answer is recorded"
    assert outcome_of(request, BOB, now=1_100).title == "This waits for an answer"


def test_the_reason_of_a_no_stands_there_as_somebodys_words():
    request = asked(
        state=RequestState.REFUSED,
        answers=(answered("usr_bob", Verdict.REFUSED, reason="no\u202e"),),
    )
    reason = outcome_of(request, ADA, now=1_100).reason
    assert [(one.text, one.sign) for one in reason] == [("no", False), ("U+202E", True)]
