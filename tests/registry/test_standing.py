"""Stopping an agent and letting it go on, on both databases."""

import pytest

from remit.audit.events import AgentResumed, AgentSuspended
from remit.errors import ConflictError, NotFoundError, UnavailableError
from remit.registry import resume_agent, suspend_agent, suspended_agents, suspensions
from tests.registry.conftest import ADMIN, agent, catalog_of


@pytest.fixture
def suspend(database, catalog, clock):
    def act(name: str = "support", reason: str = "odd calls"):
        return database.run_now(
            lambda tx: suspend_agent(
                tx, name, reason=reason, catalog=catalog, now=clock.now(), context=ADMIN
            )
        )

    return act


@pytest.fixture
def resume(database, catalog):
    def act(name: str = "support", in_catalog=catalog):
        database.run_now(
            lambda tx: resume_agent(tx, name, reason="cleared", catalog=in_catalog, context=ADMIN)
        )

    return act


def test_a_suspended_agent_is_in_the_standing_and_in_the_log(database, suspend, clock, events):
    suspension = suspend()
    assert database.read_now(suspended_agents) == {"support"}
    assert database.read_now(suspensions) == (suspension,)
    assert (suspension.suspended_at, suspension.reason, suspension.changed_by) == (
        clock.now(),
        "odd calls",
        "root",
    )
    (event,) = events.of(AgentSuspended)
    assert (event.context.agent_id, event.reason) == ("support", "odd calls")
    assert event.context.actor == ADMIN.actor


def test_a_resumed_agent_may_act_and_be_suspended_again(database, suspend, resume, events):
    suspend()
    resume()
    assert database.read_now(suspended_agents) == frozenset()
    assert [event.context.agent_id for event in events.of(AgentResumed)] == ["support"]
    suspend(reason="again")
    assert [one.reason for one in database.read_now(suspensions)] == ["again"]


def test_suspending_twice_is_a_conflict_and_keeps_the_first_reason(database, suspend, events):
    suspend()
    with pytest.raises(ConflictError, match="suspended already"):
        suspend(reason="other")
    assert [one.reason for one in database.read_now(suspensions)] == ["odd calls"]
    assert len(events.of(AgentSuspended)) == 1


def test_resuming_an_agent_that_acts_is_a_conflict(resume, events):
    with pytest.raises(ConflictError, match="is not suspended"):
        resume()
    assert events.recorded == []


@pytest.mark.parametrize("name", ["nobody", "", "support "])
def test_an_agent_that_nobody_registered_cannot_be_changed(database, suspend, resume, name):
    with pytest.raises(NotFoundError):
        suspend(name)
    with pytest.raises(NotFoundError):
        resume(name)
    assert database.read_now(suspended_agents) == frozenset()


def test_all_unregistered_clients_can_be_stopped_at_once(database, suspend):
    suspend("unregistered")
    assert database.read_now(suspended_agents) == {"unregistered"}


def test_an_agent_that_left_the_repository_stays_suspended_until_resumed(database, suspend, resume):
    suspend()
    resume(in_catalog=catalog_of(agent("other")))
    assert database.read_now(suspended_agents) == frozenset()


def test_without_an_audit_log_nothing_changes(database, suspend, events):
    events.failure = UnavailableError("full")
    with pytest.raises(UnavailableError):
        suspend()
    assert database.read_now(suspended_agents) == frozenset()
