from remit.registry.schema_cost import MOST_CHECKS, is_too_costly

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
