"""The settings file: YAML, one mapping, every key with its place."""

from pathlib import Path

from remit.documents import Problem, read_yaml
from remit.documents.reading import MAX_BYTES
from remit.settings.faults import Fault, Origin

__all__ = ["read_file"]

Entry = tuple[str, object, Origin]


def read_file(path: Path) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    """The keys of the file with their values and places, and what is wrong with how it is written.

    A key that stands twice, or another thing that YAML may hold and we refuse, leaves the rest to be checked.

    Relative folders in the file are relative to the file, not to where Remit is started.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        return (), (Fault(Origin.in_file(str(path), 1, 1), f"cannot read the file: {reason}"),)
    reading = read_yaml(data, file=str(path))
    faults = tuple(_fault(problem) for problem in reading.problems)
    document = reading.document
    if document is None:
        return (), faults
    if not isinstance(document.value, dict):
        return (), faults or (
            _fault(document.problem((), "the file is not a mapping of settings")),
        )
    # What is refused has no value that could be wrong in another way.
    refused = {(problem.line, problem.column) for problem in reading.problems}
    entries: list[Entry] = []
    for key, node in document.root.children.items():
        if (node.position.line, node.position.column) in refused:
            continue
        position = node.key or node.position
        value: object = node.value
        if key in {"repo", "data"} and isinstance(value, str):
            value = str(path.parent / value)
        entries.append((str(key), value, Origin.in_file(str(path), position.line, position.column)))
    return tuple(entries), faults


def _fault(problem: Problem) -> Fault:
    mend = f"expected {problem.expected}" if problem.expected else ""
    return Fault(Origin.in_file(problem.file, problem.line, problem.column), problem.message, mend)
