"""Who calls is told by the bundle that decides their agent's calls: the one in force, or the one on trial for it."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.guard import Challenge, Deny, GuardSettings, Permit, RefusalReason
from remit.guard.world import World
from tests.guard.conftest import URL


@pytest.fixture
def tried(world):
    """A guard for which, of `assistant` alone, another bundle is on trial: that of `world.on_trial`, if there is one."""
    world.on_trial = None

    def trial(agent):
        if world.on_trial is None or agent != "assistant":
            return None
        return World(world.on_trial, world.decisions, on_trial=True)

    return world.new_guard(settings=GuardSettings(public_url=URL, trial=trial))


def without_agents(catalog):
    return replace(catalog, agents=MappingProxyType({}))


async def test_what_backs_a_call_backs_what_is_under_way_while_a_bundle_is_on_trial(world, tried):
    declared = world.directory.catalog
    world.on_trial, world.directory.catalog = declared, without_agents(declared)
    assert isinstance(await tried.decide(world.call()), Permit)
    assert tried.backs(world.token())


async def test_what_the_bundle_on_trial_ends_is_ended_for_its_share_alone(world, tried):
    world.on_trial = without_agents(world.directory.catalog)
    refused = await tried.decide(world.call())
    assert refused.reason is RefusalReason.INVALID_TOKEN
    assert not tried.backs(world.token())
    assert tried.backs(world.token(agent_id="job"))


async def test_whoever_is_stopped_is_stopped_in_every_bundle(world, tried):
    world.on_trial = world.directory.catalog
    world.stand(suspended_agents=frozenset({"assistant"}))
    assert not tried.backs(world.token())
    assert isinstance(await tried.decide(world.call()), Challenge)


async def test_when_the_trial_is_over_what_is_in_force_backs_again(world, tried):
    world.on_trial = without_agents(world.directory.catalog)
    assert not tried.backs(world.token())
    world.on_trial = None
    assert tried.backs(world.token())


async def test_a_server_that_only_the_bundle_on_trial_has_not_is_hidden_from_its_share(
    world, tried
):
    world.on_trial = replace(world.directory.catalog, servers=MappingProxyType({}))
    outcome = await tried.decide(world.call())
    assert isinstance(outcome, Deny)
    assert outcome.reason is RefusalReason.NOT_FOUND


async def test_two_bundles_are_never_mixed_by_what_is_remembered(world, tried):
    """INVARIANT: the policies in force now are those of the world, whatever was made for the last call."""
    call = world.call()
    assert isinstance(await tried.decide(call), Permit)
    world.use_policies("")
    assert isinstance(await tried.decide(call), Deny)
    world.directory.catalog = without_agents(world.directory.catalog)
    assert isinstance(await tried.decide(call), Challenge)
