import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit_audit_verify.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and the roots that every implementation of RFC 6962 tests itself with.
VECTOR_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

counts = st.integers(min_value=1, max_value=130)


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(n).encode()) for n in range(count)]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """MTH exactly as RFC 6962 §2.1 defines it, slowly: what the fast one is held to."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = root_by_definition(leaves[:split]), root_by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_the_root_of_an_empty_tree_is_the_hash_of_nothing():
    assert Frontier().root() == EMPTY_ROOT == hashlib.sha256().digest()


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_published_vectors(count):
    leaves = [leaf_hash(leaf) for leaf in VECTOR_LEAVES[:count]]
    assert root_hash(leaves).hex() == VECTOR_ROOTS[count - 1]


def test_inclusion_proof_is_that_of_the_published_vectors():
    leaves = [leaf_hash(leaf) for leaf in VECTOR_LEAVES]
    assert [node.hex() for node in inclusion_proof(5, leaves)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_consistency_proof_is_that_of_the_published_vectors():
    leaves = [leaf_hash(leaf) for leaf in VECTOR_LEAVES]
    assert [node.hex() for node in consistency_proof(6, leaves)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@settings(deadline=None)
@given(counts)
def test_a_tree_grown_leaf_by_leaf_has_the_root_that_the_definition_gives(count):
    assert root_hash(leaves_of(count)) == root_by_definition(leaves_of(count))


@settings(deadline=None)
@given(counts, st.data())
def test_every_leaf_is_proved_and_no_other_leaf_place_or_root_is(count, data):
    leaves = leaves_of(count)
    index = data.draw(st.integers(0, count - 1))
    root, proof = root_hash(leaves), inclusion_proof(index, leaves)
    assert verify_inclusion(leaves[index], index, count, proof=proof, root=root)
    assert not verify_inclusion(leaf_hash(b"other"), index, count, proof=proof, root=root)
    assert not verify_inclusion(leaves[index], index, count, proof=proof, root=bytes(32))
    assert not verify_inclusion(leaves[index], index, count, proof=[*proof, bytes(32)], root=root)
    if proof:
        assert not verify_inclusion(leaves[index], index, count, proof=proof[:-1], root=root)
        other = data.draw(st.integers(0, count - 1).filter(lambda n: n != index))
        assert not verify_inclusion(leaves[index], other, count, proof=proof, root=root)


@settings(deadline=None)
@given(counts, st.data())
def test_every_earlier_tree_is_proved_a_prefix_and_no_other_tree_is(count, data):
    leaves = leaves_of(count)
    earlier = data.draw(st.integers(1, count))
    roots = {"earlier_root": root_hash(leaves[:earlier]), "later_root": root_hash(leaves)}
    proof = consistency_proof(earlier, leaves)
    assert verify_consistency(earlier, count, proof=proof, **roots)
    assert not verify_consistency(earlier, count, proof=[*proof, bytes(32)], **roots)
    forged = {**roots, "earlier_root": root_hash([leaf_hash(b"other"), *leaves[1:earlier]])}
    assert not verify_consistency(earlier, count, proof=proof, **forged)
    forged = {**roots, "later_root": root_hash([leaf_hash(b"other"), *leaves[1:]])}
    assert not verify_consistency(earlier, count, proof=proof, **forged)
    if proof:
        assert not verify_consistency(earlier, count, proof=proof[:-1], **roots)


@settings(deadline=None)
@given(counts, st.integers(0, 130))
def test_a_tree_goes_on_from_its_frontier(first, second):
    leaves = leaves_of(first + second)
    begun = Frontier()
    for leaf in leaves[:first]:
        begun.append(leaf)
    resumed = Frontier(begun.size, begun.nodes.copy())
    for leaf in leaves[first:]:
        resumed.append(leaf)
    assert resumed.root() == root_hash(leaves)
    assert begun.size == first


def test_a_copy_grows_on_its_own():
    tree = Frontier()
    tree.append(leaf_hash(b"0"))
    copied = tree.copy()
    copied.append(leaf_hash(b"1"))
    assert (tree.size, copied.size) == (1, 2)
    assert tree.root() == leaf_hash(b"0")


@pytest.mark.parametrize(("size", "nodes"), [(1, 0), (3, 1), (4, 2), (-1, 0)])
def test_a_frontier_with_another_number_of_nodes_than_its_size_has_is_refused(size, nodes):
    with pytest.raises(ValueError, match="frontier"):
        Frontier(size, [bytes(32)] * nodes)


@pytest.mark.parametrize("index", [-1, 3])
def test_no_inclusion_proof_is_made_for_a_leaf_that_is_not_there(index):
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, leaves_of(3))


@pytest.mark.parametrize("earlier", [0, 4])
def test_no_consistency_proof_is_made_for_a_size_the_tree_never_had(earlier):
    with pytest.raises(ValueError, match="no tree"):
        consistency_proof(earlier, leaves_of(3))


def test_sizes_and_places_outside_the_tree_are_not_proved():
    leaves = leaves_of(4)
    root = root_hash(leaves)
    assert not verify_inclusion(leaves[0], -1, 4, proof=inclusion_proof(0, leaves), root=root)
    assert not verify_inclusion(leaves[0], 4, 4, proof=inclusion_proof(0, leaves), root=root)
    assert not verify_consistency(0, 4, earlier_root=EMPTY_ROOT, later_root=root, proof=[])
    assert not verify_consistency(5, 4, earlier_root=root, later_root=root, proof=[])
    assert not verify_consistency(3, 4, earlier_root=root, later_root=root, proof=[])
