"""Whether checking against a JSON Schema could take unbounded time, told before it is used.

Schemas that apply others to the same value (`allOf`, `anyOf`, `$ref` and their like) multiply: a
chain of thirty definitions, each naming the next one twice, is a billion checks. The schema is
unrolled in thought, every reference counted as what it leads to, and one that leads back as
nothing, since the validator remembers what it is in the midst of. Anchors and dynamic references
are counted as the whole document.

Source: JSON Schema 2020-12 core §7.1 (infinite recursion), §13 (security considerations).
"""

from typing import Final
from urllib.parse import unquote

from remit.canonical import Json, JsonObject

__all__ = ["MOST_CHECKS", "is_too_costly"]

MOST_CHECKS: Final = 100_000
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_DEFINITIONS: Final = frozenset({"$defs", "definitions", "enum", "const", "default", "examples"})


class _Beyond(Exception):  # noqa: N818  a way out, not an error
    """There is more than is allowed."""


def is_too_costly(schema: JsonObject) -> bool:
    """Whether unrolling `schema` meets more than `MOST_CHECKS` schemas."""
    try:
        _Unrolled(schema).size(schema)
    except (_Beyond, RecursionError):
        return True
    return False


class _Unrolled:
    """Sizes of the schemas of one document, each reckoned once."""

    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._known: dict[int, int] = {}
        self._open: set[int] = set()

    def size(self, node: Json) -> int:
        """How many schemas `node` is when every reference in it is replaced by what it names."""
        if isinstance(node, list):
            return sum(self.size(one) for one in node)
        if not isinstance(node, dict):
            return 1
        if id(node) in self._open:
            return 0
        if id(node) not in self._known:
            self._open.add(id(node))
            size = 1 + sum(
                self._member(name, value)
                for name, value in node.items()
                if name not in _DEFINITIONS
            )
            self._open.discard(id(node))
            if size > MOST_CHECKS:
                raise _Beyond
            self._known[id(node)] = size
        return self._known[id(node)]

    def _member(self, name: str, value: Json) -> int:
        if name in _REFERENCES and isinstance(value, str):
            return self.size(self._target(value))
        return self.size(value)

    def _target(self, reference: str) -> Json:
        if not reference.startswith("#/"):
            return self._root
        node: Json = self._root
        for step in reference[2:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = node.get(name)
            elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return node
