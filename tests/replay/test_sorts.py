"""Callers of one sort, and who is none of any."""

from dataclasses import replace

import pytest

from remit.policy.facts import FACTS
from remit.replay.precedents import ALWAYS, TIMED
from remit.replay.rebuilt import Rebuilder
from remit.replay.sorts import FOLLOWING, Sorts, read_of_token
from remit.tokens.access_token import Delegate


@pytest.fixture
def token(busy):
    (entry, *_) = [one for one in busy.decisions() if one["body"]["claims"].get("attributes")]
    return Rebuilder(None).rebuild(entry).token


@pytest.fixture
def sorts(busy):
    return Sorts(busy.loaded().catalog)


def test_every_fact_that_policies_can_read_is_told_somewhere():
    """A fact that is new to policies has to be told, or to follow from what is."""
    assert frozenset(FACTS) == FOLLOWING | ALWAYS | TIMED


def test_another_person_with_the_same_rights_is_of_the_same_sort(sorts, token):
    other = replace(token, sub="usr_other", grant_id="gnt_other", client_id="cli_x", acr="mfa")
    assert sorts.of(token) == sorts.of(other)
    assert sorts.of(token) == sorts.of(replace(token, roles=tuple(reversed(token.roles))))


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ("auditor",)},
        {"scopes": ()},
        {"agent_id": "agent-x"},
        {"organization_id": "elsewhere"},
        {"environment": "dev"},
        {"sensitivity": "low"},
        {"actors": (Delegate("agent-x", "cli_x"),)},
        {"jkt": "a-key"},
        {"auth_time": -1},
    ],
    ids=lambda one: next(iter(one)),
)
def test_whoever_differs_in_what_limits_a_caller_is_of_another(sorts, token, changes):
    assert sorts.of(token) != sorts.of(replace(token, **changes))


def test_a_workload_is_of_another_sort_than_a_person(sorts, token):
    assert sorts.of(token) != sorts.of(replace(token, sub=token.agent_id))


def test_details_and_attributes_that_are_no_text_have_no_sort(sorts, token):
    assert sorts.of(replace(token, authorization_details=({"type": "x"},))) is None
    assert sorts.of(replace(token, attributes={"region": ["eu"]})) is None
    assert sorts.of(replace(token, roles=(["support"],))) is None


def test_attributes_are_of_the_sort_where_scopes_are_filled_with_them(busy, token):
    catalog = busy.loaded().catalog
    agents = {
        name: replace(one, scopes=(*one.scopes, "crm:read:{region}"))
        for name, one in catalog.agents.items()
    }
    other = replace(token, attributes={"region": "elsewhere"})
    plain, filled = Sorts(catalog), Sorts(replace(catalog, agents=agents))
    assert plain.of(token) == plain.of(other)
    assert filled.of(token) != filled.of(other)


def test_what_policies_look_at_of_a_token_is_told_besides(token):
    told = read_of_token({("principal",), ("principal", "()"), ("principal", "roles")})
    assert [one(token) for one in told] == [token.sub, frozenset(token.attributes.items())]
