"""Every fact that a policy can read has its name and its value, and nothing else has."""

from dataclasses import fields, replace

import pytest

from remit.policy.evaluation import (
    AgentFacts,
    Context,
    Elevation,
    Evaluation,
    Subject,
    TokenFacts,
)
from remit.policy.facts import (
    ARGUMENTS_FACT,
    FACTS,
    HISTORY_FACT,
    PRINCIPAL,
    TAGS,
    TOLD_FACT,
    facts_below,
    local_time,
)
from remit.policy.schema import schema_of
from remit.testing.catalog import small_catalog


def leaves(record, types, path):
    for name, kind in record["attributes"].items():
        below = types.get(kind["type"], kind)
        if (*path, name) not in {ARGUMENTS_FACT, HISTORY_FACT, TOLD_FACT} and below[
            "type"
        ] == "Record":
            yield from leaves(below, types, (*path, name))
        else:
            yield (*path, name)


def test_every_attribute_that_the_schema_gives_principal_and_context_is_a_fact():
    """A fact that is missing here would be answered from somebody else's question."""
    schema = schema_of(small_catalog())["Remit"]
    types = schema["commonTypes"]
    known = {PRINCIPAL, TAGS}
    for action in schema["actions"].values():
        if "appliesTo" in action:
            known.update(leaves(action["appliesTo"]["context"], types, ("context",)))
    known.update(leaves(schema["entityTypes"]["User"]["shape"], types, ("principal",)))
    assert known == set(FACTS)


def test_a_new_field_of_a_question_has_to_become_a_fact():
    known = {
        Subject: {"kind", "id", "tenant", "roles", "attributes"},
        AgentFacts: {"id", "agent_class", "owner", "max_sensitivity"},
        TokenFacts: {"client_id", "scopes", "acr", "amr", "auth_time", "purpose"},
        Context: {
            "now",
            "time_zone",
            "ip",
            "arguments",
            "networks",
            "justification",
            "told",
            "history",
            "elevation",
        },
        Elevation: {"roles", "acr", "confirmed_at", "scopes"},
        Evaluation: {"phase", "subject", "agent", "token", "resource", "context", "engine"},
    }
    for value, names in known.items():
        assert {field.name for field in fields(value)} == names, "does a policy see it?"


def test_a_record_is_all_that_is_in_it_and_a_stranger_is_nothing():
    assert facts_below(("context", "agent")) == {
        ("context", "agent", "id"),
        ("context", "agent", "class"),
        ("context", "agent", "owner"),
    }
    assert facts_below(("context", "time", "hour")) == {("context", "time", "hour")}
    assert not facts_below(("context", "weather"))
    assert not facts_below(("context",))


def test_a_principal_is_not_its_attributes():
    assert facts_below(PRINCIPAL) == {PRINCIPAL}


@pytest.mark.parametrize(
    ("now", "zone", "shown"),
    [
        (1767625200, "Europe/Berlin", (16, 0, "mon", "2026-01-05")),
        (1767654000, "Europe/Berlin", (0, 0, "tue", "2026-01-06")),
        (1767625260, "Asia/Kolkata", (20, 31, "mon", "2026-01-05")),
    ],
)
def test_time_is_what_a_clock_on_the_wall_shows(now, zone, shown):
    told = local_time(now, zone)
    assert tuple(told[name] for name in ("hour", "minute", "weekday", "date")) == shown
    assert told["epoch"] == now


def test_a_zone_nobody_knows_has_no_time():
    with pytest.raises(KeyError):
        local_time(1767625200, "Nowhere/Land")


def test_arguments_keep_their_types_apart(desk):
    one, true = (desk.ask(arguments={"score": value}) for value in (1, True))
    assert FACTS[ARGUMENTS_FACT](one) != FACTS[ARGUMENTS_FACT](true)
    assert FACTS[ARGUMENTS_FACT](desk.ask(arguments=None)) is None


def test_history_keeps_its_types_apart(desk):
    one, true = (desk.ask(history={"calls": value}) for value in (1, True))
    assert FACTS[HISTORY_FACT](one) != FACTS[HISTORY_FACT](true)
    assert FACTS[HISTORY_FACT](desk.ask()) is None


@pytest.mark.parametrize(
    ("auth_time", "age"),
    [
        (None, None),
        (1767625200 - 300, 300),
        (1767625200 + 5, 0),
        (1767625200 + 61, None),
        (4102444800, None),
    ],
)
def test_an_authentication_is_so_old_and_one_to_come_is_of_no_known_age(desk, auth_time, age):
    asked = desk.ask(now=1767625200)
    asked = replace(asked, token=replace(asked.token, auth_time=auth_time))
    assert FACTS["context", "authentication", "age_seconds"](asked) == age
