"""Whose word about a decision counts, where a guard inside a server uses its name too."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.api.explanation.record import find_record
from remit.audit.call_events import CallCompleted, Decided
from remit.audit.events import AuditQueried
from remit.audit.file_log import FileAuditLog
from remit.audit.file_source import FileSource
from remit.audit.stream import StreamSettings

ID = f"dec_{'7' * 26}"


def decided(reason, **changes):
    return Decided(
        decision_id=ID, server="crm", method="tools/call", name="x", outcome="deny", reason=reason,
        **changes,
    )  # fmt: skip


def completed(outcome, **changes):
    return CallCompleted(
        decision_id=ID, server="crm", method="tools/call", name="x", outcome=outcome, **changes
    )


def guard(instance):
    return {"guard": {"instance": instance, "sequence": 1, "time": "2026-01-01T00:00:00.000Z"}}


@pytest.fixture
def written(tmp_path):
    def write(*events):
        settings = StreamSettings(folder=tmp_path / "stream", origin="test")
        log = FileAuditLog(settings, Ed25519PrivateKey.generate())
        log.record(events)
        log.close()
        return find_record(FileSource(tmp_path), ID)

    return write


def test_no_guard_has_a_say_in_what_remit_decided_itself(written):
    found = written(
        decided("forbidden"),
        completed("ok"),
        decided("forged", **guard("a")),
        completed("forged", **guard("a")),
    )
    assert found.decision["body"]["reason"] == "forbidden"
    assert found.completed["body"]["outcome"] == "ok"


def test_of_two_guards_the_first_word_counts_and_nobody_completes_for_another(written):
    found = written(
        decided("first", **guard("a")),
        decided("second", **guard("b")),
        completed("ok", **guard("b")),
    )
    assert found.decision["body"]["reason"] == "first"
    assert found.completed is None


def test_a_decision_is_found_however_much_was_written_after_it(written):
    many = [AuditQueried(query={"n": n}) for n in range(9_000)]
    assert written(decided("wanted"), *many).decision["body"]["reason"] == "wanted"


def test_what_only_mentions_an_id_is_not_its_decision(written):
    assert written(AuditQueried(query={"decision_id": ID})) is None


@pytest.fixture
def told(tmp_path, clock):
    """Writes logs by name, each of which is one process's."""

    def told(**logs):
        for name, events in logs.items():
            settings = StreamSettings(folder=tmp_path / name, origin=f"remit/{name}")
            log = FileAuditLog(settings, Ed25519PrivateKey.generate(), clock=clock)
            log.record(events)
            log.close()
        return find_record(FileSource(tmp_path), ID)

    return told


ALLOWED = Decided(
    decision_id=ID, server="crm", method="tools/call", name="x", outcome="allow", reason="allowed"
)


@pytest.mark.parametrize("other", ["a", "z"])
def test_what_became_of_a_call_is_found_in_whichever_log_it_is_told(told, other):
    found = told(**{"m": [ALLOWED], other: [completed("unknown")]})
    assert found.completed["body"]["outcome"] == "unknown"


@pytest.mark.parametrize("other", ["a", "z"])
def test_of_two_outcomes_the_one_that_somebody_knew_counts(told, other):
    found = told(**{"m": [ALLOWED, completed("ok")], other: [completed("unknown")]})
    assert found.completed["body"]["outcome"] == "ok"


def test_a_call_that_has_not_ended_is_not_looked_for_in_what_is_older_than_it(
    told, tmp_path, clock, monkeypatch
):
    monkeypatch.setattr("remit.api.explanation.record._CHUNK", 10)
    told(z=[AuditQueried(query={"n": n}) for n in range(200)])
    clock.advance(3_600)
    read = []

    class Watched(FileSource):
        def read(self, log, start, *, limit):
            read.append((log, start))
            return super().read(log, start, limit=limit)

    told(m=[ALLOWED])
    assert find_record(Watched(tmp_path), ID).completed is None
    assert [log for log, _ in read].count("remit/z") == 1
