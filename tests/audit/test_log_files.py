"""Logs as files, whatever they are kept in."""

import pytest

from remit.audit.all_sources import AllSources
from remit.audit.events import GrantRevoked
from remit.audit.file_source import FileSource
from remit.audit.log_files import first_since, log_files
from remit.clock import EpochSeconds
from remit_audit_verify.stream_files import find_streams


@pytest.fixture
def began(open_log, clock):
    """A log with a record a minute; when it began."""
    began = clock.now()
    log = open_log()
    for number in range(30):
        log.record([GrantRevoked(reason=f"reason {number}")])
        clock.advance(60)
    log.close()
    return began


@pytest.fixture
def copied(stream):
    """A source of which nobody knows that it is files."""
    return AllSources([FileSource(stream.folder.parent)])


def test_files_are_read_where_they_are(began, stream, tmp_path):
    source = FileSource(stream.folder.parent)
    with log_files(source, since=EpochSeconds(0), beside=tmp_path) as folder:
        assert folder == stream.folder.parent
    assert folder.exists()


def test_anything_else_is_copied_and_the_copy_removed(began, copied, tmp_path, stream):
    with log_files(copied, since=EpochSeconds(0), beside=tmp_path) as folder:
        (found,) = find_streams(folder)
        (segment,) = found.glob("*.jsonl")
        assert segment.read_bytes() == next(stream.folder.glob("*.jsonl")).read_bytes()
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_what_is_older_is_not_copied(began, copied, tmp_path):
    with log_files(copied, since=EpochSeconds(began + 20 * 60), beside=tmp_path) as folder:
        (found,) = find_streams(folder)
        (segment,) = found.glob("*.jsonl")
        lines = segment.read_bytes().splitlines()
    assert b"reason 20" in lines[0]
    assert len(lines) == 30 - 20 + 1, "and the one that says that the log was closed"


@pytest.mark.parametrize(("minutes", "number"), [(-5, 0), (0, 0), (1, 2), (15, 16), (90, 32)])
def test_the_first_record_since_then_is_found_by_halving(began, copied, minutes, number):
    since = EpochSeconds(began + minutes * 60)
    assert first_since(copied, "example.test/main", since) == number


def test_a_damaged_record_hides_nothing_that_comes_after_it(began, stream, tmp_path):
    (segment,) = stream.folder.glob("*.jsonl")
    lines = segment.read_bytes().splitlines()
    lines[16] = b"{}" * 40
    segment.write_bytes(b"\n".join([*lines, b""]))
    source = FileSource(stream.folder)
    assert first_since(source, "example.test/main", EpochSeconds(began + 20 * 60)) <= 21
