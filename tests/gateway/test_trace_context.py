"""A call belongs to the trace that its message names, else its header, else one of its own; and the trace goes on."""

import pytest

from remit.audit.events import CallCompleted, Decided
from remit.gateway.jsonrpc import Request
from remit.gateway.trace_context import with_trace
from remit.testing.catalog import CRM
from tests.gateway.doubles import META, ScriptedServer, gateway, modern, post, without
from tests.gateway.test_legacy import script
from tests.guard.conftest import URL, World

HEADER = f"00-{'a' * 32}-{'b' * 16}-00"
META_PARENT = f"00-{'c' * 32}-{'d' * 16}-01"


@pytest.fixture
def world(clock):
    return World(clock)


@pytest.fixture
def server():
    return ScriptedServer(script)


@pytest.fixture
def call(world, server):
    catalog = world.directory.catalog
    app = gateway(world.guard, server, catalog.servers[CRM], clock=world.clock, public_url=URL)

    async def send(*lines, **meta):
        headers, body = modern(
            "tools/call",
            {"name": "get_account", "arguments": {"account": "1"}, "_meta": {**META, **meta}},
            name="get_account",
        )
        kept = without(headers, "authorization", "host")
        ours = (("host", "remit.example"), ("authorization", f"Bearer {world.raw()}"))
        await post(app, (*kept, *ours, *lines), body)
        return dict(server.asked[-1].headers), world.audit.of(Decided)[-1].context.trace

    return send


async def test_the_message_goes_before_the_header(call, world):
    headers, trace = await call(("traceparent", HEADER), traceparent=META_PARENT)
    assert headers["traceparent"] == META_PARENT
    assert (trace.trace_id, trace.span_id, trace.flags) == ("c" * 32, "d" * 16, "01")
    assert world.audit.of(CallCompleted)[-1].context.trace == trace


async def test_without_one_in_the_message_the_header_counts_with_its_flags(call):
    headers, trace = await call(("traceparent", HEADER), ("tracestate", "x=1"))
    assert (headers["traceparent"], headers["tracestate"]) == (HEADER, "x=1")
    assert (trace.trace_id, trace.flags) == ("a" * 32, "00")


async def test_without_any_the_call_gets_one_of_its_own(call):
    (first, one), (_, other) = await call(), await call()
    assert first["traceparent"] == f"00-{one.trace_id}-{one.span_id}-01"
    assert one.trace_id != other.trace_id


async def test_what_stands_beside_another_trace_does_not_travel_with_this_one(call):
    lines = (("traceparent", HEADER), ("tracestate", "theirs=1"), ("baggage", "theirs=1"))
    headers, _ = await call(*lines, traceparent=META_PARENT, tracestate="mine=1")
    assert headers["tracestate"] == "mine=1"
    assert "baggage" not in headers


@pytest.mark.parametrize(
    "given", ["", "nonsense", 7, None, {}, f"00-{'0' * 32}-{'d' * 16}-01", META_PARENT + "\n"]
)
async def test_what_is_no_trace_in_the_message_is_passed_over(call, given):
    headers, trace = await call(("traceparent", HEADER), traceparent=given)
    assert headers["traceparent"] == HEADER
    assert trace.trace_id == "a" * 32


@pytest.mark.parametrize("beside", ["x" * 600, "a\nb", "ü", 7, ""])
async def test_what_could_break_a_header_does_not_travel(call, beside):
    headers, _ = await call(traceparent=META_PARENT, tracestate=beside)
    assert "tracestate" not in headers


async def test_a_forged_trace_changes_nothing_of_what_is_decided(call, world):
    await call(traceparent=META_PARENT)
    await call()
    first, second = world.audit.of(Decided)[-2:]
    assert (first.outcome, first.reason) == (second.outcome, second.reason)


TRAVELS = (("traceparent", HEADER), ("tracestate", "x=1"), ("mcp-param-a", "1"))


def test_over_a_pipe_the_trace_goes_on_in_the_message():
    sent = with_trace(
        Request(1, "tools/call", {"name": "a", "_meta": {"progressToken": 1}}), TRAVELS
    )
    assert sent.params == {
        "name": "a",
        "_meta": {"progressToken": 1, "traceparent": HEADER, "tracestate": "x=1"},
    }
    assert with_trace(Request(1, "ping", None), TRAVELS).params == {
        "_meta": {"traceparent": HEADER, "tracestate": "x=1"}
    }


@pytest.mark.parametrize(
    ("params", "headers"),
    [
        ({"_meta": {"traceparent": META_PARENT}}, TRAVELS),
        ({"_meta": "odd"}, TRAVELS),
        ({"_meta": {}}, (("tracestate", "x=1"),)),
    ],
)
def test_what_the_client_said_itself_is_not_written_over(params, headers):
    request = Request(1, "tools/call", params)
    assert with_trace(request, headers) is request
