"""Every kind of event is an OCSF 1.8.0 event by a schema that we did not write; and that schema refuses what is none."""

import copy
from dataclasses import MISSING, fields

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from remit.audit import events
from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.audit.entry import Moment, Producer, draft, seal
from remit.audit.source import Record
from remit.sinks.forms.ocsf import PROFILES, VERSION, ocsf_of
from remit.sinks.forms.ocsf_kinds import CLASSES, KINDS
from remit.sinks.shipment import told_of
from tests.sinks.made import told

KINDS_OF_EVENTS = sorted(
    (one for one in vars(events).values() if isinstance(one, type) and "kind" in vars(one)),
    key=lambda one: one.kind,
)
CONTEXTS = {
    "known": Context(
        actor=Actor(ActorType.AGENT, "agt_1"),
        tenant="acme",
        environment="prod",
        user_id="usr_1",
        agent_id="agt_1",
        client_id="cli_1",
        grant_id="grt_1",
        flow_id="flw_1",
        network=Network("2001:db8::7", "claude/1.0"),
        trace=Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"),
    ),
    "unknown": Context(),
    "odd": Context(
        actor=Actor(ActorType.ANONYMOUS),
        network=Network("not an address", "\u202e|=\\"),
        trace=Trace("short", "x"),
    ),
}
_VALUES = {
    "str": "a text", "int": 3, "bool": True, "tuple[str, ...]": ("one", "two"),
    "tuple[int, ...]": (1, 2), "Mapping[str, Json]": {"id": "x"},
    "tuple[Mapping[str, Json], ...]": ({"id": "x", "effect": "forbid"},),
}  # fmt: skip


@pytest.fixture(scope="module")
def validator():
    """Holds an event against the class that it says it is of."""
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
    made = {
        uid: jsonschema.Draft202012Validator(
            schema.get_class_schema(one.name, profiles=list(PROFILES.get(uid, ())))
        )
        for uid, one in CLASSES.items()
    }
    return lambda event: made[event["class_uid"]]


def made_of(kind, *, full):
    """An event of that class: with everything it can say, or with no more than it has to."""
    values = {}
    for field in fields(kind):
        if field.name == "context":
            continue
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed or full:
            name = str(field.type).removesuffix(" | None")
            values[field.name] = _VALUES.get(name, "a text")
    return kind(**values)


def ocsf(event, context):
    entry = draft(
        type(event)(**{f.name: getattr(event, f.name) for f in fields(event) if f.name != "context"}, context=context),
        Producer(), Moment.of(1_790_000_000_123),
    )  # fmt: skip
    line = seal(entry, sequence=7, previous="00" * 32, observed="2026-11-22T17:00:00.125Z")
    return ocsf_of(told_of(Record("remit/main", 7, line)))


@pytest.mark.parametrize("kind", KINDS_OF_EVENTS, ids=lambda one: one.kind)
def test_every_kind_of_event_is_valid(validator, kind):
    for full in (True, False):
        for context in CONTEXTS.values():
            event = ocsf(made_of(kind, full=full), context)
            errors = [
                f"{list(one.path)}: {one.message}" for one in validator(event).iter_errors(event)
            ]
            assert errors == []
            assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
            assert event["unmapped"]["leaf"]
            assert event["metadata"]["sequence"] == 7


def test_every_kind_has_a_class_of_its_own_choosing():
    """Not one by the way its name sounds: that is for kinds of other versions."""
    assert sorted({one.kind for one in KINDS_OF_EVENTS} - set(KINDS)) == []


def test_a_kind_that_nobody_knows_is_valid_too(validator):
    for kind in ("account.merged", "token.melted", "thing.created", "x", "", None, 7):
        entry = {"kind": kind, "time": "2026-11-22T17:00:00.123Z", "id": "evt_1", "body": {}}
        event = ocsf_of(told(entry))
        assert list(validator(event).iter_errors(event)) == []


@pytest.mark.parametrize("broken", [{}, {"body": 7}, {"actor": [], "net": "x", "trace": 1}])
def test_an_entry_that_is_not_what_it_should_be_is_valid_too(validator, broken):
    event = ocsf_of(told({"kind": "decision", **broken}))
    assert list(validator(event).iter_errors(event)) == []


def test_the_schema_refuses_what_is_no_such_event(validator):
    good = ocsf_of(told())
    assert list(validator(good).iter_errors(good)) == []
    for spoil in (
        lambda event: event.pop("api"),
        lambda event: event.pop("src_endpoint"),
        lambda event: event["metadata"].pop("version"),
        lambda event: event["metadata"].pop("product"),
        lambda event: event.update(time="yesterday"),
        lambda event: event.update(severity_id=9_000),
        lambda event: event.update(leaf="not a field of the class"),
        lambda event: event["actor"].update(user="usr_1"),
        lambda event: event.update(activity_id="Read"),
        lambda event: event["src_endpoint"].update(ip={"v4": 1}),
    ):
        bad = copy.deepcopy(good)
        spoil(bad)
        assert list(validator(bad).iter_errors(bad)), bad


def test_a_decision_says_who_through_what_under_which_rule():
    event = ocsf_of(told())
    assert event["class_uid"] == 6003
    assert event["activity_id"] == 3
    assert event["status_id"] == 2
    assert event["actor"]["user"]["uid"] == "agt_support"
    assert event["actor"]["authorizations"] == [
        {"decision": "forbid", "policy": {"uid": "refunds-of-500", "version": "sha256:ab"}}
    ]
    assert event["api"]["operation"] == "refund"
    assert event["api"]["service"] == {"name": "payments"}
    assert event["trace"] == {"uid": "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert event["src_endpoint"] == {"ip": "192.0.2.7"}
    assert event["time"] == 1_795_366_800_123
    assert event["unmapped"]["body"]["input"] == {"amount": "tok1.string.abcdef"}
