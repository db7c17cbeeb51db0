"""What is worth a second look in how files are written: schemas, order, and overlays that change nothing."""

from collections.abc import Iterator
from typing import Final

from remit.documents import (
    Document,
    DocumentInvalidError,
    Path,
    Problem,
    is_removal,
    lay_over,
    parse_yaml,
    quoted,
)
from remit.repository.files import AGENTS, SERVERS, STAGES
from remit.repository.lint.inventory import Inventory
from remit.repository.lint.noticed import Action, Edit, Noticed
from remit.repository.loading import Examination

__all__ = ["layout_lints"]

_MARK: Final = "# yaml-language-server: $schema="
_SCHEMAS: Final = ".schemas"


def layout_lints(found: Examination, inventory: Inventory) -> Iterator[Noticed]:
    """Everything about files and their order."""
    yield from _schemas(found)
    yield from _order(inventory)
    yield from _overlays(found)


def _schemas(found: Examination) -> Iterator[Noticed]:
    for document in found.draft.documents():
        name = document.file
        if name not in found.files.contents or any(_MARK in line for line in document.lines):
            continue
        folder = name.rpartition("/")[0]
        stem = {SERVERS: "server", AGENTS: "agent"}.get(folder, name.removesuffix(".yaml"))
        line = f"{_MARK}{'../' if folder else ''}{_SCHEMAS}/{stem}.schema.json"
        problem = Problem(
            file=name, line=1, column=1, message="the file does not name its schema", expected=quoted(line)
        )  # fmt: skip
        yield Noticed.of("missing-schema", problem, Edit(file=name, action=Action.HEAD, value=line))


def _order(inventory: Inventory) -> Iterator[Noticed]:
    """Only lists whose order means nothing: in no other place is the first asked for before the second."""
    for one in (*inventory.scopes.values(), *inventory.roles):
        if list(one.scopes) != sorted(one.scopes):
            yield _unordered(one.document, one.list_path, one.name)


def _unordered(document: Document, path: Path, name: str) -> Noticed:
    message = f"the scopes of {quoted(name)} are not in order"
    edit = Edit(file=document.file, action=Action.SORT, path=path)
    return Noticed.of("unordered-list", document.problem(path, message, at_key=True), edit)


def _overlays(found: Examination) -> Iterator[Noticed]:
    files = found.files
    for stage, overlay in files.overlays.items():
        for name, content in overlay.items():
            path = f"{STAGES}/{stage}/{name}"
            if _changes_nothing(files.contents.get(name), content, name):
                problem = Problem(
                    file=path, line=1, column=1, message=f"nothing is different in {quoted(stage)} by this file"
                )  # fmt: skip
                yield Noticed.of("overlay-unchanged", problem)


def _changes_nothing(below: bytes | None, above: bytes, name: str) -> bool:
    if not name.endswith(".yaml"):
        return below == above or (below is None and not above.strip())
    try:
        over = parse_yaml(above, file=name)
        if below is None:
            return over.root.value is None
        base = parse_yaml(below, file=name)
    except DocumentInvalidError:
        return False
    if over.root.value is None:
        return not is_removal(over)
    return lay_over(base, over).value == base.value
