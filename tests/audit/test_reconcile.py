"""What a process that died left behind is found in its records, and nothing that ended is."""

from dataclasses import replace

import pytest

from remit.audit import FileAuditLog
from remit.audit.events import AuditQueried, CallCompleted, GrantRevoked
from remit.audit.file_source import FileSource
from remit.audit.reconcile import left_open, outcomes_of
from remit.errors import NotFoundError
from remit.testing.disk import SimulatedDisk

LOG = "example.test/main"


def intent(decided, number):
    return replace(decided, decision_id=f"dec_{number}")


def outcome(decided, number, word="ok"):
    return CallCompleted(
        context=decided.context,
        decision_id=f"dec_{number}",
        server=decided.server,
        method=decided.method,
        name=decided.name,
        outcome=word,
    )


@pytest.fixture
def killed(stream, log_key, clock):
    """Opens the stream, writes, and dies: no record says that it stopped."""

    def killed(*events):
        disk = SimulatedDisk()
        log = FileAuditLog(stream, log_key, clock=clock, disk=disk)
        log.record(list(events))
        disk.break_down()
        log._closing = True
        with log._wake:
            log._wake.notify()
        log._writer.join(10)
        assert not log._writer.is_alive()

    return killed


def found(stream, end=None):
    source = FileSource(stream.folder)
    return left_open(source, LOG, end=source.bounds(LOG)[1] if end is None else end)


def test_an_intent_without_an_outcome_is_found_with_its_place(killed, stream, decided):
    killed(intent(decided, 1), outcome(decided, 1), intent(decided, 2), GrantRevoked(reason=""))
    (left,) = found(stream)
    assert (left.log, left.sequence) == (LOG, 3)


def test_its_outcome_says_that_nobody_knows_and_of_whom(killed, stream, decided):
    killed(intent(decided, 1))
    (event,) = outcomes_of(found(stream))
    assert event.outcome == "unknown"
    assert (event.decision_id, event.server, event.name) == ("dec_1", "crm", "accounts.get")
    assert event.reconciled == {"log": LOG, "seq": 1}
    assert event.context == decided.context


def test_a_process_that_stopped_in_good_order_left_nothing(open_log, stream, decided):
    log = open_log()
    log.record([intent(decided, 1)])
    log.close()
    assert found(stream) == ()


def test_what_came_after_a_good_stop_is_found_whatever_came_before(
    open_log, killed, stream, decided
):
    log = open_log()
    log.record([intent(decided, 1)])
    log.close()
    killed(intent(decided, 2))
    assert [one.entry()["body"]["decision_id"] for one in found(stream)] == ["dec_2"]


def test_a_process_that_dies_before_it_reconciled_leaves_it_to_the_next(killed, stream, decided):
    killed(intent(decided, 1))
    killed()
    killed(GrantRevoked(reason="before anything was decided"))
    assert [one.entry()["body"]["decision_id"] for one in found(stream)] == ["dec_1"]
    killed(*outcomes_of(found(stream)), intent(decided, 2))
    assert [one.entry()["body"]["decision_id"] for one in found(stream)] == ["dec_2"]
    killed(*outcomes_of(found(stream)))
    assert found(stream) == ()


def test_what_was_told_already_is_not_read_again(killed, stream, decided, monkeypatch):
    """Where no process ever stops in good order, a start takes as long as the last one ran, and not as long as all did."""
    monkeypatch.setattr("remit.audit.reconcile._STEP", 3)
    killed(intent(decided, 0))
    for number in range(1, 10):
        killed(*outcomes_of(found(stream)), intent(decided, number))
    source, read = FileSource(stream.folder), []

    class Watched:
        bounds = source.bounds

        def read(self, log, start, *, limit):
            read.append(start)
            return source.read(log, start, limit=limit)

    (left,) = left_open(Watched(), LOG)
    assert left.entry()["body"]["decision_id"] == "dec_9"
    assert min(read) >= source.bounds(LOG)[1] - 6


def test_what_the_next_process_writes_is_its_own(killed, stream, decided):
    killed(intent(decided, 1))
    end = FileSource(stream.folder).bounds(LOG)[1]
    killed(intent(decided, 2))
    assert len(found(stream, end)) == 1


def test_a_long_log_is_read_in_steps(killed, stream, decided, monkeypatch):
    monkeypatch.setattr("remit.audit.reconcile._STEP", 3)
    killed(*[e for n in range(10) for e in (intent(decided, n), outcome(decided, n))][:-1])
    assert [one.entry()["body"]["decision_id"] for one in found(stream)] == ["dec_9"]


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "deny"},
        {"outcome": "challenge"},
        {"reason": "listed"},
        {"guard": {"instance": "crm-1", "sequence": 1, "time": ""}},
    ],
    ids=["deny", "challenge", "a list", "another guard's"],
)
def test_what_no_call_came_of_is_not_left_open(killed, stream, decided, changes):
    killed(replace(decided, **changes))
    assert found(stream) == ()


def test_what_reads_like_a_record_within_a_record_is_none(killed, stream, decided):
    killed(
        intent(decided, 1),
        AuditQueried(query={"kind": "call.completed", "body": {"decision_id": "dec_1"}}),
        AuditQueried(query={"kind": "audit.stopped"}),
        AuditQueried(query={"kind": "decision", "outcome": "allow", "decision_id": "dec_2"}),
    )
    assert [one.sequence for one in found(stream)] == [1]


def test_a_log_that_is_not_there_is_not_reconciled(stream):
    with pytest.raises(NotFoundError):
        left_open(FileSource(stream.folder), LOG, end=5)
