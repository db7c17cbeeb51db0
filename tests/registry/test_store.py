"""The SQL of suspensions, on both databases."""

from remit.registry import Suspension, suspensions
from remit.registry.store import add_suspension, remove_suspension


def _suspension(name: str) -> Suspension:
    return Suspension(agent_id=name, suspended_at=2**40, reason="Ü 'quoted'", changed_by="root")


def test_suspensions_come_back_as_they_were_in_order_of_name(database):
    for name in ("b", "a"):
        assert database.run_now(lambda tx, name=name: add_suspension(tx, _suspension(name)))
    assert database.read_now(suspensions) == (_suspension("a"), _suspension("b"))


def test_a_second_suspension_is_not_added_and_a_missing_one_not_removed(database):
    assert database.run_now(lambda tx: add_suspension(tx, _suspension("a")))
    assert not database.run_now(lambda tx: add_suspension(tx, _suspension("a")))
    assert database.run_now(lambda tx: remove_suspension(tx, "a"))
    assert not database.run_now(lambda tx: remove_suspension(tx, "a"))
