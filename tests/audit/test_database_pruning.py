"""Both databases. Records in the database that were kept for their time go, and everything that was signed of them still holds."""

from functools import partial
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from remit.audit import Verdict, verify_log
from remit.audit import database_pruning as module
from remit.audit.database_log import DatabaseAuditLog
from remit.audit.database_pruning import logs_to_prune, prunable_records, remove_blocks
from remit.audit.database_source import DatabaseSource
from remit.audit.dump import DumpConflictError, dump_logs
from remit.audit.events import AuditPruned, AuditStopped
from remit.audit.pruning import Times
from remit.audit.pruning_store import PrunedMeanwhileError
from remit.audit.recovery import AuditLogDamagedError
from remit.audit.tiled_logs import TiledLogs
from remit_audit_verify.tree import verify_consistency, verify_inclusion

LOG = "remit/main"
DAY = 86_400
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
YEAR = Times(365 * DAY, MappingProxyType({}))


@pytest.fixture
def opened(database_url, clock):
    """Opens a log; closes what a test leaves open."""
    logs = []

    def open_(*, log=LOG, holder="here"):
        kept = DatabaseAuditLog(database_url, KEY, origin=log, holder=holder, clock=clock)
        logs.append(kept)
        return kept

    yield open_
    for kept in logs:
        kept.close()


@pytest.fixture
def fill(opened):
    """Writes so many records in parts, each of which is signed, as one process after another."""

    def fill(count=1_500, *, log=LOG):
        kept = opened(log=log)
        for _ in range(count // 100):
            kept.record([AuditStopped()] * 100)
            kept.checkpoint()
        kept.close()

    return fill


@pytest.fixture
def prune(database, opened, clock):
    """Removes what may go; a log says so first."""

    def prune(*, said=True, times=YEAR, log=LOG):
        meant = prunable_records(database, log, times, now=clock.now())
        if meant is None:
            return None
        if said:
            kept = opened(log=log)
            kept.record([AuditPruned(log=log, size=meant.size, files=0)])
            kept.close()
        assert remove_blocks(database, meant, allowed=lambda tx: True) == meant.size - meant.first
        return meant

    return prune


@pytest.fixture
def sql(database):
    def do(statement, **values):
        database.run_now(lambda tx: tx.connection.execute(text(statement), values))

    return do


@pytest.fixture
def source(database):
    return DatabaseSource(database)


def test_what_was_kept_for_its_time_goes_and_what_is_copied_out_is_valid(
    fill, prune, source, database, clock, tmp_path
):
    fill()
    size = source.bounds(LOG)[1]
    clock.advance(366 * DAY)
    meant = prune()
    assert (meant.first, meant.size) == (0, (size - 1) // 256 * 256)
    assert source.bounds(LOG)[0] == meant.size
    assert next(source.read(LOG, 0, limit=1)).sequence == meant.size
    fill(300)
    dump_logs(database, tmp_path)
    report = verify_log(tmp_path)
    assert report.verdict is Verdict.VALID
    assert [stream.first for stream in report.streams] == [meant.size]


def test_it_goes_on_from_where_it_came_and_again(fill, prune, source, database, clock, tmp_path):
    for round_ in range(3):
        fill(700)
        clock.advance(366 * DAY)
        assert prune() is not None
        fill(100)
        dump_logs(database, tmp_path / str(round_))
        assert verify_log(tmp_path / str(round_)).verdict is Verdict.VALID
        assert source.bounds(LOG)[0] % 256 == 0


def test_a_copy_from_before_is_gone_on_with_and_holds_everything(
    fill, prune, database, clock, tmp_path
):
    fill()
    dump_logs(database, tmp_path)
    clock.advance(366 * DAY)
    prune()
    fill(300)
    dump_logs(database, tmp_path)
    report = verify_log(tmp_path)
    assert report.verdict is Verdict.VALID
    assert [stream.first for stream in report.streams] == [0]


def test_a_copy_that_ends_before_the_log_begins_is_kept_as_it_is(
    fill, prune, database, clock, tmp_path
):
    fill(600)
    dump_logs(database, tmp_path / "old")
    segment = tmp_path / "old/main/00000000000000000000.jsonl"
    before = segment.read_bytes()
    fill(600)
    clock.advance(366 * DAY)
    prune()
    with pytest.raises(DumpConflictError, match="copy into another folder"):
        dump_logs(database, tmp_path / "old")
    assert segment.read_bytes() == before
    assert verify_log(tmp_path / "old").verdict is Verdict.VALID
    dump_logs(database, tmp_path / "new")
    assert verify_log(tmp_path / "new").verdict is Verdict.VALID


def test_a_copy_that_ends_where_the_log_begins_is_gone_on_with(
    fill, prune, database, clock, tmp_path
):
    fill(600)
    clock.advance(366 * DAY)
    dump_logs(database, tmp_path)
    meant = prune()
    segment = tmp_path / "main/00000000000000000000.jsonl"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[: meant.size]))
    (tmp_path / "main/checkpoints").unlink()
    dump_logs(database, tmp_path)
    assert segment.read_bytes().splitlines(keepends=True)[: len(lines)] == lines
    assert verify_log(tmp_path).verdict is Verdict.VALID
    segment.write_bytes(b"".join(lines[: meant.size - 1]) + lines[0])
    with pytest.raises(DumpConflictError, match="does not have"):
        dump_logs(database, tmp_path)


def test_proofs_from_before_still_hold_also_where_no_tile_is_left(
    fill, prune, source, clock, tmp_path
):
    fill()
    first = TiledLogs(source, lambda log: tmp_path / "first")
    signed = first.checkpoint(LOG)
    leaf = bytes.fromhex(next(source.read(LOG, 7, limit=1)).leaf)
    clock.advance(366 * DAY)
    prune()
    fill(300)
    for place in ("first", "new"):
        tiled = TiledLogs(source, lambda log, place=place: tmp_path / place)
        while tiled.advance(LOG):
            pass
        tiles, newest = tiled.tiles(LOG), tiled.checkpoint(LOG)
        proof = tiles.inclusion(7, newest.size)
        assert verify_inclusion(leaf, 7, newest.size, proof=proof, root=newest.root)
        assert verify_consistency(
            signed.size, newest.size,
            earlier_root=signed.root, later_root=newest.root,
            proof=tiles.consistency(signed.size, newest.size),
        )  # fmt: skip


def test_records_that_are_gone_without_a_word_are_missed(fill, prune, database, clock, tmp_path):
    fill()
    clock.advance(366 * DAY)
    prune(said=False)
    dump_logs(database, tmp_path)
    assert verify_log(tmp_path).verdict is Verdict.TAMPERED


def test_hashes_that_say_something_else_do_not_pass_for_what_is_gone(
    fill, prune, database, sql, clock, tmp_path
):
    fill()
    clock.advance(366 * DAY)
    prune()
    sql("UPDATE audit_hashes SET hashes = :other WHERE tile = 0", other=bytes(256 * 32))
    dump_logs(database, tmp_path)
    assert verify_log(tmp_path).verdict is Verdict.TAMPERED


def test_hashes_that_are_gone_are_missed(fill, prune, database, sql, source, clock, tmp_path):
    fill()
    clock.advance(366 * DAY)
    meant = prune()
    sql("DELETE FROM audit_hashes WHERE tile = 1")
    assert len(source.leaves(LOG, 0, meant.size + 5)) == 256
    with pytest.raises(DumpConflictError, match="hashes after record 256"):
        dump_logs(database, tmp_path)


def test_a_log_whose_beginning_was_deleted_by_hand_does_not_open(fill, sql, opened, clock):
    fill(200)
    sql("DELETE FROM audit_records WHERE seq < 100")
    with pytest.raises(AuditLogDamagedError):
        opened()


@pytest.mark.parametrize("after", [0, 1, 300, 9_000])
def test_the_log_opens_again_however_much_was_written_since(
    fill, prune, opened, source, clock, after
):
    fill(600)
    clock.advance(366 * DAY)
    prune()
    kept = opened()
    for begin in range(0, after, 500):
        kept.record([AuditStopped()] * min(500, after - begin))
    kept.close()
    size = source.bounds(LOG)[1]
    opened().record([AuditStopped()])
    assert [one.sequence for one in source.read(LOG, size, limit=9)] == [size, size + 1]


def test_before_its_time_nothing_goes(fill, prune, clock):
    fill()
    clock.advance(364 * DAY)
    assert prune() is None


def test_what_is_signed_last_stays_and_so_does_what_nobody_signed(
    fill, prune, database, source, sql, clock
):
    fill(256)
    sql("DELETE FROM audit_checkpoints WHERE size > 256")
    sql("UPDATE audit_logs SET size = size")
    clock.advance(366 * DAY)
    signed = source.checkpoint(LOG)
    assert int(signed.split("\n")[1]) <= 256
    assert prune() is None
    sql("DELETE FROM audit_checkpoints")
    assert prune() is None
    assert prunable_records(database, "remit/none", YEAR, now=clock.now()) is None


def test_one_record_that_is_kept_longer_keeps_its_block_and_what_comes_after(
    fill, opened, prune, source, clock
):
    fill(600)
    kept = opened()
    kept.record([AuditPruned(log="remit/other", size=1, files=0)])
    where = source.bounds(LOG)[1] - 1
    kept.close()
    fill(900)
    clock.advance(366 * DAY)
    meant = prune(times=Times(365 * DAY, MappingProxyType({"audit.pruned": 3_650 * DAY})))
    assert 0 < meant.size == where // 256 * 256


def test_a_record_that_cannot_be_read_keeps_its_block_and_what_comes_after(
    fill, prune, sql, source, clock
):
    fill()
    clock.advance(366 * DAY)
    sql("UPDATE audit_records SET line = :line WHERE seq = 300", line=b"{}")
    with pytest.raises(AuditLogDamagedError):  # the checkpoint over the first block signs it, too
        prune()
    sql("UPDATE audit_records SET line = :line WHERE seq = 3", line=b"{}")
    assert prune() is None
    assert source.bounds(LOG)[0] == 0


def test_what_was_changed_is_evidence_and_stays(fill, prune, sql, source, clock):
    fill()
    clock.advance(366 * DAY)
    sql(
        "UPDATE audit_records SET line = (SELECT line FROM audit_records WHERE seq = 5) WHERE seq = 3"
    )
    with pytest.raises(AuditLogDamagedError, match="not those that its checkpoint signs"):
        prune()
    assert source.bounds(LOG)[0] == 0
    sql("DELETE FROM audit_records WHERE seq = 3")
    assert prune() is None


def test_of_two_that_prune_the_same_one_finds_nothing_to_do(fill, database, source, clock):
    fill()
    clock.advance(366 * DAY)
    meant = prunable_records(database, LOG, YEAR, now=clock.now())
    again = prunable_records(database, LOG, YEAR, now=clock.now())
    remove_blocks(database, meant, allowed=lambda tx: True)
    before = list(source.read(LOG, 0, limit=9_999))
    with pytest.raises(PrunedMeanwhileError):
        remove_blocks(database, again, allowed=lambda tx: True)
    assert list(source.read(LOG, 0, limit=9_999)) == before
    assert source.leaves(LOG, 0, meant.size) == [
        tile[at : at + 32] for tile in meant.tiles for at in range(0, 8_192, 32)
    ]


def test_what_is_forbidden_midway_ends_it_and_the_rest_stays(
    fill, database, source, clock, monkeypatch
):
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    fill()
    clock.advance(366 * DAY)
    meant = prunable_records(database, LOG, YEAR, now=clock.now())
    answers = iter([True, False])
    assert remove_blocks(database, meant, allowed=lambda tx: next(answers)) == 512
    assert source.bounds(LOG)[0] == 512
    assert prunable_records(database, LOG, YEAR, now=clock.now()).size == meant.size


def test_so_much_goes_at_a_time(fill, prune, source, clock, monkeypatch):
    monkeypatch.setattr(module, "_MOST", 512)
    fill()
    clock.advance(366 * DAY)
    assert prune().size == 512
    assert prune().size == 1_024


def test_whoever_writes_the_log_meanwhile_goes_on(fill, opened, database, source, clock):
    fill()
    clock.advance(366 * DAY)
    kept = opened()
    meant = prunable_records(database, LOG, YEAR, now=clock.now())
    kept.record([AuditPruned(log=LOG, size=meant.size, files=0)])
    remove_blocks(database, meant, allowed=lambda tx: True)
    size = source.bounds(LOG)[1]
    kept.record([AuditStopped()])
    kept.checkpoint()
    assert source.bounds(LOG) == (meant.size, size + 1)


def test_a_process_prunes_what_it_holds_and_what_nobody_holds(opened, database, sql):
    opened(log="remit/main", holder="here")
    opened(log="remit/joined", holder="here")
    opened(log="remit/other", holder="there")
    opened(log="remit/gone", holder="nowhere").close()
    find = partial(logs_to_prune, database)
    assert find("remit/main") == ["remit/gone", "remit/joined", "remit/main"]
    assert find("remit/other") == ["remit/gone", "remit/other"]
    assert find("remit/on-files") == ["remit/gone"]
