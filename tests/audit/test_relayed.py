"""What a guard delivers is taken as its word about its own server, or not at all."""

from dataclasses import replace
from functools import reduce

import orjson
import pytest

from remit.audit.call_events import CallCompleted, Decided
from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.audit.entry import Moment, Producer, draft, read_entry, seal
from remit.audit.events import AgentSuspended
from remit.audit.relayed import ForeignRecordError, relayed
from remit.canonical import canonical_bytes

CONTEXT = Context(
    actor=Actor(ActorType.AGENT, "assistant"),
    tenant="acme",
    environment="prod",
    user_id="usr_1",
    agent_id="assistant",
    client_id="client",
    grant_id="grt_1",
    network=Network("192.0.2.1", "agent/1"),
    trace=Trace("a" * 32, "b" * 16),
)
DECIDED = Decided(
    context=CONTEXT,
    decision_id="dec_1",
    server="crm",
    method="tools/call",
    name="get_account",
    outcome="allow",
    reason="permitted",
    scopes_required=("crm:accounts.read",),
    rules=({"id": "everyone", "effect": "permit"},),
    claims={"roles": ["support"]},
    micros=7,
)
COMPLETED = CallCompleted(
    context=CONTEXT,
    decision_id="dec_1",
    server="crm",
    method="tools/call",
    name="get_account",
    outcome="ok",
    size=3,
)
MOMENT = Moment.of(1_767_625_200_000)


def line(event, sequence=5, **changes):
    entry = draft(event, Producer(service="remit-guard", instance="crm-1"), MOMENT)
    sealed = seal(entry, sequence=sequence, previous="0" * 64, observed=MOMENT.text)
    return canonical_bytes({**read_entry(sealed), **changes})


def said(event):
    return read_entry(line(event))["body"]


def read(data, tenants=None):
    return relayed(data, server="crm", tenants=tenants, instance="crm-1")


@pytest.mark.parametrize("event", [DECIDED, COMPLETED], ids=lambda event: event.kind)
def test_an_event_comes_back_as_it_was_with_where_it_comes_from(event):
    found = read(line(event))
    assert found.sequence == 5
    assert found.event.guard == {"instance": "crm-1", "sequence": 5, "time": MOMENT.text}
    again, wanted = said(found.event), said(event)
    assert {**again, "guard": {}} == wanted
    assert found.event.context == CONTEXT


def test_how_somebody_logged_in_and_through_whom_they_came_is_taken_as_the_guard_knows_it():
    known = line(
        DECIDED,
        auth={"acr": "gold", "amr": ["pwd", "x" * 300], "auth_time": 5, "more": 1},
        act=[{"agent": "first", "client": "c" * 3_000, "more": 1}],
    )
    context = read(known).event.context
    assert context.auth == {"acr": "gold", "amr": ["pwd"], "auth_time": 5}
    assert context.act == ({"agent": "first", "client": "c" * 128},)


def test_a_guard_does_not_say_by_itself_which_guard_it_is():
    assert (
        read(line(replace(DECIDED, guard={"instance": "another"}))).event.guard["instance"]
        == "crm-1"
    )


def test_what_was_left_out_for_its_size_is_named():
    entry = line(
        DECIDED,
        body={
            **said(DECIDED),
            "reason": {"omitted_bytes": 9, "omitted_sha256": "ab"},
            "rules": {"omitted_bytes": 9, "omitted_sha256": "cd"},
        },
    )
    event = read(entry).event
    assert event.reason == "omitted, 9 bytes, sha256 ab"
    assert event.rules == ()


def body(**changes):
    return {"body": {**said(DECIDED), **changes}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"a": 1}',
        line(AgentSuspended(context=CONTEXT, reason="x")),
        line(DECIDED, **body(server="erp")),
        line(DECIDED, **body(outcome=1)),
        line(DECIDED, **body(micros="many")),
        line(DECIDED, **body(micros=True)),
        line(DECIDED, **body(scopes_required="all")),
        line(DECIDED, **body(scopes_required=[1])),
        line(DECIDED, **body(claims=[])),
        line(DECIDED, **body(unheard_of=1)),
        line(DECIDED, body={"server": "crm"}),
        line(DECIDED, body=[]),
        line(DECIDED, actor={"type": "admin", "id": "root"}),
        line(DECIDED, actor={"type": "system", "id": None}),
        line(DECIDED, actor=None),
        line(DECIDED, net=None),
        line(DECIDED, trace={"trace_id": 1, "span_id": "a"}),
        line(DECIDED, user=5),
        line(DECIDED, auth={"acr": 1, "amr": [], "auth_time": None}),
        line(DECIDED, auth={"acr": None, "amr": "pwd", "auth_time": None}),
        line(DECIDED, auth={"acr": None, "amr": [], "auth_time": "late"}),
        line(DECIDED, auth="gold"),
        line(DECIDED, act={"agent": "a", "client": "b"}),
        line(DECIDED, act=[{"agent": "a"}]),
        line(DECIDED, act=[{"agent": "a\x1b[1m", "client": "b"}]),
        line(DECIDED, act=[{"agent": "a", "client": "b"}] * 40),
        line(DECIDED).replace(b'"seq":5', b'"seq":"5"'),
        line(DECIDED) + b" ",
    ],
)
def test_what_is_no_record_of_its_own_server_is_refused(data):
    with pytest.raises(ForeignRecordError):
        read(data)


def test_a_record_about_a_tenant_that_does_not_use_the_server_is_in_no_tenants_account():
    """Refused, it would hold up all records that come after it: the server may have changed hands meanwhile."""
    own = read(line(DECIDED), tenants=frozenset({"acme"})).event.context
    assert (own.tenant, own.user_id) == ("acme", "usr_1")
    other = read(line(DECIDED), tenants=frozenset({"globex"})).event.context
    assert (other.tenant, other.user_id) == (None, None)
    assert other.agent_id == "assistant"


@pytest.mark.parametrize(
    "claims", [{"\x01": "x"}, {"deep": reduce(lambda held, _: {"a": held}, range(40), {})}]
)
def test_what_remits_own_log_would_not_take_is_refused_before_it_gets_there(claims):
    """There it would be refused together with whatever others do at the same moment."""
    entry = {**read_entry(line(DECIDED)), **body(claims=claims)}
    with pytest.raises(ForeignRecordError, match="form of the log"):
        read(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS))
