"""Records are read by their number, from whatever file they are in."""

from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import FileAuditLog, StreamSettings
from remit.audit.events import AuditQueried
from remit.audit.file_source import FileSource
from remit.errors import NotFoundError


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("logs")
    settings = StreamSettings(folder=path / "main", origin="remit/main", segment_bytes=300_000)
    with closing(FileAuditLog(settings, Ed25519PrivateKey.generate())) as log:
        for block in range(14):
            log.record([AuditQueried(query={"n": block * 100 + n}) for n in range(100)])
    return path


@pytest.mark.parametrize("start", [0, 1, 511, 512, 513, 700, 1_399, 1_401])
def test_any_record_is_found_by_its_number(folder, start):
    source = FileSource(folder)
    found = list(source.read("remit/main", start, limit=3))
    assert [record.sequence for record in found] == list(range(start, min(start + 3, 1_402)))
    assert all(record.entry()["seq"] == record.sequence for record in found)


def test_beyond_the_end_there_is_nothing(folder):
    assert list(FileSource(folder).read("remit/main", 1_402, limit=3)) == []


def test_it_knows_how_many_there_are_and_what_signs_them(folder):
    source = FileSource(folder)
    assert source.logs() == ("remit/main",)
    assert source.bounds("remit/main") == (0, 1_402)
    assert (source.checkpoint("remit/main") or "").startswith("remit/main\n1402\n")


def test_what_comes_later_is_read_by_the_same_source(tmp_path):
    settings = StreamSettings(folder=tmp_path / "main", origin="remit/main")
    source = FileSource(tmp_path)
    with closing(FileAuditLog(settings, Ed25519PrivateKey.generate())) as log:
        assert source.bounds("remit/main") == (0, 1)
        log.record([AuditQueried(query={"n": 1})])
        assert [r.sequence for r in source.read("remit/main", 0, limit=9)] == [0, 1]


def test_a_record_that_is_being_written_is_not_read(tmp_path):
    settings = StreamSettings(folder=tmp_path / "main", origin="remit/main")
    with closing(FileAuditLog(settings, Ed25519PrivateKey.generate())):
        pass
    with (tmp_path / "main" / f"{0:020d}.jsonl").open("ab") as file:
        file.write(b'{"actor":{"id":')
    source = FileSource(tmp_path)
    assert source.bounds("remit/main") == (0, 2)
    assert len(list(source.read("remit/main", 0, limit=9))) == 2


def test_an_unknown_log_is_refused(folder):
    with pytest.raises(NotFoundError):
        FileSource(folder).bounds("remit/other")


def test_where_nothing_is_there_are_no_logs(tmp_path):
    assert FileSource(tmp_path / "absent").logs() == ()
