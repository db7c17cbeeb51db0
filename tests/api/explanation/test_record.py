"""Whose word about a decision counts, where a guard inside a server uses its name too."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.api.explanation.record import find_record
from remit.audit.call_events import CallCompleted, Decided
from remit.audit.file_log import FileAuditLog
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
        return find_record(tmp_path, ID)

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
