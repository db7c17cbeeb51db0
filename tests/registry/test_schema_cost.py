import pytest

from remit.registry.schema_cost import MOST_CHECKS, Cost, cost_of, is_too_costly

from .test_argument_schema import doubling


def test_a_schema_of_many_properties_is_not_costly():
    assert not is_too_costly({"properties": {f"p{i}": {"type": "string"} for i in range(5_000)}})


def test_references_that_multiply_are():
    assert not is_too_costly(doubling(10))
    assert is_too_costly(doubling(20))


def test_nesting_multiplies_as_well():
    schema: dict = {"type": "string"}
    for _ in range(20):
        schema = {"allOf": [schema, schema]}
    assert is_too_costly(schema)


def test_a_reference_that_leads_back_is_counted_once():
    assert not is_too_costly({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}})


def test_what_only_stands_there_to_be_compared_is_no_schema():
    assert not is_too_costly({"enum": [[0] * MOST_CHECKS, {"x": [1] * MOST_CHECKS}]})


def test_a_reference_to_nothing_costs_nothing():
    assert not is_too_costly({"$ref": "#/a/0/b", "a": [[1]]})
    assert not is_too_costly({"$ref": "#/a~1b/7", "a/b": [1]})


def chain(depth: int, *, place, reference) -> dict:
    """Definitions that each name the next one twice; `place` dresses one, `reference` names one."""
    defs = {
        f"a{i}": place(i, {"allOf": [{"$ref": reference(i + 1)}, {"$ref": reference(i + 1)}]})
        for i in range(depth)
    }
    return {"$defs": defs | {f"a{depth}": place(depth, {"type": "object"})}}


def anchored(number: int, schema: dict) -> dict:
    return {"$anchor": f"a{number}", **schema}


def identified(number: int, schema: dict) -> dict:
    return {"$id": f"http://x/a{number}", **schema}


def plain(_: int, schema: dict) -> dict:
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        chain(30, place=anchored, reference=lambda i: f"#a{i}") | {"$ref": "#a0"},
        chain(30, place=identified, reference=lambda i: f"http://x/a{i}") | {"$ref": "http://x/a0"},
        chain(30, place=plain, reference=lambda i: f"http://x/r#/$defs/a{i}")
        | {"$id": "http://x/r", "$ref": "#/$defs/a0"},
        chain(30, place=plain, reference=lambda i: f"#/$defs/a{i}")
        | {"properties": {"default": {"$ref": "#/$defs/a0"}}},
        chain(30, place=plain, reference=lambda i: f"#/$defs/a{i}")
        | {"patternProperties": {"enum": {"$ref": "#/$defs/a0"}}},
    ],
    ids=["anchor", "identifier", "address", "property-default", "pattern-enum"],
)
def test_references_that_multiply_are_found_however_they_are_spelt(schema):
    assert is_too_costly(schema)


def test_names_of_properties_are_no_keywords():
    names = {"$id": {"type": "string"}, "$ref": {"type": "string"}, "$anchor": {"type": "string"}}
    assert not is_too_costly({"$id": "http://x/r", "properties": names})
    assert not is_too_costly(
        {"default": {"$id": "x"}, "properties": {"a": {"const": {"$id": "x"}}}}
    )


def test_an_anchor_is_no_more_than_what_it_names():
    schema = {
        "$defs": {"a": {"$anchor": "a", "type": "string"}},
        "properties": {"x": {"$ref": "#a"}},
    }
    assert cost_of(schema) == Cost(5, leads_back=False)


@pytest.mark.parametrize("reference", ["#", "#/properties/a", "#here"])
def test_whether_a_reference_leads_back_is_known(reference):
    cost = cost_of(
        {"$anchor": "here", "properties": {"a": {"properties": {"b": {"$ref": reference}}}}}
    )
    assert cost is not None
    assert cost.leads_back
