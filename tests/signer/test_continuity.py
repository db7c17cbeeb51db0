import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.signer.continuity import continued
from remit.signer.errors import NotContinuedError
from remit_audit_verify.tree import Frontier, root_hash


def leaves(count: int, *, salt: str = "") -> list[bytes]:
    return [hashlib.sha256(f"{salt}{number}".encode()).digest() for number in range(count)]


def tree(of: list[bytes]) -> Frontier:
    grown = Frontier()
    for leaf in of:
        grown.append(leaf)
    return grown


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_a_log_that_only_grew_is_continued_wherever_it_begins_to_tell(before, signed, more):
    signed += before
    all_of_it = leaves(signed + more)
    grown = continued(tree(all_of_it[:signed]), tree(all_of_it[:before]), all_of_it[before:])
    assert (grown.size, grown.root()) == (len(all_of_it), root_hash(all_of_it))


@given(st.integers(1, 40), st.data())
def test_a_log_with_one_record_less_than_was_signed_was_set_back(signed, data):
    before = data.draw(st.integers(0, signed - 1))
    kept = leaves(signed)
    with pytest.raises(NotContinuedError, match="set back"):
        continued(tree(kept), tree(kept[:before]), kept[before : signed - 1])


@given(st.integers(1, 40), st.data())
def test_a_log_that_is_another_in_one_record_that_was_signed_is_refused(signed, data):
    kept = leaves(signed + 3)
    changed = kept.copy()
    changed[data.draw(st.integers(0, signed - 1))] = b"\1" * 32
    before = data.draw(st.integers(0, signed))
    with pytest.raises(NotContinuedError, match="not those that were signed"):
        continued(tree(kept[:signed]), tree(changed[:before]), changed[before:])


def test_a_checkpoint_over_records_that_nobody_counted_is_refused():
    kept = leaves(9)
    with pytest.raises(NotContinuedError, match="only 5 are"):
        continued(tree(kept[:5]), tree(kept[:7]), kept[7:])
