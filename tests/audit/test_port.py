"""The contract of the port, over every log there is."""

import errno

import pytest

from remit.audit import read_events
from remit.audit.port import told
from remit.testing.audit import InMemoryAuditLog
from remit.testing.audit_log import AuditLogContract, AuditLogSubject
from remit_audit_verify.stream_files import FRONTIER

OF_THE_LOG = {"audit.started", "audit.stopped", "audit.recovered"}


class TestInMemoryAuditLog(AuditLogContract):
    @pytest.fixture
    def subject(self):
        log = InMemoryAuditLog()
        return AuditLogSubject(
            log=log,
            entries=lambda: log.entries,
            fail=lambda: setattr(log, "failing", True),
            mend=lambda: setattr(log, "failing", False),
        )


class TestFileAuditLog(AuditLogContract):
    @pytest.fixture
    def subject(self, open_log, stream, disk):
        return AuditLogSubject(
            log=open_log(disk=disk),
            entries=lambda: [
                entry for entry in read_events(stream.folder) if entry["kind"] not in OF_THE_LOG
            ],
            fail=disk.fill_up,
            mend=disk.mend,
        )


class TestFileAuditLogWithoutItsSidecar(TestFileAuditLog):
    @pytest.fixture
    def subject(self, open_log, stream, disk):
        open_log(disk=disk).close()
        (stream.folder / FRONTIER).unlink()
        disk.failing = frozenset({"replace"})
        disk.error = errno.EIO
        log = open_log(disk=disk)
        disk.mend()
        return AuditLogSubject(
            log=log,
            entries=lambda: [
                entry for entry in read_events(stream.folder) if entry["kind"] not in OF_THE_LOG
            ],
            fail=disk.break_down,
            mend=disk.mend,
        )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(13, "Permission denied", "/a/checkpoints"), "`/a/checkpoints`: permission denied"),
        (OSError(5, "the database does not take it"), "the database does not take it"),
        (OSError("two\nlines"), "two lines"),
        (OSError(), "nobody knows what is wrong"),
    ],
    ids=["file", "database", "lines", "nothing"],
)
def test_what_is_wrong_is_said_in_one_line_and_with_which_file(error, words):
    assert told(error) == words
