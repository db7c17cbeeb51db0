import random
from hashlib import sha256

import pytest

from remit_audit_verify.tiles import (
    MissingTileError,
    Tiles,
    consistency_ranges,
    entry_bundles,
    path_ranges,
    read_bundle,
    tile_path,
)
from remit_audit_verify.tree import consistency_proof, inclusion_proof, root_hash, verify_inclusion

SIZES = (1, 2, 255, 256, 257, 300, 511, 512, 700, 1_025)


@pytest.mark.parametrize(
    ("index", "path"),
    [(0, "000"), (7, "007"), (999, "999"), (1_000, "x001/000"), (1_234_067, "x001/x234/067")],
)
def test_tiles_are_called_as_the_specification_calls_them(index, path):
    assert tile_path(index) == path


@pytest.fixture(scope="module")
def tiled(tmp_path_factory):
    leaves = [sha256(str(n).encode()).digest() for n in range(66_000)]
    folder = tmp_path_factory.mktemp("tiled")
    level, row = 0, leaves
    while row:
        for at in range(0, len(row), 256):
            hashes = row[at : at + 256]
            name = tile_path(at // 256) + ("" if len(hashes) == 256 else f".p/{len(hashes)}")
            path = folder / "tile" / str(level) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(hashes))
        full = len(row) // 256
        row = [root_hash(row[n * 256 : n * 256 + 256]) for n in range(full)]
        level += 1
    assert level == 3
    return folder, leaves


@pytest.mark.parametrize("size", [*SIZES, 65_536, 65_537, 66_000])
def test_the_tree_of_every_size_is_in_its_tiles(tiled, size):
    folder, leaves = tiled
    assert Tiles(folder).frontier(size).root() == root_hash(leaves[:size])


@pytest.mark.parametrize("size", [*SIZES, 65_535, 65_536, 65_537, 66_000])
def test_an_audit_path_is_in_tiles(tiled, size):
    folder, leaves = tiled
    root, tiles, seed = root_hash(leaves[:size]), Tiles(folder), random.Random(size)
    for index in {0, size // 2, size - 1, *(seed.randrange(size) for _ in range(10))}:
        path = tiles.inclusion(index, size)
        assert verify_inclusion(leaves[index], index, size, proof=path, root=root)
        assert (
            not verify_inclusion(leaves[index - 1], index, size, proof=path, root=root) or size == 1
        )


@pytest.mark.parametrize("size", SIZES)
def test_the_ranges_of_a_path_are_those_of_the_proof(size):
    leaves = [bytes([n % 251]) * 32 for n in range(size)]
    for index in {0, size // 2, size - 1}:
        found = [root_hash(leaves[a:b]) for a, b in path_ranges(index, size)]
        assert found == inclusion_proof(index, leaves)


@pytest.mark.parametrize("size", SIZES)
def test_the_ranges_of_a_consistency_proof_are_those_of_the_proof(size):
    leaves = [bytes([n % 251]) * 32 for n in range(size)]
    for earlier in {1, size // 3 + 1, size // 2 + 1, max(1, size - 1), size}:
        found = [root_hash(leaves[a:b]) for a, b in consistency_ranges(earlier, size)]
        assert found == consistency_proof(earlier, leaves)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (65_999, 66_001)])
def test_what_is_not_in_the_log_has_no_path(tiled, index, size):
    with pytest.raises(MissingTileError):
        Tiles(tiled[0]).inclusion(index, size)


def test_a_tile_of_another_length_is_none(tmp_path):
    path = tmp_path / "tile" / "0" / "000"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(8_191))
    with pytest.raises(MissingTileError, match="records 0 to 1 are missing"):
        Tiles(tmp_path).frontier(3)
    path.unlink()
    (tmp_path / "tile" / "0" / "000.p").mkdir()
    (tmp_path / "tile" / "0" / "000.p" / "3").write_bytes(bytes(95))
    with pytest.raises(MissingTileError, match="records 0 to 1 are missing"):
        Tiles(tmp_path).frontier(3)
    made = Tiles(tmp_path, lambda first, last: [bytes(32)] * (last - first))
    assert made.frontier(3).size == 3


def test_no_tile_has_a_negative_number():
    with pytest.raises(ValueError, match="no tile -1"):
        tile_path(-1)


def test_of_partial_tiles_the_widest_counts(tmp_path):
    folder = tmp_path / "tile" / "0" / "000.p"
    folder.mkdir(parents=True)
    for width in (3, 100, 20):
        (folder / str(width)).write_bytes(bytes(32 * width))
    for name in ("nonsense", "0", "0120", "1000", "٣", "9" * 200):
        (folder / name).touch()
    assert len(Tiles(tmp_path).hashes(0, 0)) == 3_200


def test_bundles_of_entries_are_found_in_order_the_widest_of_each(tmp_path):
    for name in (
        "x001/000",
        "000",
        "001",
        "x001/001.p/7",
        "x001/001.p/12",
        "x001/000.p/3",
        "other",
    ):
        path = tmp_path / "tile" / "entries" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = [(first, path.name) for first, path in entry_bundles(tmp_path)]
    assert found == [(0, "000"), (256, "001"), (256_000, "000"), (256_256, "12")]
    assert entry_bundles(tmp_path / "nowhere") == []


def test_entries_are_read_by_their_lengths(tmp_path):
    path = tmp_path / "bundle"
    path.write_bytes(b"\0\3one\0\0\0\5three\0\4cu")
    assert list(read_bundle(path)) == [
        (b"one", True),
        (b"", True),
        (b"three", True),
        (b"cu", False),
    ]
    path.write_bytes(b"\0")
    assert list(read_bundle(path)) == [(b"", False)]
