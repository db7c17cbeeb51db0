"""`# remit: ignore[code] reason`: an exception to a remark, where it stands, and why it was made.

It silences remarks of that code on its own line; standing alone on a line, on the next one. Refused: an
exception without a reason, of a code that does not exist, or of a mistake: with a mistake nothing is loaded.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from remit.documents import Problem, did_you_mean, quoted
from remit.documents.problem import printable
from remit.repository.kinds import KINDS, lint_codes
from remit.repository.lint.noticed import Noticed

__all__ = ["Exceptions", "exceptions_in"]

_MARK: Final = re.compile(r"(?:^|\s)(?P<mark>#\s*remit:\s*ignore\b(?P<rest>.*))$")
_REST: Final = re.compile(r"\[(?P<codes>[^\]]*)\](?P<reason>.*)")
_LEAST_REASON: Final = 3


@dataclass(frozen=True, slots=True)
class _Exception:
    """One code on one line."""

    file: str
    line: int
    """The line whose remarks it silences."""
    code: str
    problem: Problem
    """Where it is written itself, for when nothing is left to silence."""


@dataclass(frozen=True, slots=True)
class Exceptions:
    """All that stand in some files, and what is wrong with others."""

    valid: tuple[_Exception, ...]
    wrong: tuple[Noticed, ...]

    def silence(self, noticed: Iterable[Noticed]) -> list[Noticed]:
        """What is left of `noticed`, with what is wrong here, and the exceptions that silenced nothing."""
        silenced: set[_Exception] = set()
        kept: list[Noticed] = []
        places = {(one.file, one.line, one.code): one for one in self.valid}
        for one in noticed:
            exception = places.get((one.problem.file, one.problem.line, one.code))
            if exception is None:
                kept.append(one)
            else:
                silenced.add(exception)
        idle = (one for one in self.valid if one not in silenced)
        return [*kept, *self.wrong, *(Noticed.of("unused-ignore", one.problem) for one in idle)]


def exceptions_in(texts: Mapping[str, str]) -> Exceptions:
    """Every exception in `texts`, which are YAML files by their paths."""
    valid: list[_Exception] = []
    wrong: list[Noticed] = []
    for file, text in texts.items():
        lines = text.splitlines()
        for number, line in enumerate(lines, start=1):
            if found := _MARK.search(line):
                for one in _read(file, number, line, found):
                    if isinstance(one, Noticed):
                        wrong.append(one)
                    else:
                        valid.append(one)
    return Exceptions(tuple(valid), tuple(wrong))


def _read(
    file: str, number: int, line: str, found: re.Match[str]
) -> Iterator[_Exception | Noticed]:
    mark = found["mark"]
    column = found.start("mark")

    def problem(message: str, expected: str = "") -> Problem:
        return Problem(
            file=file,
            line=number,
            column=column + 1,
            message=message,
            expected=expected,
            excerpt=printable(line),
            width=len(mark),
        )

    form = "`# remit: ignore[code] reason`"
    parts = _REST.match(found["rest"])
    codes = [] if parts is None else [one.strip() for one in parts["codes"].split(",")]
    if parts is None or not all(codes):
        yield Noticed.of("bad-ignore", problem("an exception of no kind", form))
        return
    if len(parts["reason"].strip()) < _LEAST_REASON:
        yield Noticed.of("bad-ignore", problem("an exception without a reason", form))
        return
    alone = not line[:column].strip()
    for code in codes:
        if code in lint_codes():
            over = problem(f"nothing here is silenced by {quoted(code)}")
            yield _Exception(file, number + 1 if alone else number, code, over)
        elif code in KINDS:
            message = f"{quoted(code)} is a mistake, which nothing silences"
            yield Noticed.of("bad-ignore", problem(message))
        else:
            near = did_you_mean(code, lint_codes())
            yield Noticed.of("bad-ignore", problem(f"there is no code {quoted(code)}{near}"))
