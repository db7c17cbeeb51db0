"""Everything a guard decides by travels, and nothing that it does not know."""

import dataclasses
import types
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.canonical import canonical_bytes, parse_json
from remit.guard import Standing
from remit.guard.codec import UnreadableError, from_json, to_json
from remit.model import AgentClients, ApprovalRule, Catalog, Server, Tool
from remit.testing.catalog import small_catalog

# Clients and trusted issuers hold free JSON, and are taken out of every snapshot: only empty ones travel.
NOT_TRAVELLING = {"StaticClient", "AgentClients", "Trust"}


PLAIN = {
    bool: st.booleans(),
    int: st.integers(0, 2**40),
    str: st.text(max_size=5),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
}


def without_clients(catalog: Catalog) -> Catalog:
    bare = {name: replace(one, clients=AgentClients()) for name, one in catalog.agents.items()}
    return replace(catalog, agents=MappingProxyType(bare))


def classes_of(kind, found=None):
    """Every dataclass that a `kind` can hold."""
    found = {} if found is None else found
    kind = getattr(kind, "__supertype__", kind)
    if dataclasses.is_dataclass(kind):
        if kind.__name__ in found or kind.__name__ in NOT_TRAVELLING:
            return found
        found[kind.__name__] = kind
        for one in _hints(kind).values():
            classes_of(one, found)
    for one in getattr(kind, "__args__", ()):
        classes_of(one, found)
    return found


def _hints(kind):
    import typing  # noqa: PLC0415

    return typing.get_type_hints(kind, localns={"Json": object})


def strategy(kind):
    """Any value of a `kind`, by its type."""
    kind = getattr(kind, "__supertype__", kind)
    origin, parts = getattr(kind, "__origin__", None), getattr(kind, "__args__", ())
    if isinstance(kind, types.UnionType) or str(origin) == "typing.Union":
        return st.one_of(*(strategy(one) for one in parts))
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(strategy(parts[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(strategy(one) for one in parts))
    if origin is frozenset:
        return st.frozensets(strategy(parts[0]), max_size=2)
    if origin is not None:
        return st.dictionaries(strategy(parts[0]), strategy(parts[1]), max_size=2).map(
            MappingProxyType
        )
    if dataclasses.is_dataclass(kind):
        if kind.__name__ in NOT_TRAVELLING:
            return st.just(kind())
        fields = {name: strategy(one) for name, one in _hints(kind).items()}
        return st.builds(kind, **fields)
    if kind is type(None):
        return st.none()
    if isinstance(kind, type) and hasattr(kind, "__members__"):
        return st.sampled_from(list(kind))
    return PLAIN[kind]


def test_a_whole_catalog_comes_back_as_it_was():
    catalog = without_clients(small_catalog())
    again = from_json(Catalog, parse_json(canonical_bytes(to_json(catalog))))
    assert again == catalog


@pytest.mark.parametrize("name", sorted(classes_of(Catalog)))
def test_every_field_of_every_class_of_the_catalog_comes_back(name):
    kind = classes_of(Catalog)[name]

    @given(strategy(kind))
    def comes_back(value):
        assert from_json(kind, parse_json(canonical_bytes(to_json(value)))) == value

    comes_back.hypothesis.inner_test.__name__ = f"comes_back_{name}"
    comes_back()


@given(strategy(Standing))
def test_who_may_not_act_comes_back(standing):
    assert from_json(Standing, to_json(standing)) == standing


def test_a_field_that_this_version_does_not_know_is_refused():
    written = to_json(small_catalog().guardrails)
    with pytest.raises(UnreadableError, match="does not know"):
        from_json(type(small_catalog().guardrails), {**written, "forbids_everything": True})


def test_a_field_at_its_default_does_not_travel():
    written = to_json(next(iter(small_catalog().servers.values())))
    assert "dpop_required" not in written
    assert "guard_secret" not in written


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Tool, {"$": "Server"}),
        (Tool, {"$": "Tool", "name": "x"}),
        (Tool, {"name": "x"}),
        (Tool, "x"),
        (Server, None),
        (Standing, {"$": "Standing", "as_of": True}),
        (Standing, {"$": "Standing", "as_of": 1.5}),
        (Standing, {"$": "Standing", "as_of": 1, "suspended_agents": "all"}),
        (Standing, {"$": "Standing", "as_of": 1, "revoked_tokens": [["a", 1], ["a", 2]]}),
        (Standing, {"$": "Standing", "as_of": 1, "revoked_tokens": [["a"]]}),
    ],
)
def test_what_is_of_another_type_is_refused(kind, value):
    with pytest.raises(UnreadableError):
        from_json(kind, value)


def test_a_word_that_this_version_does_not_know_is_refused():
    tool = next(iter(next(iter(small_catalog().servers.values())).tools.values()))
    with pytest.raises(UnreadableError, match="a word"):
        from_json(Tool, {**to_json(tool), "operation": "vaporise"})


def test_what_nobody_can_read_back_is_not_written():
    with pytest.raises(TypeError):
        to_json(object())


@pytest.mark.parametrize("text", ["NaN", "Infinity", "one", "", 5])
def test_what_is_no_number_is_no_amount(text):
    rule = {"$": "ApprovalRule", "name": "large", "role": "manager", "above": text}
    with pytest.raises(UnreadableError):
        from_json(ApprovalRule, rule)
