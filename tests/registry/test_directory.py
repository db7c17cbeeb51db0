"""Two snapshots, replaced whole."""

from dataclasses import replace

from remit.guard.ports import Standing
from remit.ids import AgentId
from remit.registry import RegistryDirectory


def _standing(at: int, *agents: str) -> Standing:
    return Standing(as_of=at, suspended_agents=frozenset(AgentId(one) for one in agents))


def test_what_is_published_is_in_force_at_once(catalog):
    directory = RegistryDirectory(catalog, _standing(1))
    directory.publish(_standing(2, "support"))
    assert directory.standing == _standing(2, "support")
    assert directory.catalog is catalog


def test_a_clock_that_was_set_back_keeps_no_revocation_out(catalog):
    directory = RegistryDirectory(catalog, _standing(5000))
    directory.publish(_standing(1400, "support"))
    assert directory.standing == _standing(1400, "support")


def test_a_catalog_is_replaced_without_touching_the_standing(catalog):
    directory = RegistryDirectory(catalog, _standing(5, "support"))
    directory.replace_catalog(replace(catalog, version="1" * 64))
    assert directory.catalog.version == "1" * 64
    assert directory.standing == _standing(5, "support")


def test_whoever_subscribed_is_told_of_what_is_new_and_of_nothing_else(catalog):
    directory, told = RegistryDirectory(catalog, Standing(as_of=1)), []
    directory.subscribe(lambda: told.append(directory.standing.suspended_agents))
    directory.publish(Standing(as_of=2))
    assert told == []
    directory.publish(Standing(as_of=3, suspended_agents=frozenset({"a"})))
    directory.publish(Standing(as_of=4, suspended_agents=frozenset({"a"})))
    assert told == [{"a"}]
    directory.replace_catalog(catalog)
    assert len(told) == 2
