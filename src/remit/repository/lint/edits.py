"""Changing a YAML file where it has to change, and nowhere else: comments and layout stay.

Nodes are found with the marks of the parser and cut out of the text. An edit is made only if the file then
says exactly what was meant, which is told by reading it again; else the text stays as it was.
"""

import re
from collections.abc import Sequence
from typing import Final

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from remit.documents import DocumentInvalidError, Path, parse_yaml
from remit.documents.document import Plain
from remit.repository.lint.noticed import Action, Edit

__all__ = ["apply_edit"]

_BREAKS: Final = re.compile("\r(?!\n)|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SCHEMA: Final = "yaml-language-server"


def apply_edit(text: str, edit: Edit) -> str | None:
    """`text` after `edit`, or `None` where it cannot be made without touching anything else."""
    # Lines are counted the same by everybody only if all of them end in the common way.
    if _BREAKS.search(text) or text.startswith("\ufeff"):
        return None
    before = _value_of(text)
    meant = _meant(before, edit)
    if before is None or meant is None:
        return None
    changed = _edited(text, edit)
    return changed if changed is not None and _value_of(changed) == meant else None


def _value_of(text: str) -> dict[str, Plain] | None:
    try:
        value = parse_yaml(text.encode(), file="").value
    except DocumentInvalidError:
        return None
    return value if isinstance(value, dict) else None


def _meant(before: dict[str, Plain] | None, edit: Edit) -> dict[str, Plain] | None:
    """What the file should say after `edit`."""
    if before is None or edit.action is Action.HEAD:
        return before
    *way, last = edit.path
    place: Plain = before
    for step in way:
        place = place.get(str(step)) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        return None
    name = str(last)
    if edit.action is Action.REMOVE_ENTRY:
        return _with(before, way, {key: one for key, one in place.items() if key != name})
    items = place[name]
    if not isinstance(items, list) or not all(isinstance(one, str) for one in items):
        return None
    if edit.action is Action.SORT:
        ordered: list[Plain] = [*sorted(map(str, items))]
        return _with(before, edit.path, ordered)
    if items.count(edit.value) != 1:
        return None
    left: list[Plain] = [one for one in items if one != edit.value]
    return _with(before, edit.path, left)


def _with(before: dict[str, Plain], path: Sequence[str | int], value: Plain) -> dict[str, Plain]:
    """`before` with `value` at `path`; a list that is left empty goes with its key."""
    if not path:
        return value if isinstance(value, dict) else before
    name = str(path[0])
    inner = before[name]
    if len(path) > 1 and isinstance(inner, dict):
        return {**before, name: _with(inner, path[1:], value)}
    if value == []:
        return {key: one for key, one in before.items() if key != name}
    return {**before, name: value}


def _edited(text: str, edit: Edit) -> str | None:
    if edit.action is Action.HEAD:
        newline = "\r\n" if "\r\n" in text else "\n"
        return f"{edit.value}{newline}{text}"
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    found = _find(root, edit.path)
    if found is None:
        return None
    parent, key, node = found
    if edit.action is Action.REMOVE_ENTRY:
        return _without_entry(text, parent, key, node)
    if not isinstance(node, SequenceNode):
        return None
    if edit.action is Action.SORT:
        return _sorted(text, node)
    index = next(
        number
        for number, one in enumerate(node.value)
        if isinstance(one, ScalarNode) and one.value == edit.value
    )
    if len(node.value) == 1:
        return _without_entry(text, parent, key, node)
    return _without_item(text, node, index)


def _find(root: Node | None, path: Path) -> tuple[MappingNode, Node, Node] | None:
    """The mapping that the last step of `path` stands in, its key and its value."""
    node = root
    found: tuple[MappingNode, Node, Node] | None = None
    for step in path:
        if not isinstance(node, MappingNode):
            return None
        pair = next(((key, one) for key, one in node.value if key.value == str(step)), None)
        if pair is None:
            return None
        found = (node, *pair)
        node = pair[1]
    return found


def _without_entry(text: str, parent: MappingNode, key: Node, node: Node) -> str | None:
    if parent.flow_style:
        spans = [(one.start_mark.index, value.end_mark.index) for one, value in parent.value]
        number = next(n for n, (one, _) in enumerate(parent.value) if one is key)
        return _without_span(text, spans, number) if len(spans) > 1 else None
    lines = text.splitlines(keepends=True)
    start, end = key.start_mark.line, _last_line(node) + 1
    while not lines[end - 1].strip():
        end -= 1  # A block of text ends where its last line does.
    # Another entry on the same line cannot be: this is a block. But a `- ` or `? ` can stand before it.
    if lines[start][: key.start_mark.column].strip():
        return None
    while start > 0 and _is_comment(lines[start - 1]) and _SCHEMA not in lines[start - 1]:
        start -= 1
    if start < key.start_mark.line and all(_is_comment(one) for one in lines[:start] or ["#"]):
        start = key.start_mark.line  # What begins the file is about the file.
    blank_before = start == 0 or not lines[start - 1].strip()
    while blank_before and end < len(lines) and not lines[end].strip():
        end += 1
    return "".join([*lines[:start], *lines[end:]])


def _without_item(text: str, node: SequenceNode, index: int) -> str | None:
    items = node.value
    if node.flow_style:
        spans = [(one.start_mark.index, one.end_mark.index) for one in items]
        return _without_span(text, spans, index)
    lines = text.splitlines(keepends=True)
    line = items[index].start_mark.line
    before = lines[line][: items[index].start_mark.column]
    if before.strip() != "-" or _last_line(items[index]) != line:
        return None
    return "".join([*lines[:line], *lines[line + 1 :]])


def _without_span(text: str, spans: Sequence[tuple[int, int]], index: int) -> str | None:
    """Cut one part of a flow collection out, with the comma that set it apart."""
    if index + 1 < len(spans):
        start, end = spans[index][0], spans[index + 1][0]
    else:
        start, end = spans[index - 1][1], spans[index][1]
    # A comment in between may speak of either.
    return None if "#" in text[start:end] else text[:start] + text[end:]


def _sorted(text: str, node: SequenceNode) -> str | None:
    """The texts of the list change places; with comments between them, nobody knows whose they are."""
    spans = [(one.start_mark.index, one.end_mark.index) for one in node.value]
    after = "" if node.flow_style else text[spans[-1][1] :].split("\n", 1)[0]
    if "#" in text[spans[0][0] : spans[-1][1]] + after:
        return None
    order = sorted(range(len(spans)), key=lambda number: str(node.value[number].value))
    pieces: list[str] = []
    at = 0
    for place, number in enumerate(order):
        pieces += [text[at : spans[place][0]], text[spans[number][0] : spans[number][1]]]
        at = spans[place][1]
    return "".join([*pieces, text[at:]])


def _last_line(node: Node) -> int:
    """The line, from 0, on which the value ends; blank lines and comments after it are not of it."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.line
    if isinstance(node, ScalarNode) and node.style in {"|", ">"} and node.end_mark.column == 0:
        return end - 1
    return end


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")
