import hashlib
import shutil

import pytest

from remit.audit.tile_writer import TileWriter
from remit.audit.tiles import Tiles
from remit_audit_verify.tree import root_hash

LEAVES = [hashlib.sha256(str(number).encode()).digest() for number in range(66_000)]


def tree_of(folder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_only_full_tiles_are_written_at_the_first_level(tmp_path):
    writer = TileWriter(tmp_path)
    assert writer.extend(LEAVES[:255]) == 0
    assert tree_of(tmp_path) == {}
    assert writer.extend(LEAVES[:257]) == 256
    assert set(tree_of(tmp_path)) == {"tile/0/000", "tile/1/000.p/1"}


def test_it_goes_on_where_it_was_whoever_writes(tmp_path):
    at = 0
    for size in (300, 300, 5_000, 40_000, 65_535, 65_536, 66_000):
        at = TileWriter(tmp_path / "often").extend(LEAVES[at:size])
    TileWriter(tmp_path / "once").extend(LEAVES)
    assert tree_of(tmp_path / "often") == tree_of(tmp_path / "once")


@pytest.mark.parametrize(
    "lost",
    ["tile/0/256", "tile/1/000", "tile/1/001.p", "tile/2", "tile/1"],
    ids=lambda lost: lost.replace("/", "-"),
)
def test_what_a_crash_left_out_is_written_again(tmp_path, lost):
    TileWriter(tmp_path).extend(LEAVES)
    whole = tree_of(tmp_path)
    path = tmp_path / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    writer = TileWriter(tmp_path)
    writer.extend(LEAVES[writer.covered :])
    assert tree_of(tmp_path) == whole


@pytest.mark.parametrize("left", [b"", b"x" * 100], ids=["empty", "torn"])
def test_a_torn_last_tile_is_not_counted(tmp_path, left):
    TileWriter(tmp_path).extend(LEAVES[:1_024])
    (tmp_path / "tile/0/003").write_bytes(left)
    writer = TileWriter(tmp_path)
    assert writer.covered == 768
    writer.extend(LEAVES[768:1_024])
    assert Tiles(tmp_path).root(1_024) == root_hash(LEAVES[:1_024])


def test_tiles_can_be_made_safe(tmp_path):
    writer = TileWriter(tmp_path)
    writer.make_safe()
    writer.extend(LEAVES[:1_000])
    writer.make_safe()
    writer.make_safe()
    assert writer.covered == 768


def test_nobody_else_reads_tiles(tmp_path):
    TileWriter(tmp_path).extend(LEAVES[:600])
    files = [path for path in (tmp_path / "tile").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
