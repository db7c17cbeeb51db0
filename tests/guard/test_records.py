"""What stands in the log about a decision."""

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import Decided
from remit.guard import RefusalReason
from remit.guard.records import SELF_TEST, actor_in, context_of


async def test_the_log_has_the_truth_where_the_caller_has_not(world):
    outcome = await world.guard.decide(world.call("export_accounts", token={"roles": ("support",)}))
    event = world.recorded
    assert outcome.reason is RefusalReason.NOT_FOUND
    assert event.reason == "insufficient_scope"
    assert event.scopes_missing == ("crm:accounts.export",)
    assert event.operation == "export"
    assert event.sensitivity == "high"


async def test_challenges_are_told_from_denials(world):
    await world.guard.decide(world.call("update_account", token={"scopes": ()}))
    await world.guard.decide(world.call(authorization=()))
    await world.guard.decide(world.call("nope"))
    outcomes = [event.outcome for event in world.audit.of(Decided)]
    assert outcomes == ["challenge", "challenge", "deny"]


async def test_no_token_and_no_attribute_value_is_in_the_log(world):
    call = world.call(token={"attributes": {"department": "mergers"}})
    await world.guard.decide(call)
    shown = repr(world.recorded)
    assert call.authorization[0].split(" ")[1] not in shown
    assert "mergers" not in shown
    assert world.recorded.claims["attributes"] == ["department"]


async def test_what_the_caller_wrote_is_cut(world):
    await world.guard.decide(world.call("x" * 5000, jsonrpc_id="y" * 5000))
    assert len(world.recorded.name) == 256
    assert len(world.recorded.jsonrpc_id) == 256


@pytest.mark.parametrize("claimed", [True, "self-test", Actor(ActorType.SYSTEM, "self-test"), b"1"])
def test_nobody_passes_for_the_self_test_by_saying_so(claimed):
    assert actor_in({"remit.self_test": claimed, "headers": []}) == Actor(ActorType.SYSTEM)
    assert actor_in({"remit.self_test": SELF_TEST}) is SELF_TEST


def test_what_the_self_test_tries_is_in_nobodys_account(world):
    context = context_of(Context(actor=SELF_TEST), world.token())
    assert (context.actor, context.agent_id, context.user_id, context.tenant) == (
        SELF_TEST, None, None, None,
    )  # fmt: skip
