"""Problems as a person reads them: where, what, the line itself, and a caret under it."""

from collections.abc import Iterable

from rich.text import Text

from remit.documents.problem import Problem, printable

__all__ = ["render_problem", "render_problems"]

_WIDEST = 110
_BEFORE = 60


def render_problems(problems: Iterable[Problem]) -> Text:
    """All of `problems`, in the order of files and lines, and how many there are."""
    ordered = sorted(problems)
    text = Text()
    for problem in ordered:
        text.append_text(render_problem(problem))
    text.append(_tally(ordered), style="bold red" if ordered else "bold green")
    return text


def render_problem(
    problem: Problem, *, label: str = "", style: str = "red", notes: Iterable[str] = ()
) -> Text:
    """One problem with its line and a caret, and an empty line after it; `notes` each on a line of their own."""
    text = _heading(problem, label, style)
    if problem.excerpt.strip():
        text.append_text(_excerpt(problem, style))
    margin = " " * (len(str(problem.line)) + 3)
    if problem.expected:
        text.append(f"{margin}expected {problem.expected}\n", style="dim")
    for note in notes:
        text.append(f"{margin}{note}\n", style="dim")
    text.append("\n")
    return text


def _heading(problem: Problem, label: str, style: str) -> Text:
    return Text.assemble(
        (f"{printable(problem.file)}:{problem.line}:{problem.column}", "bold"),
        "  ",
        (f"{label}{problem.message}\n", style),
    )


def _excerpt(problem: Problem, style: str) -> Text:
    """The line with its number, cut to the part around the caret when it is long."""
    start = max(0, problem.column - 1 - _BEFORE) if len(problem.excerpt) > _WIDEST else 0
    shown = problem.excerpt[start : start + _WIDEST]
    offset = max(0, problem.column - 1 - start)
    carets = "^" * max(1, min(problem.width, len(shown) - offset))
    number = str(problem.line)
    return Text.assemble(
        (f"  {number} │ ", "dim"), f"{shown}\n",
        (f"  {' ' * len(number)} │ ", "dim"), (f"{' ' * offset}{carets}\n", style),
    )  # fmt: skip


def _tally(problems: list[Problem]) -> str:
    if not problems:
        return "no mistakes"
    files = len({problem.file for problem in problems})
    some = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    return f"{some} in {'1 file' if files == 1 else f'{files} files'}"
