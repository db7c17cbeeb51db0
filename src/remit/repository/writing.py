"""Writes the example repositories: where `remit init` starts, and what the documentation speaks of.

The small one is read in ten minutes. The complete one is laid over it, file by file, and has every sort of rule.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import orjson

from remit.documents import quoted
from remit.errors import ConflictError
from remit.repository.schemas import json_schemas

__all__ = ["write_example"]

_SCHEMAS = ".schemas"


def write_example(path: Path, *, complete: bool = False) -> tuple[Path, ...]:
    """Write the example, or the complete one, into the folder `path`, which is made if need be; return what was written.

    Beside the files it writes their JSON Schemas into `.schemas/`, for editors.

    Raises:
        ConflictError: something else than `.git` is there; nothing was written.
    """
    if path.exists() and (
        not path.is_dir() or any(entry.name != ".git" for entry in path.iterdir())
    ):
        raise ConflictError(f"{quoted(path)} is not an empty folder")
    written = []
    for name, content in _contents(complete=complete).items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written.append(target)
    return tuple(written)


def _contents(*, complete: bool) -> dict[str, bytes]:
    found = dict(_below(files("remit.repository") / "example", ""))
    if complete:
        found |= dict(_below(files("remit.repository") / "example_complete", ""))
    for name, schema in sorted(json_schemas().items()):
        found[f"{_SCHEMAS}/{name}"] = orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n"
    return found


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _below(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
