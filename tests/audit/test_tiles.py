import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.audit.tile_writer import TileWriter
from remit.audit.tiles import MissingHashError, Tiles
from remit_audit_verify.tiles import tile_path
from remit_audit_verify.tree import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

COUNT = 66_000
LEAVES = [hashlib.sha256(str(number).encode()).digest() for number in range(COUNT)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tiles")
    TileWriter(made).extend(LEAVES)
    return made


@pytest.fixture(scope="module")
def tiles(folder):
    return Tiles(folder, lambda first, last: LEAVES[first:last])


@pytest.mark.parametrize(
    ("index", "path"),
    [(0, "000"), (999, "999"), (1_000, "x001/000"), (1_234_067, "x001/x234/067")],
    ids=lambda value: str(value).replace("/", "-"),
)
def test_a_tile_lies_where_c2sp_says(index, path):
    assert tile_path(index) == path


def test_a_tree_of_66_000_has_the_tiles_it_must_have(folder):
    assert len([p for p in (folder / "tile/0").rglob("*") if p.is_file()]) == 257
    assert (folder / "tile/1/000").stat().st_size == 8_192
    assert [p.name for p in (folder / "tile/1/001.p").iterdir()] == ["1"]
    assert [p.name for p in (folder / "tile/2/000.p").iterdir()] == ["1"]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, COUNT])
def test_roots_are_those_of_rfc_6962(tiles, size):
    assert tiles.root(size) == (root_hash(LEAVES[:size]) if size else EMPTY_ROOT)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_every_record_is_shown_to_be_in_every_tree_that_has_it(tiles, data):
    size = data.draw(st.integers(1, COUNT))
    sequence = data.draw(st.integers(0, size - 1))
    proof = tiles.inclusion(sequence, size)
    assert verify_inclusion(LEAVES[sequence], sequence, size, proof=proof, root=tiles.root(size))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_every_tree_is_shown_to_continue_every_earlier_one(tiles, data):
    later = data.draw(st.integers(1, COUNT))
    earlier = data.draw(st.integers(1, later))
    proof = tiles.consistency(earlier, later)
    assert verify_consistency(
        earlier, later, earlier_root=tiles.root(earlier), later_root=tiles.root(later), proof=proof
    )


@given(st.integers(1, 700), st.data())
@settings(max_examples=40, deadline=None)
def test_proofs_are_byte_for_byte_those_made_from_all_leaves(tiles, size, data):
    sequence = data.draw(st.integers(0, size - 1))
    earlier = data.draw(st.integers(1, size))
    assert tiles.inclusion(sequence, size) == inclusion_proof(sequence, LEAVES[:size])
    assert tiles.consistency(earlier, size) == consistency_proof(earlier, LEAVES[:size])


@pytest.mark.parametrize("lost", ["tile/0/003", "tile/1/000", "tile/2/000.p/1"])
def test_a_tile_that_is_lost_or_cut_is_made_of_what_is_below_it(folder, tmp_path, lost):
    def records(first: int, last: int) -> list[bytes]:
        return LEAVES[first:last]

    path = folder / lost
    kept = path.read_bytes()
    for damage in (path.unlink, lambda: path.write_bytes(kept[:-1])):
        damage()
        try:
            assert Tiles(folder, records).root(COUNT) == root_hash(LEAVES)
        finally:
            path.write_bytes(kept)


def test_what_is_neither_in_a_tile_nor_in_a_record_is_not_made_up(folder):
    with pytest.raises(MissingHashError):
        Tiles(folder).root(COUNT)
    short = Tiles(folder, lambda first, last: LEAVES[first : last - 1])
    with pytest.raises(MissingHashError):
        short.root(COUNT)


@pytest.mark.parametrize(("sequence", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_there_is_no_proof_of_a_record_that_is_not_there(tiles, sequence, size):
    with pytest.raises(MissingHashError):
        tiles.inclusion(sequence, size)


@pytest.mark.parametrize(("earlier", "later"), [(0, 5), (6, 5), (-1, 3)])
def test_there_is_no_proof_that_a_tree_grew_backwards(tiles, earlier, later):
    with pytest.raises(MissingHashError):
        tiles.consistency(earlier, later)


def test_parts_of_tiles_are_those_of_smaller_trees(tiles):
    assert tiles.part(0, 0, 3) == b"".join(LEAVES[:3])
    assert tiles.part(0, 257, 100) == b"".join(LEAVES[257 * 256 : 257 * 256 + 100])
    assert tiles.part(1, 0, 2) == root_hash(LEAVES[:256]) + root_hash(LEAVES[256:512])
    with pytest.raises(MissingHashError):
        tiles.part(0, 257, 256)
