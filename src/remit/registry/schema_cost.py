"""Whether checking against a JSON Schema could take unbounded time, told before it is used.

Schemas that apply others to the same value (`allOf`, `anyOf`, `$ref` and their like) multiply: a
chain of thirty definitions, each naming the next one twice, is a billion checks. The schema is
unrolled in thought, every reference counted as what it leads to, and one that leads back as
nothing, since the validator remembers what it is in the midst of. It remembers that only while it asks
whether a value fits; to say why one does not, it follows such a reference again and again.

A reference may be a pointer or the name of an anchor, behind whatever address: nothing but the
document itself can be reached. A document within the document, which has addresses of its own, is
counted as too costly.

Source: JSON Schema 2020-12 core §7.1 (infinite recursion), §8.2 (identifiers, anchors, references),
§13 (security considerations).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from remit.canonical import Json, JsonObject

__all__ = ["MOST_CHECKS", "Cost", "cost_of", "is_too_costly"]

MOST_CHECKS: Final = 100_000
_REFERENCES: Final = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_ANCHORS: Final = ("$anchor", "$dynamicAnchor")
_DEFINITIONS: Final = frozenset({"$defs", "definitions", "enum", "const", "default", "examples"})
_DATA: Final = frozenset({"enum", "const", "default", "examples"})
_BY_NAME: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
"""What holds schemas under names that are anybody's: one of them may be called as a keyword is."""


class _Beyond(Exception):  # noqa: N818  a way out, not an error
    """There is more than is allowed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`checks`: how many schemas one value may be held against. `leads_back`: whether a reference does."""

    checks: int
    leads_back: bool


def cost_of(schema: JsonObject, *, pattern: int = 1) -> Cost | None:
    """What using `schema` may cost; `None` if that is more than `MOST_CHECKS`.

    A pattern counts as `pattern` checks, and so many times as many are allowed.
    """
    try:
        unrolled = _Unrolled(schema, pattern)
        return Cost(unrolled.size(schema), unrolled.leads_back)
    except (_Beyond, RecursionError):
        return None


def is_too_costly(schema: JsonObject) -> bool:
    """Whether unrolling `schema` meets more than `MOST_CHECKS` schemas."""
    return cost_of(schema) is None


class _Unrolled:
    """Sizes of the schemas of one document, each reckoned once."""

    def __init__(self, root: JsonObject, pattern: int) -> None:
        self._root = root
        self._pattern = pattern
        self._most = MOST_CHECKS * pattern
        self._known: dict[int, int] = {}
        self._open: set[int] = set()
        self._anchored: dict[str, list[Json]] = {}
        self.leads_back = False
        names_itself = "$id", *(["id"] if "draft-04" in str(root.get("$schema")) else [])
        for node in _nodes(root):
            if node is not root and any(isinstance(node.get(name), str) for name in names_itself):
                raise _Beyond
            for member in _ANCHORS:
                if isinstance(name := node.get(member), str):
                    self._anchored.setdefault(name, []).append(node)

    def size(self, node: Json) -> int:
        """How many schemas `node` is when every reference in it is replaced by what it names."""
        if isinstance(node, list):
            return sum(self.size(one) for one in node)
        if not isinstance(node, dict):
            return 1
        if id(node) in self._open:
            self.leads_back = True
            return 0
        if id(node) not in self._known:
            self._open.add(id(node))
            size = 1 + sum(
                self._member(name, value)
                for name, value in node.items()
                if name not in _DEFINITIONS
            )
            self._open.discard(id(node))
            if size > self._most:
                raise _Beyond
            self._known[id(node)] = size
        return self._known[id(node)]

    def _member(self, name: str, value: Json) -> int:
        if name in _REFERENCES and isinstance(value, str):
            return sum(self.size(one) for one in self._targets(value))
        if name == "pattern" and isinstance(value, str):
            return self._pattern
        if name in _BY_NAME and isinstance(value, dict):
            named = len(value) * (self._pattern - 1) if name == "patternProperties" else 0
            return named + sum(self.size(one) for one in value.values())
        return self.size(value)

    def _targets(self, reference: str) -> list[Json]:
        """What `reference` may name: of several anchors of one name, each."""
        fragment = reference.partition("#")[2]
        if fragment.startswith("/"):
            return [self._at(fragment)]
        return self._anchored.get(unquote(fragment), [self._root])

    def _at(self, pointer: str) -> Json:
        node: Json = self._root
        for step in pointer[1:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = node.get(name)
            elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return node


def _nodes(root: JsonObject) -> Iterator[JsonObject]:
    """Every object in `root` that could be a schema."""
    waiting: list[tuple[Json, bool]] = [(root, True)]
    seen: set[tuple[int, bool]] = set()
    while waiting:
        node, is_schema = waiting.pop()
        if (id(node), is_schema) in seen:
            continue
        seen.add((id(node), is_schema))
        if isinstance(node, list):
            waiting.extend((one, True) for one in node)
        elif isinstance(node, dict):
            if is_schema:
                yield node
            waiting.extend(
                (value, not (is_schema and name in _BY_NAME))
                for name, value in node.items()
                if not (is_schema and name in _DATA)
            )
