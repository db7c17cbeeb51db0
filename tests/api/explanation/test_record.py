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
