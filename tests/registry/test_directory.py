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


def test_an_older_reading_does_not_undo_a_newer_one(catalog):
    directory = RegistryDirectory(catalog, _standing(5, "support"))
    directory.publish(_standing(4))
    assert directory.standing.suspended_agents == {"support"}


def test_of_two_readings_in_one_second_the_later_counts(catalog):
    directory = RegistryDirectory(catalog, _standing(5))
    directory.publish(_standing(5, "support"))
    assert directory.standing.suspended_agents == {"support"}


def test_a_catalog_is_replaced_without_touching_the_standing(catalog):
    directory = RegistryDirectory(catalog, _standing(5, "support"))
    directory.replace_catalog(replace(catalog, version="1" * 64))
    assert directory.catalog.version == "1" * 64
    assert directory.standing == _standing(5, "support")
