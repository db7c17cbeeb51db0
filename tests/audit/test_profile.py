"""What is written without a look at each text says the same as what is gone through one by one."""

from enum import StrEnum
from types import MappingProxyType

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.audit.entry import Moment, Producer, draft, read_entry, seal
from remit.audit.events import AuditQueried, AuditRecovered, GrantRevoked
from remit.audit.profile import STRICT, BadEntryError, plain, quickly, shape_of
from remit.clock import rfc3339_ms

NOW = 1_767_625_200_000

tame = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | tame,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(tame, inner, max_size=4)
        | st.dictionaries(tame, inner, max_size=4).map(MappingProxyType)
    ),
    max_leaves=12,
)


def of(event) -> dict:
    line = seal(
        draft(event, Producer(), Moment.of(NOW)),
        sequence=1,
        previous="0" * 64,
        observed=rfc3339_ms(NOW),
    )
    return read_entry(line)["body"]


@settings(deadline=None)
@given(st.dictionaries(tame, values, max_size=3))
def test_the_quick_way_writes_what_the_careful_one_does(query):
    event = AuditQueried(query=query)
    found = quickly(event, shape_of(AuditQueried), {"body": {"query": query}})
    careful = {"body": {"query": plain(query, 1)}}
    assert found == orjson.dumps(careful, option=STRICT)
    assert found == rfc8785.dumps(careful)


class Colour(StrEnum):
    RED = "red"


class Named(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ({"a": Colour.RED}, {"a": "red"}),
        ({"a": [Colour.RED]}, {"a": ["red"]}),
        ({"a": Named("x\ny")}, {"a": "x\ufffdy"}),
        ({"a": frozenset({"b", "a"})}, {"a": ["a", "b"]}),
        (MappingProxyType({"b": MappingProxyType({}), "a": ()}), {"a": [], "b": {}}),
        ({"a": 'quoted "text" \\ back'}, {"a": 'quoted "text" \\ back'}),
    ],
)
def test_what_is_rarer_than_plain_json_is_written_as_plain_json(query, kept):
    assert of(AuditQueried(query=query)) == {"query": kept}


@pytest.mark.parametrize(
    "event",
    [
        AuditRecovered(refused=1.5, error=""),
        AuditRecovered(refused=2**53, error=""),
        AuditRecovered(refused=1, error=b"bytes"),
        GrantRevoked(reason=float("nan")),
        AuditQueried(query={"b": [1.5], "a": 1}),
        AuditQueried(query={"b": {"c": float("inf")}}),
        AuditQueried(query={1: "a", "b": "c"}),
        AuditQueried(query=frozenset({1.5})),
    ],
    ids=range(8),
)
def test_a_value_that_no_log_may_hold_is_refused_whatever_field_it_stands_in(event):
    with pytest.raises(BadEntryError):
        of(event)


def test_a_field_that_holds_something_else_than_it_says_is_written_as_what_it_is():
    assert of(GrantRevoked(reason=("b", "a"))) == {"reason": ["b", "a"]}
    assert of(AuditRecovered(refused=True, error=Colour.RED)) == {"refused": True, "error": "red"}
