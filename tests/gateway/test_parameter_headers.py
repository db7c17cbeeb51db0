"""Arguments that travel in headers too, held against the official implementation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.inbound import find_invalid_x_mcp_header, validate_mcp_param_headers

from remit.gateway.http import Headers
from remit.gateway.parameter_headers import ToolSchemas, check_parameter_headers, mirrored_arguments
from remit.gateway.rejection import RejectedError

SCHEMA = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        "deep": {
            "type": "object",
            "properties": {"er": {"type": "string", "x-mcp-header": "Deeper"}},
        },
    },
}
HEADERS = {"region": "mcp-param-region", "count": "mcp-param-count", "dry": "mcp-param-dry"}


def refused(arguments, headers):
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    try:
        check_parameter_headers(mirrored_arguments(SCHEMA), arguments, Headers(lines))
    except RejectedError as rejected:
        return rejected.rpc_code == -32020
    return False


VALUES = st.one_of(
    st.none(),
    st.sampled_from(
        ["eu", "=?base64?ZXU=?=", "42", "42.0", "true", "caf\u00e9", 42, 42.0, 43, True, [], {}]
    ),
)
SENT = st.sampled_from(
    [
        "eu",
        "=?base64?ZXU=?=",
        "=?base64?Y2Fmw6k=?=",
        "=?base64?!?=",
        "42",
        "42.0",
        "43",
        "true",
        "True",
        "4e1",
    ]
)


@given(
    st.dictionaries(st.sampled_from(sorted(HEADERS)), VALUES),
    st.dictionaries(st.sampled_from(sorted(HEADERS.values())), SENT),
)
def test_both_implementations_refuse_the_same(arguments, headers):
    official = validate_mcp_param_headers(SCHEMA, arguments, headers) is not None
    assert refused(arguments, headers) == official


@pytest.mark.parametrize(
    ("arguments", "headers", "expected"),
    [
        ({"deep": {"er": "x"}}, {"mcp-param-deeper": "x"}, False),
        ({"deep": {"er": "x"}}, {}, True),
        ({"deep": "x"}, {}, False),
        ({"deep": "x"}, {"mcp-param-deeper": "x"}, True),
        (None, {}, False),
        (None, {"mcp-param-region": "eu"}, True),
        ({}, {"mcp-param-unknown": "passed on"}, False),
    ],
)
def test_present_together_and_equal_or_absent_together(arguments, headers, expected):
    assert refused(arguments, headers) is expected


INVALID = {
    "at the root": {"x-mcp-header": "A"},
    "in an array": {
        "properties": {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}}
    },
    "in a choice": {"anyOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]},
    "in a definition": {"$defs": {"a": {"type": "string", "x-mcp-header": "A"}}},
    "on a number": {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}},
    "on several types": {"properties": {"a": {"type": ["string"], "x-mcp-header": "A"}}},
    "no token": {"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}},
    "empty": {"properties": {"a": {"type": "string", "x-mcp-header": ""}}},
    "no string": {"properties": {"a": {"type": "string", "x-mcp-header": 1}}},
    "twice": {
        "properties": {
            "a": {"type": "string", "x-mcp-header": "A"},
            "b": {"type": "string", "x-mcp-header": "a"},
        }
    },
}


@pytest.mark.parametrize("schema", INVALID.values(), ids=INVALID)
def test_a_schema_with_an_invalid_annotation_declares_nothing(schema):
    assert find_invalid_x_mcp_header(schema) is not None
    assert mirrored_arguments(schema) == ()


@pytest.mark.parametrize("schema", [None, 1, [], {}, {"default": {"x-mcp-header": "A"}}])
def test_a_schema_without_annotations_declares_nothing(schema):
    assert mirrored_arguments(schema) == ()


def test_the_newest_list_is_believed_and_the_oldest_tool_forgotten():
    schemas = ToolSchemas(capacity=1)
    schemas.learn([{"name": "a", "inputSchema": SCHEMA}])
    assert len(schemas.mirrored("a")) == 4
    schemas.learn([{"name": "a", "inputSchema": {}}, "junk", {"no": "name"}])
    assert schemas.mirrored("a") == ()
    schemas.learn([{"name": "b", "inputSchema": SCHEMA}])
    assert len(schemas.mirrored("b")) == 4
    assert schemas.mirrored("unknown") == ()


def test_a_schema_that_was_admitted_counts_and_not_what_a_list_has_shown():
    def schema(header):
        return {"properties": {"region": {"type": "string", "x-mcp-header": header}}}

    schemas = ToolSchemas(capacity=2)
    schemas.learn([{"name": "query", "inputSchema": schema("Listed")}])
    admitted = schema("Admitted")
    assert [one.header for one in schemas.mirrored("query")] == [b"mcp-param-listed"]
    assert [one.header for one in schemas.mirrored("query", admitted)] == [b"mcp-param-admitted"]
    assert schemas.mirrored("query", admitted) is schemas.mirrored("query", admitted)
    assert [one.header for one in schemas.mirrored("query", schema("Next"))] == [b"mcp-param-next"]
    for number in range(5):
        schemas.mirrored(f"tool-{number}", admitted)
    assert [one.header for one in schemas.mirrored("query", admitted)] == [b"mcp-param-admitted"]
