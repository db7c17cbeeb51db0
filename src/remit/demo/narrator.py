"""How the story is told in a terminal: numbered steps, each with what was asked, answered, and why."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

__all__ = ["Narrator"]

_MARKS = {"ok": ("✔", "green"), "no": ("✘", "red"), "ask": ("→", "cyan"), "why": ("·", "dim")}


class Narrator:
    """Prints the story; counts its steps."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._step = 0

    def title(self, text: str, subtitle: str) -> None:
        """The heading of the whole story."""
        self.console.print()
        self.console.print(Text(text, style="bold"))
        self.console.print(Text(subtitle, style="dim"))

    def step(self, title: str) -> None:
        """Begin the next numbered step."""
        self._step += 1
        self.console.print()
        self.console.print(Text(f"{self._step:2d}  {title}", style="bold cyan"))

    def asked(self, text: str) -> None:
        """What somebody asked for."""
        self._line("ask", text)

    def allowed(self, text: str) -> None:
        """What was answered, when the answer was yes."""
        self._line("ok", text)

    def refused(self, text: str) -> None:
        """What was answered, when the answer was no."""
        self._line("no", text)

    def why(self, text: str) -> None:
        """The reason, quieter."""
        self._line("why", text, style="dim")

    def table(self, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """A table, indented under its step."""
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="ellipsis", no_wrap=True)
        for row in rows:
            # What clients call themselves is in here: text, never markup.
            table.add_row(*(Text(cell) for cell in row))
        self.console.print(Padding(table, (0, 0, 0, 4)))

    def waiting(self, text: str) -> AbstractContextManager[object]:
        """A spinner while something takes its time."""
        return self.console.status(text)

    def last_line(self, text: str) -> None:
        """The line the story ends with."""
        self.console.print()
        self.console.print(Text(text, style="bold green"), soft_wrap=True)

    def _line(self, mark: str, text: str, style: str = "") -> None:
        sign, colour = _MARKS[mark]
        line = Table.grid(padding=(0, 1))
        line.add_column(width=1)
        line.add_column(overflow="fold")
        line.add_row(Text(sign, style=colour), Text(text, style=style))
        self.console.print(Padding(line, (0, 0, 0, 4)))
