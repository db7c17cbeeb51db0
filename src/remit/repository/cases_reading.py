"""From a file of decision tables to whole cases: defaults under the case, the cells of a row over it.

Everything keeps its place: a mistake in a default is reported where the default stands, one in a cell at the cell.
Mappings (`arguments`, `expect`, `history`) are joined key by key, everything else replaces; what says what is asked
(`tool`, `list` and so on) replaces whatever said so before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import ValidationError

from remit.documents import (
    ANY,
    Document,
    DocumentInvalidError,
    Node,
    Path,
    Plain,
    Problem,
    did_you_mean,
    one_of,
    problems_of,
    quoted,
    validate,
)
from remit.documents.document import Position
from remit.repository.cases_file import PLACES, CaseFields, CasesFile, RealisedCase

__all__ = ["ReadCase", "ReadFile", "read_cases"]

_EXPECT: Final = "expect"
_FIELDS: Final = frozenset(field.alias or name for name, field in CaseFields.model_fields.items())
_OPEN: Final = ("arguments", "history", "elevation", _EXPECT)
"""The keys whose parts may be columns of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCase:
    """A whole case and the document that it would be, each part with its own place.

    `row` is its number in a table, from 1, and `cells` what its row says, in words; `at` is where it stands.
    """

    values: RealisedCase
    document: Document
    at: Position
    row: int | None = None
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """A file of tables: its people and its cases, in the order of the file."""

    document: Document
    values: CasesFile
    cases: tuple[ReadCase, ...]


def read_cases(document: Document, problems: list[Problem]) -> ReadFile | None:
    """The cases of `document`; `None` when it is no file of tables. Cases with a mistake are left out and reported."""
    found: list[Problem] = []
    values: CasesFile | None = None
    try:
        values = validate(document, CasesFile)
    except DocumentInvalidError as error:
        found.extend(error.problems)
    cases = tuple(_cases(document, found))
    # The same default stands behind many cases, and its mistake is one.
    problems.extend(dict.fromkeys(found))
    return None if values is None else ReadFile(document=document, values=values, cases=cases)


def _cases(document: Document, problems: list[Problem]) -> Iterator[ReadCase]:
    defaults, _ = document.nearest(("defaults",))
    below = (
        _normal(defaults)
        if isinstance(defaults.value, dict) and defaults is not document.root
        else None
    )
    for path, node in document.find(("cases", ANY)):
        if not isinstance(node.value, dict):
            continue  # `validate` has said so.
        case = _over(below, _normal(_without(node, ("columns", "rows"))))
        if "rows" not in node.children and "columns" not in node.children:
            yield from _whole(document, case, problems, at=node.position)
            continue
        columns = _columns(document, path, problems)
        if columns is not None:
            yield from _rows(document, (path, node), case, columns=columns, problems=problems)


def _columns(document: Document, path: Path, problems: list[Problem]) -> list[Path] | None:
    """The paths that the columns of a table name; `None` when one of them names nothing."""
    node, exists = document.nearest((*path, "columns"))
    rows, has_rows = document.nearest((*path, "rows"))
    if not exists or not has_rows:
        lacking = "rows" if exists else "columns"
        present = "columns" if exists else "rows"
        problems.append(
            document.problem(
                (*path, present), f"{quoted(present)} without {quoted(lacking)}", expected="both"
            )
        )
        return None
    if not isinstance(node.value, list) or not isinstance(rows.value, list):
        return None
    columns: list[Path] = []
    for number, name in enumerate(node.value):
        column = _column(name)
        if column is None:
            known = [*_FIELDS, *(f"{one}.…" for one in _OPEN)]
            problems.append(
                document.problem(
                    (*path, "columns", number),
                    f"unknown column {quoted(name)}{did_you_mean(str(name).split('.')[0], _FIELDS)}",
                    expected=one_of(known),
                )
            )
        elif column in columns:
            words = f"the column {quoted(name)} stands here twice"
            problems.append(document.problem((*path, "columns", number), words, expected="once"))
        else:
            columns.append(column)
    return columns if len(columns) == len(node.value) else None


def _column(name: object) -> Path | None:
    if not isinstance(name, str):
        return None
    first, _, rest = name.partition(".")
    if first not in _FIELDS or (rest and first not in _OPEN) or name.endswith("."):
        return None
    return (first, rest) if rest else (first,)


def _rows(
    document: Document,
    place: tuple[Path, Node],
    case: Node,
    *,
    columns: Sequence[Path],
    problems: list[Problem],
) -> Iterator[ReadCase]:
    path, node = place
    for number, row in node.children["rows"].children.items():
        if not isinstance(row.value, list):
            continue
        if len(row.value) > len(columns):
            at = (*path, "rows", number)
            words = f"a row of {len(row.value)} cells under {len(columns)} columns"
            problems.append(
                document.problem_at(
                    document.nearest(at)[0].position, words, expected="no more cells than columns"
                )
            )
            continue
        whole, cells = case, []
        for column, cell in zip(columns, row.children.values(), strict=False):
            if cell.value is not None:
                whole = _over(whole, _normal(_placed(column, cell)))
                cells.append(_shown(cell.value))
        number_from_1 = int(number) + 1
        yield from _whole(
            document, whole, problems, at=row.position, row=(number_from_1, tuple(cells))
        )


def _whole(
    document: Document,
    case: Node,
    problems: list[Problem],
    *,
    at: Position,
    row: tuple[int, tuple[str, ...]] | None = None,
) -> Iterator[ReadCase]:
    """The case, if it is one."""
    one = replace(document, root=case)
    try:
        values = RealisedCase.model_validate(one.value)
    except ValidationError as error:
        problems.extend(problems_of(one, error, RealisedCase))
        return
    number, cells = (None, ()) if row is None else row
    yield ReadCase(values=values, document=one, at=at, row=number, cells=cells)


def _normal(node: Node) -> Node:
    """`node` with `expect: deny` spelt out, so that more can be said beside it."""
    word = node.children.get(_EXPECT)
    if word is None or not isinstance(word.value, str):
        return node
    spelt = Node(
        {"outcome": word.value}, word.position, word.key, {"outcome": replace(word, key=None)}
    )
    return _with(node, {**node.children, _EXPECT: spelt})


def _over(below: Node | None, above: Node) -> Node:
    """`below` with `above` over it."""
    if below is None:
        return above
    kept = dict(below.children)
    if any(place in above.children for place in PLACES):
        kept = {name: child for name, child in kept.items() if name not in PLACES}
    for name, child in above.children.items():
        before = kept.get(name)
        both = (
            isinstance(child.value, dict) and before is not None and isinstance(before.value, dict)
        )
        if both and name in _OPEN and before is not None:
            kept[name] = _with(child, {**before.children, **child.children})
        else:
            kept[name] = child
    return _with(above, kept)


def _placed(path: Path, cell: Node) -> Node:
    """A mapping in which `cell` stands at `path`."""
    node = cell
    for step in reversed(path):
        node = Node({str(step): node.value}, cell.position, None, {step: replace(node, key=None)})
    return node


def _without(node: Node, names: Sequence[str]) -> Node:
    return _with(node, {name: child for name, child in node.children.items() if name not in names})


def _with(node: Node, children: Mapping[str | int, Node]) -> Node:
    value: dict[str, Plain] = {str(name): child.value for name, child in children.items()}
    return replace(node, value=value, children=children)


def _shown(value: Plain) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(one)}" for name, one in value.items())
    return str(value)
