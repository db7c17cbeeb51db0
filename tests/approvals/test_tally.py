"""Whether enough people said yes: matched to what they can count for, each once."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.approvals.request import Answer, Part, PartKind, Verdict
from remit.approvals.tally import counted_for, need_name

CONFIRM = Part(kind=PartKind.CONFIRMATION, acr="urn:a")


def _part(role, quorum=1):
    return Part(kind=PartKind.APPROVAL, role=role, quorum=quorum)


def _yes(person, *places, verdict=Verdict.APPROVED):
    return Answer(
        person=person, verdict=verdict, capacity="", acr="", auth_time=0, shown="", shown_at=0, at=0,
        counts_for=places,
    )  # fmt: skip


def _met(parts, answers):
    taken = counted_for(parts, answers)
    return [len(one) >= part.quorum for part, one in zip(parts, taken, strict=True)]


def test_one_person_fills_one_place():
    parts = [_part("manager"), _part("finance")]
    assert _met(parts, [_yes("a", 0, 1)]) == [True, False]


def test_who_can_do_either_makes_room_for_who_can_do_one():
    parts = [_part("manager"), _part("finance")]
    assert _met(parts, [_yes("a", 0, 1), _yes("b", 0)]) == [True, True]


def test_a_quorum_takes_as_many_people():
    parts = [_part("manager", 2)]
    assert _met(parts, [_yes("a", 0)]) == [False]
    assert _met(parts, [_yes("a", 0), _yes("b", 0)]) == [True]


def test_who_said_no_counts_for_nothing():
    assert _met([_part("manager")], [_yes("a", 0, verdict=Verdict.REFUSED)]) == [False]


def test_a_confirmation_is_no_approval_and_counts_for_all_that_is_confirmed():
    parts = [CONFIRM, CONFIRM, _part("manager")]
    confirmed = _yes("a", 0, 1, verdict=Verdict.CONFIRMED)
    assert _met(parts, [confirmed]) == [True, True, False]


def test_an_approval_is_no_confirmation():
    assert _met([CONFIRM], [_yes("b", 0)]) == [False]


@given(
    st.lists(st.integers(1, 2), min_size=1, max_size=3),
    st.lists(st.sets(st.integers(0, 2)), max_size=5),
)
def test_as_much_is_met_as_any_seating_of_these_people_could(quorums, eligible):
    parts = [_part(f"role{n}", quorum) for n, quorum in enumerate(quorums)]
    answers = [_yes(f"p{n}", *sorted(one)) for n, one in enumerate(eligible)]
    taken = counted_for(parts, answers)
    people = [one.person for answers_of in taken for one in answers_of]
    assert len(people) == len(set(people))
    assert all(len(one) <= part.quorum for part, one in zip(parts, taken, strict=True))
    seats = [n for n, quorum in enumerate(quorums) for _ in range(quorum)]
    best = 0
    for chosen in itertools.product([None, *range(len(seats))], repeat=len(answers)):
        used = [one for one in chosen if one is not None]
        fits = all(one is None or seats[one] in eligible[n] for n, one in enumerate(chosen))
        if len(used) == len(set(used)) and fits:
            best = max(best, len(used))
    assert len(people) == best


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (CONFIRM, "confirmation:urn:a"),
        (Part(kind=PartKind.CONFIRMATION), "confirmation"),
        (Part(kind=PartKind.CONFIRMATION, scope="pay:x"), "scope:pay:x"),
        (_part("manager"), "approval:manager"),
    ],
)
def test_what_a_part_takes_has_a_name(part, name):
    assert need_name(part) == name
