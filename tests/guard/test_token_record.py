"""What the log keeps of a token: enough to say who acted, and no value that is somebody's own."""

from dataclasses import replace

from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.guard import CallResult, Permit
from remit.guard.token_record import record_of_token
from remit.tokens import Delegate
from remit.tokens.audience import jti_digest


def test_attributes_are_kept_by_name_and_the_jti_by_its_digest(world):
    token = world.token(attributes={"level": "secret-7", "department": "law"})
    record = record_of_token(token)
    assert record.claims["attributes"] == ["department", "level"]
    assert "secret-7" not in repr(record.claims)
    assert record.jti_digest == jti_digest("jti_1")


def test_claims_that_a_token_has_not_are_not_claimed(world):
    assert {"acr", "auth_time"} <= record_of_token(
        world.token(acr="gold", auth_time=5)
    ).claims.keys()
    assert not {"acr", "auth_time"} & record_of_token(world.token()).claims.keys()


def test_a_workload_has_no_person(world):
    assert record_of_token(world.token()).user_id == "usr_1"
    assert record_of_token(world.token(sub="assistant")).user_id is None


def test_the_circumstances_are_the_doors_and_who_acts_is_the_tokens(world):
    token = world.token()
    door = Context(
        actor=Actor(ActorType.USER, "somebody else"),
        tenant="other",
        flow_id="flw_1",
        network=Network("192.0.2.9"),
        trace=Trace("a" * 32, "b" * 16),
    )
    filled = record_of_token(token).context(door)
    assert filled == replace(
        door,
        actor=Actor(ActorType.AGENT, "assistant"),
        tenant="acme",
        environment="prod",
        user_id="usr_1",
        agent_id="assistant",
        client_id="cli_1",
        grant_id="gnt_1",
    )


async def test_an_outcome_is_recorded_with_its_own_circumstances(world):
    """The record of a decision lends its circumstances only where they are the very same."""
    call = world.call()
    permit = await world.guard.decide(call)
    assert isinstance(permit, Permit)
    other = replace(call, context=Context(network=Network("198.51.100.1")))
    await world.guard.complete(permit, call, result=CallResult(outcome="ok"))
    await world.guard.complete(permit, other, result=CallResult(outcome="ok"))
    same, different = world.audit.events[-2:]
    assert same.context == world.audit.events[-3].context
    assert different.context.network.ip == "198.51.100.1"
    assert different.context.grant_id == "gnt_1"


def test_what_is_had_for_a_while_is_kept_so_that_a_replay_knows(world):
    token = world.token(temporary=("crm:accounts.export",))
    assert record_of_token(token).claims["temporary"] == ["crm:accounts.export"]
    assert "temporary" not in record_of_token(world.token()).claims


def test_how_its_person_logged_in_and_through_whom_it_came_are_kept(world):
    between = Delegate("first", "cli_first")
    token = world.token(acr="gold", amr=("pwd", "otp"), auth_time=5, actors=(between,))
    context = record_of_token(token).context(Context(caused_by=("dec_1",)))
    assert context.auth == {"acr": "gold", "amr": ["pwd", "otp"], "auth_time": 5}
    assert context.act == ({"agent": "first", "client": "cli_first"},)
    assert context.caused_by == ("dec_1",)


def test_of_a_workload_that_never_logged_in_nothing_is_said(world):
    context = record_of_token(world.token()).context(Context())
    assert (context.auth, context.act) == (None, ())
