"""A mistake in a file, and where it stands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from remit.errors import Error

__all__ = ["DocumentInvalidError", "Problem", "coded", "printable", "quoted"]

_QUOTED_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One mistake. `line` and `column` count from 1; `file` is relative to what was loaded.

    `expected` says what would have been right, when there is more to say than
    `message`. `excerpt` is the offending line and `width` how much of it is meant.
    """

    file: str
    line: int
    column: int
    message: str
    expected: str = ""
    excerpt: str = ""
    width: int = 1
    code: str = ""
    """The kind of problem, stable for machines; empty where whoever found it leaves that to others."""

    def __str__(self) -> str:
        expected = f" (expected {self.expected})" if self.expected else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{expected}"


class DocumentInvalidError(Error):
    """What was read does not say what it should. `problems` are all that were found."""

    code: ClassVar[str] = "document_invalid"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        first = str(self.problems[0]) if self.problems else "nothing said why"
        more = len(self.problems) - 1
        super().__init__(f"{first} and {more} more" if more > 0 else first)


def coded(problems: Iterable[Problem], code: str) -> Iterator[Problem]:
    """`problems`, each of the kind `code` unless it is of another already."""
    return (problem if problem.code else replace(problem, code=code) for problem in problems)


def quoted(text: object) -> str:
    """`text` between backticks, on one line, shortened, with what does not print replaced."""
    shown = printable(str(text))
    if len(shown) > _QUOTED_LENGTH:
        shown = shown[: _QUOTED_LENGTH - 1] + "…"
    return f"`{shown}`"


def printable(text: str) -> str:
    """`text` with each character that could move a cursor or turn the writing around replaced.

    One character for one, so that columns stay where they are.
    """
    return "".join(
        character
        if character.isprintable()
        else " "
        if character.isspace()
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
