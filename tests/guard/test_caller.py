from dataclasses import replace

import pytest

from remit.guard.caller import Caller
from remit.guard.limits import scope_limits
from remit.guard.world import World
from remit.model import Sensitivity

LOW, HIGH = Sensitivity.LOW, Sensitivity.HIGH


@pytest.mark.parametrize(("token", "agent"), [(LOW, HIGH), (HIGH, LOW), (LOW, LOW)])
def test_the_clearance_is_the_lower_of_the_tokens_and_the_agents(world, token, agent):
    catalog = world.directory.catalog
    declared = replace(catalog.agents["assistant"], max_sensitivity=agent)
    held = world.token(sensitivity=token)
    caller = Caller(
        token=held,
        agent=declared,
        server=catalog.servers["crm"],
        world=World(catalog, world.decisions),
        limits=scope_limits(held, declared, catalog),
    )
    assert caller.clearance is LOW
