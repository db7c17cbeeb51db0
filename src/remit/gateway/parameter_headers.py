"""`Mcp-Param-*`: where a tool's schema mirrors an argument in a header, the two must agree.

The schemas are those that were admitted; where definitions are not pinned, they are learned
from the tool lists that pass through the gateway. A header
that no known schema declares is passed on, as an intermediary must; the server
behind judges it. A schema whose annotations are invalid declares nothing.

Source: MCP 2026-07-28 transports (custom headers, `x-mcp-header`).
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from remit.canonical import Json, JsonObject
from remit.gateway.http import Headers
from remit.gateway.rejection import header_mismatch
from remit.gateway.routing_headers import decode_header_value, encode_header_value

__all__ = [
    "MirroredArgument",
    "ToolSchemas",
    "check_parameter_headers",
    "mirrored_arguments",
    "parameter_headers_of",
]

_ANNOTATION = "x-mcp-header"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_DECIMAL = re.compile(r"-?[0-9]+(?:\.0+)?")
_TYPES = frozenset({"string", "integer", "boolean"})
_ONE_SCHEMA = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_LISTED_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED_SCHEMAS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties"})

_Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MirroredArgument:
    """An argument that travels in a header too: where it stands, and its declared type."""

    path: tuple[str, ...]
    header: bytes
    type: str


class ToolSchemas:
    """What the tool lists of one server have said of mirrored arguments; the oldest are forgotten first."""

    def __init__(self, capacity: int = 2048) -> None:
        self._capacity = capacity
        self._known: OrderedDict[str, tuple[MirroredArgument, ...]] = OrderedDict()
        self._admitted: OrderedDict[str, tuple[Json, tuple[MirroredArgument, ...]]] = OrderedDict()

    def learn(self, tools: Json) -> None:
        """Take in the `tools` of one page of a list."""
        for tool in tools if isinstance(tools, list) else ():
            if isinstance(tool, dict) and isinstance(name := tool.get("name"), str):
                self._known[name] = mirrored_arguments(tool.get("inputSchema"))
                self._known.move_to_end(name)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)

    def mirrored(self, tool: str, admitted: Json = None) -> tuple[MirroredArgument, ...]:
        """The arguments of `tool` that travel in headers, as far as known.

        `admitted` is its schema as it was admitted, which then alone counts; `None` if none was.
        """
        if admitted is None:
            return self._known.get(tool, ())
        known = self._admitted.get(tool)
        if known is None or known[0] is not admitted:
            known = self._admitted[tool] = (admitted, mirrored_arguments(admitted))
        while len(self._admitted) > self._capacity:
            self._admitted.popitem(last=False)
        return known[1]


def check_parameter_headers(
    mirrored: tuple[MirroredArgument, ...], arguments: Json, headers: Headers
) -> None:
    """Hold each mirrored argument against its header.

    Raises:
        RejectedError: one is present without the other, or the two differ (-32020).
    """
    for argument in mirrored:
        sent = headers.one(argument.header)
        value = _rendered(_at(arguments, argument.path))
        name = argument.header.decode()
        if value is None and sent is not None:
            raise header_mismatch(f"header `{name}` mirrors an argument that is absent")
        if value is not None and sent is None:
            raise header_mismatch(f"header `{name}` is missing")
        if value is not None and sent is not None and not _agree(argument.type, value, sent):
            raise header_mismatch(f"header `{name}` is not the argument in the body")


def parameter_headers_of(
    mirrored: tuple[MirroredArgument, ...], arguments: Json
) -> tuple[tuple[str, str], ...]:
    """The headers that go with a call: one for each mirrored argument that is there."""
    rendered = ((one.header.decode(), _rendered(_at(arguments, one.path))) for one in mirrored)
    return tuple(
        (name, encode_header_value(value)) for name, value in rendered if value is not None
    )


def mirrored_arguments(schema: Json) -> tuple[MirroredArgument, ...]:
    """What `schema` mirrors in headers; nothing, if any one annotation in it is invalid."""
    found: dict[bytes, MirroredArgument] = {}
    for path, position in _positions(schema):
        if _ANNOTATION not in position:
            continue
        argument = _declared(path, position)
        if argument is None or argument.header in found:
            return ()
        found[argument.header] = argument
    return tuple(found.values())


def _declared(path: _Path | None, position: JsonObject) -> MirroredArgument | None:
    token, declared = position[_ANNOTATION], position.get("type")
    if not path or not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return None
    if not isinstance(declared, str) or declared not in _TYPES:
        return None
    return MirroredArgument(path, b"mcp-param-" + token.lower().encode(), declared)


def _positions(root: Json) -> Iterator[tuple[_Path | None, JsonObject]]:
    """Every place in `root` that is a schema, with the properties that lead there.

    The path is `None` once anything but `properties` was crossed: such a place
    cannot be told from the arguments alone, and so may not be annotated.
    """
    stack: list[tuple[_Path | None, Json]] = [((), root)]
    while stack:
        path, node = stack.pop()
        if not isinstance(node, dict):
            continue
        yield path, node
        for keyword, value in node.items():
            stack.extend(_inner_schemas(keyword, value, path))


def _inner_schemas(
    keyword: str, value: Json, path: _Path | None
) -> Iterator[tuple[_Path | None, Json]]:
    if keyword == "properties" and isinstance(value, dict):
        for name, inner in value.items():
            yield (None if path is None else (*path, name)), inner
    elif keyword in _ONE_SCHEMA:
        yield None, value
    elif keyword in _LISTED_SCHEMAS and isinstance(value, list):
        yield from ((None, inner) for inner in value)
    elif keyword in _NAMED_SCHEMAS and isinstance(value, dict):
        yield from ((None, inner) for inner in value.values())


def _at(arguments: Json, path: _Path) -> Json:
    node = arguments
    for name in path:
        if not isinstance(node, Mapping):
            return None
        node = node.get(name)
    return node


def _rendered(value: Json) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _agree(declared: str, value: str, sent: str) -> bool:
    decoded = decode_header_value(sent)
    if decoded is None:
        return False
    if declared == "integer" and _DECIMAL.fullmatch(value) and _DECIMAL.fullmatch(decoded):
        # `42` and `42.0` are one integer; compared as text, without a float in between.
        return _whole(value) == _whole(decoded)
    return decoded == value


def _whole(decimal: str) -> int:
    return int(decimal.partition(".")[0])
