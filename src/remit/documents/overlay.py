"""One document laid over another, every part with the file it came from.

Mappings are merged, `null` takes away what stands below it, and everything else replaces
what stands below it: a list as a whole too. What is merged is `Node`s and not plain values,
so that every later problem still names the file and the line where its value is written.

Source: RFC 7396 §2 (JSON merge patch).
"""

from dataclasses import replace

from remit.documents.document import Document, Node, Origin, Plain

__all__ = ["is_removal", "lay_over", "lay_over_nothing"]

_REMOVALS = ("null", "Null", "NULL", "~")


def lay_over(below: Document, above: Document) -> Document:
    """`below` with `above` laid over it; it keeps the name and the lines of `below`. An empty one changes nothing."""
    if above.root.value is None:
        return below
    return replace(below, root=_merged(below.root, above.root, Origin(above.file, above.lines)))


def lay_over_nothing(above: Document, *, file: str) -> Document:
    """`above` where nothing stands below it, under the name `file`."""
    return Document(file, (), _merged(None, above.root, Origin(above.file, above.lines)))


def is_removal(document: Document) -> bool:
    """Whether `document` is a written `null`, which takes away the whole file below it; an empty one is not."""
    if document.root.value is not None:
        return False
    position = document.root.position
    line = document.lines[position.line - 1] if position.line <= len(document.lines) else ""
    return line[position.column - 1 :].startswith(_REMOVALS)


def _merged(below: Node | None, above: Node, origin: Origin) -> Node:
    if not isinstance(above.value, dict):
        return _moved(above, origin)
    onto = below if below is not None and isinstance(below.value, dict) else None
    children = {} if onto is None else dict(onto.children)
    for name, child in above.children.items():
        if child.value is None:
            children.pop(name, None)
        else:
            children[name] = _merged(children.get(name), child, origin)
    value: dict[str, Plain] = {str(name): child.value for name, child in children.items()}
    return replace(onto or _stamped(above, origin), value=value, children=children)


def _moved(node: Node, origin: Origin) -> Node:
    """`node` and everything in it, of `origin`. In a list `null` is a value as any other (RFC 7396 §1)."""
    children = {name: _moved(child, origin) for name, child in node.children.items()}
    return replace(_stamped(node, origin), children=children)


def _stamped(node: Node, origin: Origin) -> Node:
    key = None if node.key is None else replace(node.key, origin=origin)
    return replace(node, position=replace(node.position, origin=origin), key=key)
