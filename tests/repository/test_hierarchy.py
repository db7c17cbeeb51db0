from hypothesis import given
from hypothesis import strategies as st

from remit.ids import ScopeName
from remit.repository.hierarchy import close, find_cycles
from remit.scopes import covers

NAMES = [ScopeName(f"s:r.{letter}") for letter in "abcdefg"]
A, B, C, D, *_ = NAMES


def test_a_scope_covers_what_its_scopes_cover() -> None:
    hierarchy = close({A: [B], B: [C], C: [], D: []})
    assert hierarchy == {A: {B, C}, B: {C}}
    assert covers(A, C, hierarchy)
    assert not covers(C, A, hierarchy)


def test_two_ways_to_one_scope_are_no_cycle() -> None:
    assert find_cycles({A: [B, C], B: [D], C: [D]}) == []


def test_a_scope_that_covers_itself_is_a_cycle() -> None:
    assert find_cycles({A: [A]}) == [(A,)]


def test_each_ring_is_found_once_and_in_its_order() -> None:
    assert find_cycles({A: [B], B: [C], C: [A], D: [A]}) == [(A, B, C)]


def test_two_rings_are_two() -> None:
    assert find_cycles({A: [B], B: [A], C: [D], D: [C]}) == [(A, B), (C, D)]


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4)))
def test_closing_is_transitive_and_a_ring_is_found_exactly_when_a_scope_is_below_itself(
    covering: dict[ScopeName, list[ScopeName]],
) -> None:
    hierarchy = close(covering)
    for upper, lower in hierarchy.items():
        assert set(covering[upper]) <= lower
        assert all(hierarchy.get(one, frozenset()) <= lower for one in lower)
    assert bool(find_cycles(covering)) == any(one in below for one, below in hierarchy.items())
