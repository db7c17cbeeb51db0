import shutil
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import FileAuditLog, StreamSettings
from remit.audit.events import AuditStopped
from remit.audit.file_source import FileSource
from remit.audit.tiled_logs import TiledLogs, TilesDisagreeError, newest_checkpoint
from remit.audit.tiles import MissingHashError
from remit.errors import NotFoundError
from remit_audit_verify.tree import verify_consistency, verify_inclusion

LOG = "remit/main"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "main"


@pytest.fixture
def log(folder):
    settings = StreamSettings(folder=folder, origin=LOG, segment_bytes=100_000)
    with closing(FileAuditLog(settings, Ed25519PrivateKey.generate())) as opened:
        yield opened


@pytest.fixture
def tiled(folder):
    return TiledLogs(FileSource(folder), lambda log: folder)


def fill(log: FileAuditLog, count: int) -> None:
    for _ in range(count // 100):
        log.record([AuditStopped()] * 100)
    log.checkpoint()


def test_what_is_signed_is_in_tiles_and_what_is_not_is_not(log, tiled, folder):
    fill(log, 900)
    log.record([AuditStopped()] * 200)
    while tiled.advance(LOG):
        pass
    assert [path.name for path in sorted((folder / "tile/0").iterdir())] == ["000", "001", "002"]
    assert tiled.make_safe(LOG) == 768


def test_proofs_hold_against_the_signed_root_at_every_step(log, tiled):
    earlier = None
    for _ in range(3):
        fill(log, 700)
        tiled.advance(LOG)
        signed = tiled.checkpoint(LOG)
        tiles = tiled.tiles(LOG)
        for sequence in (0, 255, 256, signed.size - 1):
            leaf = tiles.part(0, sequence // 256, sequence % 256 + 1)[-32:]
            proof = tiles.inclusion(sequence, signed.size)
            assert verify_inclusion(leaf, sequence, signed.size, proof=proof, root=signed.root)
        if earlier is not None:
            assert verify_consistency(
                earlier.size,
                signed.size,
                earlier_root=earlier.root,
                later_root=signed.root,
                proof=tiles.consistency(earlier.size, signed.size),
            )
        earlier = signed


def test_proofs_need_no_tiles_while_the_records_are_there(log, tiled):
    fill(log, 600)
    signed = tiled.checkpoint(LOG)
    assert tiled.tiles(LOG).root(signed.size) == signed.root


def test_proofs_need_no_records_that_are_in_tiles(log, tiled, folder):
    fill(log, 2_000)
    while tiled.advance(LOG):
        pass
    segments = sorted(folder.glob("*.jsonl"))
    assert len(segments) > 2
    segments[0].unlink()
    signed = tiled.checkpoint(LOG)
    again = TiledLogs(FileSource(folder), lambda log: folder)
    assert again.tiles(LOG).root(signed.size) == signed.root


def test_tiles_that_disagree_with_what_is_signed_are_told(log, tiled, folder):
    fill(log, 600)
    tiled.advance(LOG)
    path = folder / "tile/0/000"
    path.write_bytes(b"\0" * 32 + path.read_bytes()[32:])
    (folder / "tile/1/000.p/2").unlink()
    fill(log, 600)
    with pytest.raises(TilesDisagreeError):
        TiledLogs(FileSource(folder), lambda log: folder).advance(LOG)


def test_a_log_without_a_checkpoint_has_no_tiles(folder):
    folder.mkdir()
    (folder / "log.pub").write_text(
        "remit/main+42c3fe4c+AQdFbjrlBMAAlWSJMn6LhyBPmXYyQ2hbgmJPWvTtYJ7k\n"
    )
    tiled = TiledLogs(FileSource(folder), lambda log: folder)
    for name in tiled.logs():
        assert newest_checkpoint(FileSource(folder), name) is None
        assert not tiled.advance(name)


def test_a_log_that_is_not_there_is_not_found(folder):
    tiled = TiledLogs(FileSource(folder), lambda log: folder)
    with pytest.raises(NotFoundError):
        tiled.advance("remit/other")


def test_records_that_are_gone_are_not_made_up(log, folder, tmp_path):
    fill(log, 600)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for path in copy.glob("*.jsonl"):
        path.write_bytes(b"")
    with pytest.raises(MissingHashError):
        TiledLogs(FileSource(copy), lambda log: copy).advance(LOG)
