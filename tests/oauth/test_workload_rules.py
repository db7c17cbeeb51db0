"""Which rule knows a workload: exact values, one way to find each claim, the first that matches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.model import WorkloadRule
from remit.oauth.assertions.workload_rules import matching_rule

texts = st.text(max_size=12)


def rule(name="r", **claims):
    return WorkloadRule(
        name=name,
        claims={
            key: (value,) if isinstance(value, str) else value for key, value in claims.items()
        },
        agent="a",
        servers=("s",),
    )


def matches(claims, **wanted):
    return matching_rule([rule(**wanted)], claims) is not None


@given(texts, texts)
def test_without_a_star_values_are_equal_or_do_not_match(value, wanted):
    if not wanted.endswith("*"):
        assert matches({"c": value}, c=wanted) is (value == wanted)


@given(texts, texts)
def test_a_star_matches_what_begins_with_the_rest_and_nothing_else(value, stem):
    assert matches({"c": value}, c=stem + "*") is value.startswith(stem)


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("repo:acme/shop", "repo:acme/*", True),
        ("repo:acme-evil/shop", "repo:acme/*", False),
        ("repo:acme/shop", "repo:acme/shop*", True),
        ("repo:acme/shop-evil", "repo:acme/shop", False),
        ("acme", "a*e", False),
        ("a*e", "a*e", True),
        ("acme", "?cme", False),
        ("acme", ".*", False),
        ("", "*", True),
        (65, "65", True),
        (-1, "-1", True),
        (True, "true", True),
        (False, "false", True),
        (1, "true", False),
        (True, "1", False),
        (65.0, "65", False),
        (None, "null", False),
        (["acme"], "acme", False),
        ({"acme": 1}, "acme", False),
    ],
)
def test_what_a_value_matches(value, wanted, expected):
    assert matches({"c": value}, c=wanted) is expected


def test_every_claim_has_to_match_and_any_of_its_values_may():
    wanted = {"a": ("1", "2"), "b": ("3",)}
    assert matches({"a": "2", "b": "3"}, **wanted)
    assert not matches({"a": "2", "b": "4"}, **wanted)
    assert not matches({"a": "2"}, **wanted)
    assert not matches({}, **wanted)


def test_a_rule_without_claims_or_values_knows_nobody():
    assert not matches({"a": "1"})
    assert not matches({"a": "1"}, a=())


def test_the_first_rule_that_matches_decides():
    rules = [rule("x", a="1"), rule("y", a="*"), rule("z", a="*")]
    assert matching_rule(rules, {"a": "1"}).name == "x"
    assert matching_rule(rules, {"a": "2"}).name == "y"
    assert matching_rule([], {"a": "2"}) is None


NESTED = {"kubernetes.io": {"namespace": "billing", "serviceaccount": {"name": "job"}}}


@pytest.mark.parametrize(
    ("claims", "name", "expected"),
    [
        (NESTED, "kubernetes.io.namespace", True),
        ({"kubernetes.io.namespace": "billing"}, "kubernetes.io.namespace", True),
        ({"kubernetes": {"io": {"namespace": "billing"}}}, "kubernetes.io.namespace", True),
        ({"kubernetes": {"io.namespace": "billing"}}, "kubernetes.io.namespace", True),
        ({**NESTED, "kubernetes.io.namespace": "billing"}, "kubernetes.io.namespace", False),
        ({**NESTED, "kubernetes.io.namespace": "other"}, "kubernetes.io.namespace", False),
        (
            {**NESTED, "kubernetes": {"io": {"namespace": "billing"}}},
            "kubernetes.io.namespace",
            False,
        ),
        (NESTED, "namespace", False),
        (NESTED, "kubernetes.io", False),
        (NESTED, "kubernetes.io.", False),
        (NESTED, ".kubernetes.io.namespace", False),
        ({"a": ["billing"]}, "a.0", False),
    ],
)
def test_a_dotted_name_reaches_into_objects_if_there_is_one_way(claims, name, expected):
    assert matches(claims, **{name: "billing"}) is expected


@given(st.recursive(texts | st.none() | st.integers() | st.booleans(),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)))  # fmt: skip
def test_no_shape_of_claims_is_too_much(value):
    matches({"a": value}, **{"a.b.c": "x", "a": "y*"})
