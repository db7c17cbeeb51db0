"""How commands speak: results to standard output, everything else to standard error.

Colour only on a terminal and never with `NO_COLOR` (https://no-color.org); what
comes from outside is printed as text, never as markup or control characters.
Rich is imported when something is printed: it takes longer than all of `--help`.
"""

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from remit.audit import Row
    from remit.cli.checkup.finding import Finding

__all__ = [
    "NAME_WIDTH",
    "Column",
    "ago",
    "counted",
    "instant",
    "print_json",
    "print_lines",
    "print_table",
    "say",
    "say_error",
    "say_hint",
    "styled",
    "visible",
]


NAME_WIDTH = 40
"""Names that somebody else chose may be as long as they like; a table may not."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and how its cells look."""

    heading: str
    style: str = ""
    folds: bool = False
    """Whether long cells go on on the next line."""
    widest: int | None = None
    """Characters after which a cell is cut; `--json` has all of it. `None`: never cut."""


def print_table(
    columns: Sequence[Column], rows: Iterable[Sequence["str | Text"]], *, empty: str
) -> None:
    """A table, or the sentence `empty` when there are no rows."""
    from rich.table import Table

    rows = list(rows)
    if not rows:
        say_hint(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(
            column.heading, style=column.style, overflow="fold", no_wrap=not column.folds
        )
    for row in rows:
        table.add_row(*map(_cell, columns, row))
    if sys.stdout.isatty():
        _console().print(table)
        return
    # A pipe has no width: nothing may be folded there, or a script would read halves.
    console = _console(width=400)
    with console.capture() as captured:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def print_event(event: "Row") -> None:
    """One event on one line, as it comes: when, what, who, on what, with what outcome, and why."""
    from rich.text import Text

    colours = {"allow": "green", "ok": "green", "deny": "red", "fail": "red", "challenge": "yellow"}
    line = Text.assemble(
        (f"{event.time:<24}  ", "dim"),
        f"{event.what:<20}  {event.who:<30}  {event.agent:<18}  ",
        (f"{event.outcome:<9}  ", colours.get(event.outcome, "")),
        f"{event.target}  ",
        (event.reason, "dim"),
    )
    line.rstrip()
    _console().print(line, soft_wrap=True)
    sys.stdout.flush()


def print_findings(findings: "Iterable[Finding]") -> None:
    """What the doctor found, the mend under what needs one."""
    from rich.text import Text

    marks = {
        "fine": ("ok    ", "green"),
        "note": ("note  ", "yellow"),
        "down": ("DOWN  ", "bold yellow"),
        "unsafe": ("UNSAFE", "bold red"),
    }
    console = _console()
    for finding in findings:
        head = Text.assemble(
            marks[finding.level.value],
            "  ",
            (f"{finding.about}: ", "bold"),
            _printable(finding.text),
        )
        console.print(head, soft_wrap=True)
        if finding.mend:
            console.print(
                Text(f"        mend: {_printable(finding.mend)}", style="dim"), soft_wrap=True
            )


def print_fields(fields: Iterable[tuple[str, str]]) -> None:
    """Names and values, one a line; what has no value is left out."""
    from rich.text import Text

    kept = [(name, value) for name, value in fields if value not in {"", "-"}]
    width = max((len(name) for name, _ in kept), default=0)
    console = _console()
    for name, value in kept:
        line = Text.assemble((f"{name:<{width}}  ", "bold"), _printable(value))
        console.print(line, soft_wrap=True)


def print_lines(lines: "Iterable[Text]") -> None:
    """Lines that are put together already, as long as they are."""
    console = _console()
    for line in lines:
        console.print(line, soft_wrap=True)


def print_json(value: object) -> None:
    """`value` as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def say(text: "str | Text") -> None:
    """A result in words, on standard output."""
    _console().print(_plain(text) if isinstance(text, str) else text, soft_wrap=True)


def say_hint(text: str) -> None:
    """Something worth knowing that is not the result, on standard error."""
    text_of = _plain(text)
    text_of.stylize("dim")
    _console(stderr=True).print(text_of, soft_wrap=True)


def say_error(text: str, *, mend: str = "") -> None:
    """What went wrong, and what to do next, on standard error."""
    from rich.text import Text

    console = _console(stderr=True)
    console.print(Text.assemble(("error: ", "bold red"), _printable(text)), soft_wrap=True)
    if mend:
        console.print(Text.assemble(("  next: ", "bold"), _printable(mend)), soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """`1 mistake`, `2 mistakes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def instant(seconds: object) -> str:
    """An instant as ISO 8601 in UTC; a dash for none."""
    if not isinstance(seconds, int):
        return "-"
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def ago(seconds: object) -> str:
    """How long since an instant, roughly; a dash for none."""
    if not isinstance(seconds, int):
        return "-"
    passed = int(time.time()) - seconds
    if passed < 0:
        return "in future"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if passed >= 2 * size:
            return f"{passed // size} {unit} ago"
    return f"{passed} s ago"


def visible(text: str) -> str:
    """`text` with everything that cannot be seen, or turns other text around, told by its code point."""
    return "".join(one if one.isprintable() else f"⟨U+{ord(one):04X}⟩" for one in text)


def styled(text: str, style: str) -> "Text":
    """A cell of its own style."""
    cell = _plain(text)
    cell.stylize(style)
    return cell


def _cell(column: Column, cell: "str | Text") -> "Text":
    if not isinstance(cell, str):
        return cell
    cut = column.widest is not None and len(cell) > column.widest
    return _plain(f"{cell[: (column.widest or 1) - 1]}…" if cut else cell)


def _console(*, stderr: bool = False, width: int | None = None) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr, width=width, highlight=False)


def _plain(text: str) -> "Text":
    from rich.text import Text

    return Text(_printable(text))


def _printable(text: str) -> str:
    return "".join(
        one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text
    )
