import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.api.paging import Paged, cursor_of, page_of, place_of
from remit.api.problems import BadRequestError


@given(st.sets(st.integers(0, 99)), st.integers(1, 7))
def test_pages_together_are_the_list_each_item_once(items, limit):
    found, cursor = [], None
    while True:
        page, cursor = page_of(items, Paged(limit=limit, cursor=cursor), place=lambda one: (one,))
        assert len(page) <= limit
        found += page
        if cursor is None:
            break
    assert found == sorted(items)


def test_what_is_added_before_the_cursor_shifts_nothing():
    page, cursor = page_of([2, 4, 6], Paged(limit=2), place=lambda one: (one,))
    rest, _ = page_of([1, 2, 3, 4, 6], Paged(limit=2, cursor=cursor), place=lambda one: (one,))
    assert (page, rest) == ([2, 4], [6])


@pytest.mark.parametrize("cursor", ["!", "e30", "", "AA", cursor_of(("a",)), cursor_of((1, 2))])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor):
    with pytest.raises(BadRequestError):
        place_of(cursor, like=(1,))
