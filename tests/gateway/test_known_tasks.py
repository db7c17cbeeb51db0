"""Tasks are remembered for whoever they belong to, so many for each, and for so many."""

from remit.gateway.known_tasks import KnownTasks
from remit.gateway.principal import Principal
from remit.gateway.task_handle import Task
from tests.gateway.doubles import token_of

DANA, EVE = (Principal.of(token_of(name)) for name in ("dana", "eve"))


def task(name, principal=DANA, server="crm"):
    return Task(id=name, server=server, tool="find", principal=principal, decision_id="d")


def test_a_task_is_known_to_its_owner_alone():
    known = KnownTasks()
    known.remember(task("t"), "handle")
    assert known.find("t", "crm", DANA).handle == "handle"
    assert known.find("t", "crm", EVE) is None
    assert known.find("t", "pay", DANA) is None
    assert known.find("u", "crm", DANA) is None


def test_one_who_makes_many_forgets_their_own():
    known = KnownTasks(per_principal=2)
    known.remember(task("e", EVE), "e")
    for name in ("a", "b", "a", "c"):
        known.remember(task(name), name)
    assert known.find("b", "crm", DANA) is None
    assert {known.find(name, "crm", DANA).handle for name in "ac"} == {"a", "c"}
    assert known.find("e", "crm", EVE)


def test_who_has_used_none_for_longest_is_forgotten_first():
    known = KnownTasks(principals=2)
    known.remember(task("a"), "a")
    known.remember(task("b", EVE), "b")
    known.remember(task("c"), "c")
    known.remember(task("d", server="pay"), "d")
    assert known.find("b", "crm", EVE) is None
    assert known.find("a", "crm", DANA)
