"""Asking twice before something that many will notice.

On a terminal the person is asked; elsewhere it takes `--yes`, so that a script says in so
many words that it means it. Nothing has happened when the answer is no.
"""

import sys
from typing import Annotated, ClassVar

import typer

from remit.errors import Error

__all__ = ["NotConfirmedError", "Yes", "confirm"]

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]


class NotConfirmedError(Error):
    """Nobody said that it is meant; nothing was done."""

    code: ClassVar[str] = "not_confirmed"


def confirm(question: str, *, yes: bool) -> None:
    """Return when it is meant.

    Raises:
        NotConfirmedError: it is not, or nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotConfirmedError("standard input is no terminal to ask on; add --yes if it is meant")
    if not typer.confirm(question, err=True):
        raise NotConfirmedError("nothing was done")
