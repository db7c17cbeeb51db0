"""How a YAML file is read, strictly, and what is refused.

Refused: anchors and aliases (a few lines can unfold into gigabytes), tags (a
document does not choose types), directives, a second document, duplicate keys
(two readers keep different ones), keys that are not text, a byte-order mark,
other encodings than UTF-8, more than `MAX_BYTES`, nesting beyond `MAX_DEPTH`.
A file so refused has its tree all the same, unless its syntax has none, so that
whoever reports mistakes reports those behind the first one too.

Source: YAML 1.2.2 §3.2.1.3 (unique keys), §10.3.2 (core schema).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path as FilePath
from typing import Any, Final

import yaml
from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.reader import ReaderError

from remit.documents.document import Document, Node, Plain, Position
from remit.documents.problem import DocumentInvalidError, Problem, printable, quoted

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Reading", "decode", "load_yaml", "parse_yaml", "read_yaml"]

MAX_BYTES = 1_048_576
MAX_DEPTH = 24

_MOST_PROBLEMS = 100

_WHOLE_NUMBER: Final = re.compile(r"[-+]?[0-9]+")
_NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 18
_TURNS: Final = re.compile("[\\u202a-\\u202e\\u2066-\\u2069]")
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a file: a document to be believed only if there are no problems.

    Where a key stands twice, what only its second mapping or list holds is in the tree as well.
    """

    document: Document | None
    problems: tuple[Problem, ...]


def load_yaml(path: FilePath, *, file: str | None = None) -> Document:
    """Read the file at `path`; `file` is the name that problems carry, by default `path` itself.

    Raises:
        DocumentInvalidError: it cannot be read, or is not the YAML that Remit reads.
    """
    name = str(path) if file is None else file
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise DocumentInvalidError([_unplaced(name, f"cannot read the file: {reason}")]) from error
    return parse_yaml(data, file=name)


def parse_yaml(data: bytes, *, file: str) -> Document:
    """Read `data`; `file` is the name that problems carry.

    Raises:
        DocumentInvalidError: not the YAML that Remit reads.
    """
    reading = read_yaml(data, file=file)
    if reading.document is None or reading.problems:
        raise DocumentInvalidError(reading.problems)
    return reading.document


def read_yaml(data: bytes, *, file: str) -> Reading:
    """Read `data` as far as it can be read; `file` is the name that problems carry."""
    try:
        text = decode(data, file=file)
    except DocumentInvalidError as error:
        return Reading(None, error.problems)
    lines = tuple(text.splitlines())
    draft = Document(file, lines, Node(None, Position(1, 1)))
    composer = _Composer(draft)
    root: Node | None = None
    try:
        root = composer.compose(yaml.parse(text, Loader=yaml.CSafeLoader))
    except DocumentInvalidError:
        pass  # Too deep, or too much of it is wrong: the composer has kept what it found.
    except MarkedYAMLError as error:
        composer.problems.append(_syntax_problem(draft, error))
    except ReaderError as error:
        composer.problems.append(_character_problem(draft, text, error))
    except (YAMLError, ValueError, AssertionError) as error:
        # The parser asserts on versions it does not know, and passes code points beyond Unicode on.
        composer.problems.append(_unplaced(file, f"not YAML: {_one_line(str(error))}"))
    document = None if root is None else Document(file, lines, root)
    return Reading(document, tuple(composer.problems))


def decode(data: bytes, *, file: str) -> str:
    """`data` as text: at most `MAX_BYTES` of UTF-8, without a byte-order mark, that is read as it is shown.

    Raises:
        DocumentInvalidError: it is something else.
    """
    if len(data) > MAX_BYTES:
        raise DocumentInvalidError(
            [_unplaced(file, "the file is too large", expected=f"at most {MAX_BYTES} bytes")]
        )
    if data.startswith(b"\xef\xbb\xbf"):
        raise DocumentInvalidError(
            [_unplaced(file, "the file starts with a byte-order mark", expected="plain UTF-8")]
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        raise DocumentInvalidError(
            [Problem(file=file, line=line, column=column, message="not UTF-8", expected="UTF-8")]
        ) from error
    _refuse_turned(text, file)
    return text


def _refuse_turned(text: str, file: str) -> None:
    """A reviewer would be shown something else than what is decided by (CVE-2021-42574, "Trojan Source")."""
    found = _TURNS.search(text)
    if found is None:
        return
    line_start = text.rfind("\n", 0, found.start()) + 1
    line_end = text.find("\n", found.start())
    excerpt = text[line_start:] if line_end < 0 else text[line_start:line_end]
    raise DocumentInvalidError(
        [
            Problem(
                file=file,
                line=text.count("\n", 0, found.start()) + 1,
                column=found.start() - line_start + 1,
                message=f"the character U+{ord(found[0]):04X}, which turns the writing around",
                expected="text that is read as it is shown; in a value, an escape",
                excerpt=printable(excerpt),
            )
        ]
    )


class _Composer:
    """Makes nodes of the parser's events, and collects what it refuses on the way."""

    def __init__(self, draft: Document) -> None:
        self.problems: list[Problem] = []
        self._draft = draft
        self._documents = 0

    def compose(self, events: Iterator[Event]) -> Node:
        """The root. Stops reading at a second document or where nesting is too deep."""
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent):
                self._documents += 1
                if event.version or event.tags:
                    self._refuse(event, "a YAML directive", expected="a file without `%` lines")
                if self._documents > 1:
                    self._refuse(event, "a second document in one file", expected="one document")
                    break
            elif isinstance(event, NodeEvent):
                root = self._node(event, events, 1, None)
        return root or Node(None, Position(1, 1))

    def _node(
        self, event: Event, events: Iterator[Event], depth: int, key: Position | None
    ) -> Node:
        self._refuse_reuse(event)
        position = key if key is not None and _is_nothing(event) else _position(event)
        if depth > MAX_DEPTH:
            self._refuse(event, "nested too deeply", expected=f"at most {MAX_DEPTH} levels")
            raise DocumentInvalidError(self.problems)
        if isinstance(event, MappingStartEvent):
            return self._mapping(position, events, depth, key)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(position, events, depth, key)
        if isinstance(event, ScalarEvent):
            return Node(_scalar(event), position, key)
        return Node(None, position, key)

    def _mapping(
        self, position: Position, events: Iterator[Event], depth: int, key: Position | None
    ) -> Node:
        children: dict[str | int, Node] = {}
        value: dict[str, Plain] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            name, name_position = self._key(event, events, depth)
            node = self._node(next(events), events, depth + 1, name_position)
            if name is None:
                continue
            if name in children:
                first = children[name].key or position
                self._refuse(
                    event, f"the key {quoted(name)} stands here twice",
                    expected=f"one; the first is on line {first.line}",
                )  # fmt: skip
                node = _both(children[name], node)
            children[name] = node
            value[name] = node.value
        return Node(value, position, key, children)

    def _sequence(
        self, position: Position, events: Iterator[Event], depth: int, key: Position | None
    ) -> Node:
        children: dict[str | int, Node] = {}
        value: list[Plain] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            node = self._node(event, events, depth + 1, None)
            children[len(value)] = node
            value.append(node.value)
        return Node(value, position, key, children)

    def _key(
        self, event: Event, events: Iterator[Event], depth: int
    ) -> tuple[str | None, Position]:
        node = self._node(event, events, depth + 1, None)
        if isinstance(node.value, str):
            return node.value, node.position
        if not isinstance(event, AliasEvent):
            self._refuse(event, "a key that is not text", expected="text; put it in quotes")
        return None, node.position

    def _refuse_reuse(self, event: Event) -> None:
        if isinstance(event, AliasEvent):
            alias = quoted(f"*{event.anchor}")
            self._refuse(event, f"the alias {alias}", expected="the value itself")
        elif isinstance(event, NodeEvent) and event.anchor:
            self._refuse(event, f"the anchor {quoted('&' + event.anchor)}", expected="no anchors")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse(event, f"the tag {quoted(tag)}", expected="no tags")

    def _refuse(self, event: Event, what: str, *, expected: str) -> None:
        self.problems.append(self._draft.problem_at(_position(event), what, expected=expected))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise DocumentInvalidError(self.problems)


def _both(first: Node, second: Node) -> Node:
    """The first of two values under one key, with what only the second has inside it."""
    children = dict(first.children)
    if isinstance(first.value, dict) and isinstance(second.value, dict):
        for name, child in second.children.items():
            children[name] = _both(children[name], child) if name in children else child
        merged: Plain = {str(name): child.value for name, child in children.items()}
        return replace(first, value=merged, children=children)
    if isinstance(first.value, list) and isinstance(second.value, list):
        for child in second.children.values():
            if child.value not in first.value:
                children[len(children)] = child
        return replace(first, value=[one.value for one in children.values()], children=children)
    return first


def _scalar(event: ScalarEvent) -> bool | int | float | str | None:
    """The value of a scalar under the core schema; what is quoted is always text."""
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE_NUMBER.fullmatch(text):
        # Beyond 64 bits two readers see two numbers: it stays text, and no number field takes it.
        return int(text) if len(text) <= _LONGEST_NUMBER else text
    if _NUMBER.fullmatch(text) and isfinite(number := float(text)):
        return number
    return text


def _is_nothing(event: Event) -> bool:
    """Whether a key has no value at all, so that only the key can be pointed at."""
    return isinstance(event, ScalarEvent) and not event.value and not event.style


def _position(event: Event) -> Position:
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        return Position(1, 1)
    on_one_line = isinstance(event, ScalarEvent | AliasEvent) and start.line == end.line
    width = end.column - start.column if on_one_line else 1
    return Position(start.line + 1, start.column + 1, max(width, 1))


def _syntax_problem(draft: Document, error: MarkedYAMLError) -> Problem:
    mark: Any = error.problem_mark or error.context_mark
    position = Position(1, 1) if mark is None else Position(mark.line + 1, mark.column + 1)
    for fragment, words, expected in _SYNTAX:
        if fragment in str(error.problem):
            return draft.problem_at(position, words, expected=expected)
    context = f"{_one_line(error.context)}: " if error.context else ""
    return draft.problem_at(position, f"not YAML: {context}{_one_line(error.problem)}")


_SYNTAX: Final = (
    ("cannot start any token", "a character that starts nothing, such as a tab", "spaces, or quotes"),
    ("mapping values are not allowed", "a `: ` where no key can stand", "quotes around text that holds `: `"),
    ("could not find expected ':'", "a key without a `:` after it", "`key: value`"),
    ("undefined alias", "an alias", "the value itself"),
)  # fmt: skip


def _character_problem(draft: Document, text: str, error: ReaderError) -> Problem:
    before = text[: error.position]
    column = len(before) - (before.rfind("\n") + 1) + 1
    return draft.problem_at(
        Position(before.count("\n") + 1, column),
        f"the character {error.character!r} is not allowed in YAML",
    )


def _one_line(text: object) -> str:
    return printable(" ".join(str(text).split()))[:200]


def _unplaced(file: str, message: str, *, expected: str = "") -> Problem:
    return Problem(file=file, line=1, column=1, message=message, expected=expected)
