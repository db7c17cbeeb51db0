"""Logs out of the database into files: what comes out is verified by the verifier, as files are."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit import dump as module
from remit.audit import verify_log
from remit.audit.database_log import DatabaseAuditLog
from remit.audit.database_source import DatabaseSource
from remit.audit.dump import DumpConflictError, dump_logs
from remit.audit.events import GrantRevoked

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def write(database_url, clock):
    """Writes events to a log, as one process after another."""

    def write(count, *, log="remit/main"):
        kept = DatabaseAuditLog(database_url, KEY, origin=log, holder="here", clock=clock)
        kept.record([GrantRevoked(reason=f"reason {n}") for n in range(count)])
        kept.close()

    return write


@pytest.fixture
def sql(database):
    def do(statement):
        database.run_now(lambda tx: tx.connection.execute(text(statement)))

    return do


def test_what_comes_out_is_what_the_verifier_holds_valid(write, database, tmp_path):
    write(3)
    write(2, log="remit/other")
    dumped = dump_logs(database, tmp_path / "copy")
    assert [(one.name, one.size, one.added) for one in dumped] == [
        ("remit/main", 5, 5),
        ("remit/other", 4, 4),
    ]
    report = verify_log(tmp_path / "copy")
    assert report.exit_code == 0
    assert sum(stream.proven for stream in report.streams) == 9
    lines = (tmp_path / "copy/main/00000000000000000000.jsonl").read_bytes().splitlines()
    assert lines == [one.line for one in DatabaseSource(database).read("remit/main", 0, limit=9)]


def test_a_copy_is_gone_on_with(write, database, tmp_path):
    write(3)
    dump_logs(database, tmp_path)
    before = (tmp_path / "main/00000000000000000000.jsonl").read_bytes()
    write(4)
    (dumped,) = dump_logs(database, tmp_path)
    assert (dumped.size, dumped.added) == (11, 6)
    assert (tmp_path / "main/00000000000000000000.jsonl").read_bytes().startswith(before)
    assert verify_log(tmp_path).exit_code == 0
    (again,) = dump_logs(database, tmp_path)
    assert again.added == 0


def test_a_copy_that_broke_off_is_mended(write, database, tmp_path):
    write(3)
    dump_logs(database, tmp_path)
    segment, notes = tmp_path / "main/00000000000000000000.jsonl", tmp_path / "main/checkpoints"
    segment.write_bytes(segment.read_bytes()[:-20])
    notes.write_bytes(notes.read_bytes()[:-20])
    (dumped,) = dump_logs(database, tmp_path)
    assert dumped.added == 1
    assert verify_log(tmp_path).exit_code == 0


def test_one_log_may_be_asked_for(write, database, tmp_path):
    write(1)
    write(1, log="remit/other")
    assert [one.name for one in dump_logs(database, tmp_path, only="remit/other")] == [
        "remit/other"
    ]
    assert dump_logs(database, tmp_path, only="remit/none") == []


def test_a_long_log_is_cut_into_segments(write, database, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SEGMENT_BYTES", 1_000)
    monkeypatch.setattr(module, "_CHUNK", 2)
    write(6)
    dump_logs(database, tmp_path)
    write(6)
    dump_logs(database, tmp_path)
    assert len(list((tmp_path / "main").glob("*.jsonl"))) > 3
    assert verify_log(tmp_path).exit_code == 0


def test_a_log_that_was_rewritten_is_not_the_one_that_was_copied(write, database, sql, tmp_path):
    write(3)
    dump_logs(database, tmp_path)
    kept = (tmp_path / "main/00000000000000000000.jsonl").read_bytes()
    sql("UPDATE audit_records SET line = (SELECT line FROM audit_records WHERE seq = 0)")
    with pytest.raises(DumpConflictError, match="does not have"):
        dump_logs(database, tmp_path)
    assert (tmp_path / "main/00000000000000000000.jsonl").read_bytes() == kept


def test_a_log_that_was_set_back_is_not_the_one_that_was_copied(write, database, sql, tmp_path):
    write(3)
    dump_logs(database, tmp_path)
    sql("DELETE FROM audit_records WHERE seq > 2")
    sql("UPDATE audit_logs SET size = 3")
    with pytest.raises(DumpConflictError, match="record 4"):
        dump_logs(database, tmp_path)


def test_a_hole_in_the_log_is_not_copied_over(write, database, sql, tmp_path):
    write(3)
    sql("DELETE FROM audit_records WHERE seq = 1")
    with pytest.raises(DumpConflictError, match="no whole run"):
        dump_logs(database, tmp_path)


def test_nothing_is_written_into_a_folder_of_something_else(write, database, tmp_path):
    write(1)
    (tmp_path / "main").mkdir()
    (tmp_path / "main/orders.jsonl").write_text("{}\n")
    with pytest.raises(DumpConflictError, match=r"orders\.jsonl"):
        dump_logs(database, tmp_path)
    (tmp_path / "main/orders.jsonl").unlink()
    (tmp_path / "main/log.pub").write_text("another")
    with pytest.raises(DumpConflictError, match="keys"):
        dump_logs(database, tmp_path)


def test_what_witnesses_signed_comes_along(write, database, sql, tmp_path):
    write(1)
    sql("UPDATE audit_checkpoints SET witnessed = note || '— witness d2l0bmVzcw==\n'")
    dump_logs(database, tmp_path)
    assert b"witness d2l0" in (tmp_path / "main/witnessed").read_bytes()
    assert b"witness d2l0" not in (tmp_path / "main/checkpoints").read_bytes()


def test_it_is_told_how_far_it_is(write, database, tmp_path):
    write(3)
    told = []
    dump_logs(database, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(5, 5)]
