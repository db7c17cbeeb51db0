"""Callers of one sort before a thing, and who is none of any."""

from dataclasses import replace

import pytest

from remit.policy.facts import FACTS
from remit.replay.court import Court
from remit.replay.looks import ALWAYS, TIMED, UNSAID
from remit.replay.rebuilt import Rebuilder
from remit.replay.sorts import FOLLOWING
from remit.tokens.access_token import Delegate


@pytest.fixture
def recorded(busy):
    """An allowed write of somebody with attributes."""
    for entry in busy.decisions():
        body = entry["body"]
        if body["outcome"] == "allow" and body["operation"] == "write" and entry["user"]:
            return Rebuilder(None).rebuild(entry)
    raise AssertionError("nobody wrote anything")


def sort_of(court, recorded, **changes):
    rebuilt = replace(recorded, token=replace(recorded.token, **changes))
    precedents = court._precedents
    place = precedents.place(rebuilt)
    return precedents._sorts.of(rebuilt, place.number, place.target, place.looks.tellers)


@pytest.fixture
def court(busy):
    return Court(busy.loaded())


def test_every_fact_that_policies_can_read_is_told_somewhere():
    """A fact that is new to policies has to be told, or to follow from what is."""
    assert frozenset(FACTS) == FOLLOWING | ALWAYS | TIMED | UNSAID


def test_another_person_with_the_same_rights_is_of_the_same_sort(court, recorded):
    before = sort_of(court, recorded)
    others = {"sub": "usr_other", "grant_id": "gnt_other", "client_id": "cli_x", "acr": "mfa"}
    assert before is not None
    assert sort_of(court, recorded, **others) == before
    assert sort_of(court, recorded, roles=tuple(reversed(recorded.token.roles))) == before
    assert sort_of(court, recorded, roles=(*recorded.token.roles, "nothing-more")) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ("intern",)},
        {"roles": ()},
        {"scopes": ()},
        {"agent_id": "agent-x"},
        {"organization_id": "elsewhere"},
        {"environment": "dev"},
        {"sensitivity": "low"},
        {"actors": (Delegate("agent-x", "cli_x"),)},
        {"jkt": "a-key"},
        {"auth_time": -1},
    ],
    ids=lambda one: f"{next(iter(one))}-{len(str(one))}",
)
def test_whoever_differs_in_what_limits_a_caller_is_of_another(court, recorded, changes):
    if "sensitivity" in changes:
        changes = {"sensitivity": type(recorded.token.sensitivity).LOW}
    assert sort_of(court, recorded, **changes) != sort_of(court, recorded)


def test_a_workload_is_of_another_sort_than_a_person(court, recorded):
    assert sort_of(court, recorded, sub=recorded.token.agent_id) != sort_of(court, recorded)


def test_whoever_is_stopped_before_policy_is_told_by_what_stops_them_alone(court, recorded):
    one = sort_of(court, recorded, agent_id="agent-x")
    assert one.is_stopped
    assert sort_of(court, recorded, agent_id="agent-y", roles=(), sub="usr_z") == one
    assert sort_of(court, recorded, environment="dev") != one


def test_details_and_attributes_that_are_no_text_have_no_sort(court, recorded):
    assert sort_of(court, recorded, authorization_details=({"type": "x"},)) is None
    assert sort_of(court, recorded, attributes={"region": ["eu"]}) is None


def test_tags_are_told_by_what_they_are_held_against(court, busy):
    """To export asks whether the region is `apac`, and nothing else of it."""
    export = next(
        Rebuilder(None).rebuild(entry)
        for entry in busy.decisions()
        if entry["body"]["operation"] == "export" and entry["body"]["outcome"] == "allow"
    )
    eu, us, apac, none = (
        sort_of(court, export, attributes=one)
        for one in ({"region": "eu"}, {"region": "us", "floor": "3"}, {"region": "apac"}, {})
    )
    assert eu == us
    assert len({eu.number, apac.number, none.number}) == 3
