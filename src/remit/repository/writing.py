"""Writes the example repository: where `remit init` starts, and what the documentation speaks of."""

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


def write_example(path: Path) -> tuple[Path, ...]:
    """Write the example into the folder `path`, which is made if need be; return what was written.

    Beside the files it writes their JSON Schemas into `.schemas/`, for editors.

    Raises:
        ConflictError: something else than `.git` is there; nothing was written.
    """
    if path.exists() and (
        not path.is_dir() or any(entry.name != ".git" for entry in path.iterdir())
    ):
        raise ConflictError(f"{quoted(path)} is not an empty folder")
    written = []
    for name, content in _contents():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written.append(target)
    return tuple(written)


def _contents() -> Iterator[tuple[str, bytes]]:
    yield from _below(files("remit.repository") / "example", "")
    for name, schema in sorted(json_schemas().items()):
        yield f"{_SCHEMAS}/{name}", orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n"


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _below(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
