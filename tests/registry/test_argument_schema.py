import pytest

from remit.registry.argument_schema import argument_check

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
        "when": {"type": "string", "format": "date"},
    },
    "required": ["name"],
    "additionalProperties": False,
}
UNUSABLE = "the schema of the tool cannot be used to check arguments"


@pytest.mark.parametrize(
    "arguments",
    [{"name": "ida"}, {"name": "ida", "tags": ["a"]}, {"name": "ida", "when": "no date"}],
    ids=["least", "more", "formats-are-not-asserted"],
)
def test_arguments_that_fit_pass(arguments):
    assert argument_check(PERSON)(arguments) is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"name": "secret-value"}, "argument `/name` must fit the rule `maxLength` of the tool's schema"),
        ({"name": 7}, "argument `/name` must fit the rule `type` of the tool's schema"),
        ({"name": "ida", "tags": ["z"]}, "argument `/tags/0` must fit the rule `enum` of the tool's schema"),
        ({}, "argument `/name` is missing"),
        (None, "argument `/name` is missing"),
        (["name"], "the arguments must be an object"),
        (
            {"name": "ida", "secret-value": 1},
            "the arguments must fit the rule `additionalProperties` of the tool's schema",
        ),
    ],
    ids=["long", "type", "within", "missing", "none", "list", "unknown"],
)  # fmt: skip
def test_what_is_wrong_is_told_by_place_and_rule_and_never_by_value(arguments, told):
    assert argument_check(PERSON)(arguments) == told
    assert "secret-value" not in told


def test_a_name_of_the_callers_cannot_break_a_line():
    check = argument_check({"additionalProperties": {"type": "integer"}})
    told = check({"a`\n\u202e/~": "x"})
    assert told is not None
    assert told.isprintable()
    assert told.startswith("argument `/a???~1~0`")


@pytest.mark.parametrize(("arguments", "fits"), [({"a": 1}, True), (None, True), ([], False)])
def test_without_a_schema_any_object_will_do(arguments, fits):
    assert (argument_check(None)(arguments) is None) is fits


def doubling(depth: int) -> dict:
    defs = {
        f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}, {"$ref": f"#/$defs/a{i + 1}"}]}
        for i in range(depth)
    }
    return {"$defs": defs | {f"a{depth}": {"type": "integer"}}, "$ref": "#/$defs/a0"}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/schema"},
        {"$ref": "file:///etc/passwd"},
        {"$id": "https://evil.example/s", "properties": {"a": {"$ref": "other"}}},
        {"$ref": "#/nowhere"},
        {"$schema": "https://evil.example/dialect"},
        {"type": "nonsense"},
        {"properties": {"a": {"pattern": "(a{1000}){1000}"}}},
        doubling(60),
        "no schema",
        True,
    ],
    ids=["remote", "file", "relative", "pointer", "dialect", "type", "regex", "doubling", "text", "bool"],
)  # fmt: skip
def test_a_schema_that_cannot_be_used_takes_no_arguments(schema):
    assert argument_check(schema)({}) == UNUSABLE


def test_a_schema_nested_beyond_reason_takes_no_arguments():
    schema: dict = {"type": "string"}
    for _ in range(3_000):
        schema = {"anyOf": [schema]}
    assert argument_check(schema)({}) == UNUSABLE


def test_a_pattern_that_would_go_back_for_ever_ends():
    check = argument_check({"properties": {"a": {"pattern": "^(a+)+$"}}})
    assert check({"a": "a" * 100_000}) is None
    assert check({"a": "a" * 100_000 + "!"}) is not None
    backwards = argument_check({"properties": {"a": {"pattern": "^(?=(a+)+b)(a|a)*$"}}})
    assert backwards({"a": "a" * 60}) is not None


def test_a_pattern_that_looks_ahead_is_understood():
    check = argument_check({"properties": {"a": {"pattern": "^(?!x)"}}})
    assert check({"a": "y"}) is None
    assert check({"a": "x"}) is not None


def test_a_schema_that_refers_to_itself_is_followed_as_deep_as_the_arguments():
    tree = {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"left": {"$ref": "#/$defs/node"}, "right": {"$ref": "#/$defs/node"}},
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    }
    check = argument_check(tree)
    assert check({"left": {"right": {}}}) is None
    assert check({"left": {"right": {"up": 1}}}) is not None
    assert argument_check({"$ref": "#"})({}) is None


def test_another_dialect_is_taken_at_its_word():
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"q": {"type": "string"}},
        "properties": {"q": {"$ref": "#/definitions/q"}},
    }
    assert argument_check(schema)({"q": "x"}) is None
    assert argument_check(schema)({"q": 1}) is not None


def deep(value: dict, depth: int) -> dict:
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("rule", ["oneOf", "anyOf"])
def test_what_is_wrong_deep_in_a_schema_that_refers_to_itself_is_found_at_once(rule):
    branches = [
        {"properties": {"k": {"const": number}, "a": {"$ref": "#/$defs/n"}}} for number in (1, 2)
    ]
    check = argument_check({"$defs": {"n": {rule: branches}}, "$ref": "#/$defs/n"})
    assert check(deep({"k": 3}, 60)) == "the arguments do not fit the schema of the tool"


def test_more_arguments_than_a_large_schema_can_be_held_against_are_refused():
    defs = doubling(14)["$defs"]
    check = argument_check({"$defs": defs, "properties": {"x": {"items": {"$ref": "#/$defs/a0"}}}})
    assert check({"x": [1] * 10}) is None
    assert check({"x": [1] * 20_000}) == (
        "the arguments are too many to be checked against the schema of the tool"
    )


def test_one_pattern_that_looks_ahead_does_not_make_a_large_schema_a_narrow_one():
    properties = {f"p{number}": {"type": "string"} for number in range(500)}
    check = argument_check({"properties": {**properties, "p0": {"pattern": "^(?!x)"}}})
    assert check({f"p{number}": "y" for number in range(500)}) is None
    assert check({"p0": "x"}) is not None


def test_many_patterns_that_look_ahead_are_held_against_few_texts():
    each = {"allOf": [{"pattern": f"^(?!x)(a|a)*{number}$"} for number in range(1_000)]}
    check = argument_check({"properties": {"x": {"items": {"not": each}}}})
    assert check({"x": ["y"]}) is None
    assert "too many" in str(check({"x": ["y"] * 100}))
