"""The state of a multi round-trip request comes back from whoever it was given to, with the same request, in time."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from remit.gateway.jsonrpc import Request, Response
from remit.gateway.principal import Principal
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.request_state import STATE_LIFETIME, Kept, RequestStates
from remit.guard.call import Earlier
from remit.testing import FixedClock
from tests.gateway.doubles import (
    META,
    ListGuard,
    ScriptedServer,
    gateway,
    modern,
    post,
    token_of,
    without,
)

KEY = b"k" * 32
DANA = Principal.of(token_of("dana"))
CALL = Request(1, "tools/call", {"name": "find", "arguments": {"a": 1, "b": [1.5]}, "_meta": META})
ASKS = {"resultType": "input_required", "requestState": "the server's own"}


def without_state(asks):
    return {name: value for name, value in asks.items() if name != "requestState"}


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def states(clock):
    return RequestStates(KEY, clock)


def retried(sealed, request=CALL, **more):
    params = {**request.params, "requestState": sealed, **more}
    return Request(2, request.method, params)


def sealed_by(states, request=CALL, principal=DANA):
    return states.sealed(ASKS, request, "crm", principal)["requestState"]


@pytest.mark.parametrize(
    "request_",
    [
        CALL,
        Request(1, "resources/read", {"uri": "notes://today"}),
        Request(1, "prompts/get", {"name": "greet", "arguments": {"name": "Ann"}}),
    ],
    ids=["tool", "resource", "prompt"],
)
def test_the_server_gets_back_what_it_gave_out(states, request_):
    sealed = sealed_by(states, request_)
    assert "own" not in sealed
    opened = states.opened(retried(sealed, request_), "crm", DANA)
    assert opened.params["requestState"] == "the server's own"
    assert opened.params.get("arguments") == request_.params.get("arguments")


def test_what_does_not_make_it_another_call_may_differ(states):
    other = {"_meta": {**META, "progressToken": 9}, "inputResponses": {"q": {}}}
    assert states.opened(retried(sealed_by(states), **other), "crm", DANA)
    reordered = {"arguments": {"b": [1.5], "a": 1}}
    assert states.opened(retried(sealed_by(states), **reordered), "crm", DANA)


OTHERS = {
    "name": {"name": "pay"},
    "case of the name": {"name": "Find"},
    "arguments": {"arguments": {"a": 2, "b": [1.5]}},
    "more arguments": {"arguments": {"a": 1, "b": [1.5], "c": None}},
    "no arguments": {"arguments": None},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_it_is_good_for_no_other_call(states, changes):
    refused(states, retried(sealed_by(states), **changes))


def test_it_is_good_for_no_other_method_server_or_person(states):
    sealed = sealed_by(states)
    refused(states, Request(2, "prompts/get", retried(sealed).params))
    refused(states, retried(sealed), server="pay")
    for somebody in (token_of("eve"), token_of("dana", grant="g2")):
        refused(states, retried(sealed), principal=Principal.of(somebody))


def test_it_is_good_for_ten_minutes(states, clock):
    sealed = sealed_by(states)
    clock.advance(STATE_LIFETIME - 1)
    assert states.opened(retried(sealed), "crm", DANA)
    clock.advance(1)
    refused(states, retried(sealed))


def test_what_was_changed_or_never_given_out_is_refused(states, clock):
    sealed = sealed_by(states)
    strange = RequestStates(b"x" * 32, clock)
    for state in (
        "the server's own", "", 7, {}, True, "r1.", sealed + "=", sealed[:-1], sealed.upper(),
        "r1." + sealed, sealed + "\n", sealed_by(strange), "r1." + "A" * 200_000,
    ):  # fmt: skip
        refused(states, retried(state))


def test_a_request_without_a_state_goes_as_it_is(states):
    assert states.opened(CALL, "crm", DANA) is CALL
    none = retried(None)
    assert states.opened(none, "crm", DANA) is none
    bare = Request(1, "tools/list")
    assert states.opened(bare, "crm", DANA) is bare


def test_a_result_without_a_state_goes_as_it_is(states):
    done = {"resultType": "complete", "requestState": "x"}
    assert states.sealed(done, CALL, "crm", DANA) is done


@pytest.mark.parametrize(
    "state", [None, 7, {}, "x" * (64 * 1024 + 1)], ids=["none", "number", "object", "long"]
)
def test_a_state_that_cannot_be_kept_is_the_servers_fault(states, state):
    with pytest.raises(UpstreamError):
        states.sealed({**ASKS, "requestState": state}, CALL, "crm", DANA)


COUNTED = Earlier("dec_1", 1_767_625_200)


@pytest.mark.parametrize("asks", [ASKS, without_state(ASKS)], ids=["state", "none"])
def test_a_state_says_as_what_the_call_was_counted(states, clock, asks):
    sealed = states.sealed(asks, CALL, "crm", DANA, kept=Kept(earlier=COUNTED))["requestState"]
    again = retried(sealed, inputResponses={})
    assert states.kept(again, "crm").earlier == COUNTED
    assert states.opened(again, "crm", DANA).params.get("requestState") == asks.get("requestState")
    other = {"name": "find", "arguments": {"a": 2}}
    assert states.kept(retried(sealed, Request(1, "tools/call", other)), "crm").earlier is None
    assert states.kept(again, "payments").earlier is None
    assert states.kept(retried(sealed + "x"), "crm").earlier is None
    assert states.kept(CALL, "crm").earlier is None
    clock.advance(STATE_LIFETIME)
    assert states.kept(again, "crm").earlier is None


async def test_through_the_gateway_the_guard_hears_that_a_call_comes_again():
    class Counting(ListGuard):
        async def decide(self, call):
            permit = await super().decide(call)
            return replace(permit, account=SimpleNamespace(counted=COUNTED))

    guard = Counting()
    server = ScriptedServer(lambda o: [Response(o.message.id, result=without_state(ASKS))])
    app = gateway(guard, server)
    state = (await post(app, *call({}))).json["result"]["requestState"]
    assert (await post(app, *call({"requestState": state}))).status == 200
    assert (await post(app, *call({"requestState": state, "arguments": {"x": 1}}))).status == 400
    assert [one.earlier for one in guard.decided] == [None, COUNTED]
    assert "requestState" not in server.asked[-1].message.params


async def test_through_the_gateway_another_person_cannot_use_it():
    guard = ListGuard()
    server = ScriptedServer(lambda o: [Response(o.message.id, result=ASKS)])
    app = gateway(guard, server)
    asked = await post(app, *call({}))
    state = asked.json["result"]["requestState"]
    assert (await post(app, *call({"requestState": state}))).status == 200
    assert server.asked[-1].message.params["requestState"] == "the server's own"
    for answer in (
        await post(app, *call({"requestState": state}, who="eve")),
        await post(app, *call({"requestState": state, "arguments": {"x": 1}})),
        await post(app, *call({"requestState": state + "x"})),
        await post(app, *call({"requestState": "the server's own"})),
    ):
        assert answer.status == 400
        assert answer.json["error"] == {
            "code": -32602,
            "message": "Invalid or expired requestState",
            "data": {"reason": "invalid_request_state"},
        }
    assert len(server.asked) == 2, "the server hears of none of them"
    assert guard.outcomes == ["ok", "ok"], "nothing is decided of them, nor spent"


async def test_a_state_is_of_no_use_to_who_has_no_token():
    server = ScriptedServer(lambda o: [Response(o.message.id, result=ASKS)])
    app = gateway(ListGuard(), server)
    state = (await post(app, *call({}))).json["result"]["requestState"]
    headers, body = call({"requestState": state})
    assert (await post(app, without(headers, "authorization"), body)).status == 401


def call(more, who="dana"):
    headers, body = modern("tools/call", {"name": "find", "arguments": {}, **more}, name="find")
    return (*without(headers, "authorization"), ("authorization", f"Bearer {who}")), body


def refused(states, request, *, server="crm", principal=DANA):
    with pytest.raises(RejectedError) as caught:
        states.opened(request, server, principal)
    assert (caught.value.status, caught.value.rpc_code, caught.value.id) == (400, -32602, 2)
