"""The guard as its doors use it: one outcome and one record for every call."""

import asyncio
from dataclasses import replace

import pytest

from remit.audit.event import Durability
from remit.audit.events import CallCompleted, Decided, ServerDiscovered
from remit.audit.port import AuditUnavailableError
from remit.guard import CallResult, Challenge, Deny, Permit, RefusalReason, Visible
from remit.testing.audit import InMemoryAuditLog
from remit.tokens import AccessToken, jti_digest


class Broken:
    """Whatever is asked of it, it raises."""

    def __getattr__(self, name):
        raise RuntimeError("secret 12345")


class BrokenEngine:
    version = "v"

    def evaluate(self, evaluation):
        raise RuntimeError("argument `4111111111111111` is not liked")


class Unsettled(InMemoryAuditLog):
    """Takes no event of the classes in `refused`."""

    def __init__(self, *refused):
        super().__init__()
        self.refused = refused

    async def append(self, event):
        if isinstance(event, self.refused):
            raise AuditUnavailableError("disk full")
        return await super().append(event)


async def test_a_permit_is_recorded_before_it_is_returned(world):
    permit = await world.guard.decide(world.call())
    assert isinstance(permit, Permit)
    event = world.recorded
    assert event.decision_id == permit.decision_id
    assert (event.outcome, event.reason) == ("allow", "permitted")
    assert event.rules == ({"id": "everyone", "effect": "permit"},)
    assert event.policy_version == world.decisions.version
    assert event.catalog_version == world.directory.catalog.version
    assert event.context.agent_id == "assistant"
    assert event.context.user_id == "usr_1"
    assert event.context.tenant == "acme"
    assert event.context.grant_id == "gnt_1"
    assert event.context.network.ip == "192.0.2.1"
    assert event.jti_digest == jti_digest("jti_1")
    assert event.jsonrpc_id == "7"


async def test_arguments_reach_the_log_redacted(world):
    await world.guard.decide(world.call(arguments={"account": "acc_1", "note": "call 555-1234"}))
    assert "acc_1" not in repr(world.recorded)
    assert "555-1234" not in repr(world.recorded)
    assert world.recorded.input_digest


async def test_an_unrecorded_permit_is_a_refusal(world):
    world.audit.failing = True
    outcome = await world.guard.decide(world.call())
    assert outcome.reason is RefusalReason.AUDIT_UNAVAILABLE
    assert world.guard.closed is False


async def test_a_refusal_is_recorded_too(world):
    outcome = await world.guard.decide(world.refund("501"))
    assert isinstance(outcome, Deny)
    event = world.recorded
    assert event.decision_id == outcome.decision_id
    assert (event.outcome, event.reason) == ("deny", "forbidden")
    assert event.rules == ({"id": "large-refunds", "effect": "forbid"},)


async def test_a_refusal_stands_when_it_cannot_be_recorded(world):
    world.audit.failing = True
    outcome = await world.guard.decide(world.refund("501"))
    assert outcome.reason is RefusalReason.FORBIDDEN
    assert (await world.guard.decide(world.call(authorization=()))).reason is (
        RefusalReason.MISSING_TOKEN
    )


async def test_a_request_without_a_token_is_recorded_without_its_arguments(world):
    await world.guard.decide(world.call(arguments={"account": "secret"}, authorization=()))
    assert world.recorded.reason == "missing_token"
    assert world.recorded.input == {}
    assert world.recorded.context.actor.type == "anonymous"


@pytest.mark.parametrize("part", ["verifier", "directory", "decisions", "redactor"])
@pytest.mark.parametrize("door", ["decide", "visible", "authenticate"])
async def test_whatever_breaks_the_call_is_refused(world, part, door):
    if door == "authenticate" and part in {"decisions", "redactor"}:
        part = "directory"
    guard = world.new_guard(**{part: Broken()})
    call = world.list() if door == "visible" else world.call()
    outcome = await getattr(guard, door)(call)
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.ENGINE_ERROR
    assert "12345" not in outcome.detail


async def test_a_broken_log_never_lets_a_call_through(world):
    outcome = await world.new_guard(audit=Broken()).decide(world.call())
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.ENGINE_ERROR


async def test_a_failing_engine_refuses_and_its_words_do_not_reach_the_log(world):
    world.decisions.publish(BrokenEngine())
    outcome = await world.guard.decide(world.call())
    assert outcome.reason is RefusalReason.ENGINE_ERROR
    assert world.recorded.reason == "engine_error"
    assert world.recorded.engine_errors
    assert "4111111111111111" not in repr(world.recorded)


async def test_authenticate_says_who_calls_and_records_only_refusals(world):
    token = await world.guard.authenticate(world.call())
    assert isinstance(token, AccessToken)
    assert world.audit.events == []
    refused = await world.guard.authenticate(world.call(authorization=("Bearer x",)))
    assert isinstance(refused, Challenge)
    assert world.recorded.reason == "invalid_token"


async def test_a_list_is_recorded_once_and_without_waiting(world):
    visible = await world.guard.visible(world.list())
    assert isinstance(visible, Visible)
    assert world.recorded.reason == "listed"
    assert world.recorded.decision_id == visible.decision_id


async def test_a_list_that_cannot_be_recorded_is_refused(world):
    world.audit.failing = True
    assert (await world.guard.visible(world.list())).reason is RefusalReason.AUDIT_UNAVAILABLE


async def test_an_outcome_is_recorded_under_the_decision_it_belongs_to(world):
    call = world.call()
    permit = await world.guard.decide(call)
    await world.guard.complete(permit, call, result=CallResult(outcome="ok", size=12))
    (event,) = world.audit.of(CallCompleted)
    assert event.decision_id == permit.decision_id
    assert (event.outcome, event.size, event.name) == ("ok", 12, "get_account")


async def test_who_gives_up_while_the_past_is_corrected_has_the_outcome_recorded(world):
    class Waiting:
        begun = asyncio.Event()

        async def stand(self):
            self.begun.set()
            await asyncio.Event().wait()

    call = world.call()
    permit = replace(await world.guard.decide(call), account=Waiting())
    result = CallResult(outcome="ok")
    completing = asyncio.create_task(world.guard.complete(permit, call, result=result))
    await Waiting.begun.wait()
    completing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await completing
    (event,) = world.audit.of(CallCompleted)
    assert event.outcome == "ok"


async def test_an_unrecorded_outcome_closes_the_guard_until_it_is_recorded(world):
    call = world.call()
    permit = await world.guard.decide(call)
    world.audit.failing = True
    with pytest.raises(AuditUnavailableError):
        await world.guard.complete(permit, call, result=CallResult(outcome="ok"))
    assert world.guard.closed
    for door, request in (
        (world.guard.decide, call),
        (world.guard.visible, world.list()),
        (world.guard.authenticate, call),
    ):
        assert (await door(request)).reason is RefusalReason.AUDIT_UNAVAILABLE
    world.audit.failing = False
    assert isinstance(await world.guard.decide(call), Permit)
    assert not world.guard.closed
    assert [type(event) for event in world.audit.events] == [Decided, CallCompleted, Decided]


async def test_a_guard_closed_over_outcomes_refuses_although_decisions_could_be_recorded(world):
    audit = Unsettled(CallCompleted)
    guard = world.new_guard(audit=audit)
    call = world.call()
    permit = await guard.decide(call)
    with pytest.raises(AuditUnavailableError):
        await guard.complete(permit, call, result=CallResult(outcome="ok"))
    assert (await guard.decide(call)).reason is RefusalReason.AUDIT_UNAVAILABLE
    assert len(audit.of(Decided)) == 1


async def test_a_number_that_the_log_cannot_hold_does_not_close_the_guard(world):
    call = world.call()
    permit = await world.guard.decide(call)
    await world.guard.complete(
        permit, call, result=CallResult(outcome="error", error_code=2**60, size=2**40)
    )
    (event,) = world.audit.of(CallCompleted)
    assert event.error_code is None


def test_a_token_is_backed_until_something_it_rests_on_is_gone_whatever_the_time(world):
    token = world.token()
    assert world.guard.backs(token)
    world.clock.advance(100_000)
    assert world.guard.backs(token)
    world.stand(suspended_agents=frozenset({"assistant"}))
    assert not world.guard.backs(token)
    world.stand()
    assert not world.guard.backs(world.token(agent_id="gone"))


@pytest.mark.parametrize("method", ["initialize", "server/discover"])
async def test_who_asks_what_a_server_is_is_recorded_and_waits_for_no_disk(world, method):
    call = world.call(method=method, kind=None, name=None, arguments=None)
    token = await world.guard.authenticate(call, counted=True)
    (event,) = world.audit.of(ServerDiscovered)
    assert (event.server, event.method) == ("crm", method)
    assert event.context.grant_id == token.grant_id
    assert event.durability is Durability.SOON


@pytest.mark.parametrize(
    ("method", "counted"), [("ping", True), ("initialize", False), ("logging/setLevel", True)]
)
async def test_what_tells_nothing_of_a_server_is_not_recorded(world, method, counted):
    call = world.call(method=method, kind=None, name=None, arguments=None)
    await world.guard.authenticate(call, counted=counted)
    assert world.audit.events == []


async def test_who_is_nobody_discovers_nothing(world):
    call = world.call(method="initialize", kind=None, name=None, arguments=None, authorization=())
    await world.guard.authenticate(call, counted=True)
    assert world.audit.of(ServerDiscovered) == []
