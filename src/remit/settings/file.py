"""The settings file: YAML, one mapping, every key with its place."""

from pathlib import Path

from remit.documents import DocumentInvalidError, Problem, load_yaml
from remit.settings.faults import Fault, Origin

__all__ = ["read_file"]

Entry = tuple[str, object, Origin]


def read_file(path: Path) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    """The keys of the file with their values and places; or what is wrong with the file as a whole.

    Relative folders in the file are relative to the file, not to where Remit is started.
    """
    try:
        document = load_yaml(path)
    except DocumentInvalidError as error:
        return (), tuple(_fault(problem) for problem in error.problems)
    if not isinstance(document.value, dict):
        return (), (_fault(document.problem((), "the file is not a mapping of settings")),)
    entries: list[Entry] = []
    for key, node in document.root.children.items():
        position = node.key or node.position
        value: object = node.value
        if key in {"repo", "data"} and isinstance(value, str):
            value = str(path.parent / value)
        entries.append((str(key), value, Origin.in_file(str(path), position.line, position.column)))
    return tuple(entries), ()


def _fault(problem: Problem) -> Fault:
    mend = f"expected {problem.expected}" if problem.expected else ""
    return Fault(Origin.in_file(problem.file, problem.line, problem.column), problem.message, mend)
