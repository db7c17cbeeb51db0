"""Which cases are run: words that their titles and files have, joined by `and`, `or` and `not`.

Refused: an expression that is none, with the place where it stops being one.
"""

import re
from collections.abc import Callable
from typing import ClassVar, Final

from remit.casebook.case import Case
from remit.documents import quoted
from remit.errors import Error

__all__ = ["Selection", "SelectionInvalidError", "selection_of"]

Selection = Callable[[Case], bool]
"""Whether a case is to be run."""

_LEXEME: Final = re.compile(
    r"\s*(?:(?P<sign>[()])|(?P<quoted>\"[^\"]*\"|'[^']*')|(?P<word>[^\s()]+))"
)
_JOINTS: Final = frozenset({"and", "or", "not"})


class SelectionInvalidError(Error):
    """What was given to choose cases by is no expression."""

    code: ClassVar[str] = "selection_invalid"


def selection_of(text: str) -> Selection:
    """The choice that `text` means: `refund`, `refund and not ledger`, `"up to the limit" or (crm and read)`.

    Raises:
        SelectionInvalidError: it means nothing.
    """
    reader = _Reader(_lexemes(text), text)
    choice = reader.either()
    reader.end()
    return lambda case: choice(f"{case.file} {case.title}".casefold())


_Choice = Callable[[str], bool]


def _lexemes(text: str) -> list[str]:
    return [found.group().strip() for found in _LEXEME.finditer(text)]


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, lexemes: list[str], text: str) -> None:
        self._left = lexemes
        self._text = text

    def either(self) -> _Choice:
        """Choices joined by `or`."""
        choice = self._both()
        while self._next_is("or"):
            choice = _joined(any, choice, self._both())
        return choice

    def end(self) -> None:
        """Nothing may follow."""
        if self._left:
            raise self._refusal(self._left[0])

    def _both(self) -> _Choice:
        choice = self._one()
        while self._next_is("and"):
            choice = _joined(all, choice, self._one())
        return choice

    def _one(self) -> _Choice:
        if self._next_is("not"):
            inner = self._one()
            return lambda title: not inner(title)
        if self._next_is("("):
            inner = self.either()
            if not self._next_is(")"):
                raise self._refusal("the end")
            return inner
        if not self._left or self._left[0] in {*_JOINTS, ")"}:
            raise self._refusal(self._left[0] if self._left else "the end")
        word = self._left.pop(0).strip("\"'").casefold()
        return lambda title: word in title

    def _next_is(self, lexeme: str) -> bool:
        if self._left and self._left[0] == lexeme:
            del self._left[0]
            return True
        return False

    def _refusal(self, at: str) -> SelectionInvalidError:
        return SelectionInvalidError(
            f"{quoted(self._text)} chooses no cases: a word belongs where {quoted(at)} stands"
        )


def _joined(how: Callable[[list[bool]], bool], first: _Choice, second: _Choice) -> _Choice:
    return lambda title: how([first(title), second(title)])
