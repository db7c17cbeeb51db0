"""Guards are noted when they are heard of, and their records are taken once, in order."""

import pytest

from remit.audit.call_events import Decided
from remit.audit.relayed import Relayed
from remit.clock import EpochSeconds
from remit.errors import ConflictError, NotFoundError
from remit.registry import guard_store
from remit.registry.guards import TooManyGuardsError, note_guard, take_records

NOW = EpochSeconds(1_767_625_200)


def record(sequence):
    decided = Decided(
        decision_id=f"dec_{sequence}",
        server="crm",
        method="ping",
        name=None,
        outcome="allow",
        reason="x",
    )
    return Relayed(sequence, decided)


def noted(database, instance="crm-1", version="1", now=NOW):
    def work(tx):
        note_guard(tx, "crm", instance, version=version, now=now)
        return [event.kind for event in tx.events]

    return database.run_now(work)


def taken(database, *sequences, instance="crm-1"):
    def work(tx):
        last = take_records(tx, "crm", instance, [record(one) for one in sequences])
        return last, [event.decision_id for event in tx.events]

    return database.run_now(work)


def test_the_first_word_of_a_guard_and_of_a_new_version_is_an_event(database):
    assert noted(database) == ["guard.seen"]
    assert noted(database, now=NOW + 5) == []
    assert noted(database, version="2", now=NOW + 6) == ["guard.seen"]
    (row,) = database.run_now(guard_store.guards_seen)
    assert (row.version, row.first_seen, row.last_seen) == ("2", NOW, NOW + 6)


def test_records_are_taken_once(database):
    noted(database)
    assert taken(database, 3, 4) == (4, ["dec_3", "dec_4"])
    assert taken(database, 3, 4) == (4, [])
    assert taken(database, 4, 9) == (9, ["dec_9"])
    assert taken(database, 5) == (9, [])


def test_each_instance_has_an_account_of_its_own(database):
    noted(database)
    noted(database, "crm-2")
    assert taken(database, 7) == (7, ["dec_7"])
    assert taken(database, 3, instance="crm-2") == (3, ["dec_3"])


@pytest.mark.parametrize("sequences", [(4, 3), (3, 3)])
def test_records_out_of_order_are_refused(database, sequences):
    noted(database)
    with pytest.raises(ConflictError):
        taken(database, *sequences)


def test_a_guard_that_never_asked_delivers_nothing(database):
    with pytest.raises(NotFoundError):
        taken(database, 1)


def test_more_guards_of_a_server_than_anybody_runs_are_refused_until_the_old_ones_are_forgotten(
    database, monkeypatch
):
    monkeypatch.setattr("remit.registry.guards._MAX_INSTANCES", 2)
    noted(database, "crm-1")
    noted(database, "crm-2")
    with pytest.raises(TooManyGuardsError):
        noted(database, "crm-3")
    assert noted(database, "crm-3", now=NOW + 31 * 86_400) == ["guard.seen"]
    assert [one.instance for one in database.run_now(guard_store.guards_seen)] == ["crm-3"]
