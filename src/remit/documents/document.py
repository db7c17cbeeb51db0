"""A file that has been read: its plain value, and where every part of it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias

from remit.documents.problem import Problem, printable

__all__ = ["ANY", "Document", "Node", "Origin", "Path", "Pattern", "Plain", "Position"]

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
Path: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead from the root to a value."""


class _Any(Enum):
    """The type of `ANY`."""

    ANY = "any"


ANY: Final = _Any.ANY
"""In a pattern: every key of a mapping, every index of a sequence."""

Pattern: TypeAlias = tuple[str | int | _Any, ...]
"""A path in which `ANY` stands for every step."""

_NO_CHILDREN: Mapping[str | int, "Node"] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that a part of a document came from, where that is not the document's own."""

    file: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file, from 1, and how many characters of the line are meant."""

    line: int
    column: int
    width: int = 1
    origin: Origin | None = field(default=None, repr=False)
    """The file, where it is not the document's own."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value, where it stands, where its key stands, and what is inside it."""

    value: Plain
    position: Position
    key: Position | None = None
    children: Mapping[str | int, "Node"] = field(default_factory=lambda: _NO_CHILDREN)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that has been read. `file` is the name that problems carry, but for parts of another origin."""

    file: str
    lines: tuple[str, ...]
    root: Node

    @property
    def value(self) -> Plain:
        """The plain value; an empty file is an empty mapping."""
        return {} if self.root.value is None else self.root.value

    def nearest(self, path: Path) -> tuple[Node, bool]:
        """The node at `path`, or the last that exists on the way; and whether all of it exists."""
        node = self.root
        for step in path:
            child = node.children.get(step)
            if child is None:
                return node, False
            node = child
        return node, True

    def find(self, pattern: Pattern) -> Iterator[tuple[Path, Node]]:
        """Every node whose path fits `pattern`, in the order of the file."""
        found: list[tuple[Path, Node]] = [((), self.root)]
        for step in pattern:
            found = [
                ((*path, name), child)
                for path, node in found
                for name, child in (
                    node.children.items()
                    if isinstance(step, _Any)
                    else [(step, node.children[step])]
                    if step in node.children
                    else []
                )
            ]
        return iter(found)

    def problem(
        self, path: Path, message: str, *, expected: str = "", at_key: bool = False
    ) -> Problem:
        """A problem with the value at `path`, or with its key.

        A mapping or sequence is pointed at by its key; and where nothing stands at
        `path`, so is the last that exists on the way, but for a word that is short for more.
        """
        node, exists = self.nearest(path)
        by_key = (
            at_key or isinstance(node.value, dict | list) or (not exists and node.value is None)
        )
        position = node.key if node.key is not None and by_key else node.position
        return self.problem_at(position, message, expected=expected)

    def problem_at(self, position: Position, message: str, *, expected: str = "") -> Problem:
        """A problem with what stands at `position`."""
        origin = position.origin or self
        line = origin.lines[position.line - 1] if position.line <= len(origin.lines) else ""
        return Problem(
            file=origin.file,
            line=position.line,
            column=position.column,
            message=message,
            expected=expected,
            excerpt=printable(line),
            width=position.width,
        )
