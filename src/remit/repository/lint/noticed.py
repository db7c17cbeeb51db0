"""What a rule of the linter noticed, and the edits that would mend it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from remit.documents import Path, Problem

__all__ = ["Action", "Edit", "Noticed"]


class Action(StrEnum):
    """How a file is changed."""

    REMOVE_ITEM = "remove_item"
    """Take `value` out of the list at `path`; the key goes with the last one where it may."""
    REMOVE_ENTRY = "remove_entry"
    """Take the key at `path` out, with its value and the comment over it."""
    SORT = "sort"
    """Put the texts of the list at `path` in order."""
    HEAD = "head"
    """Begin the file with the line `value`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change of the text of one file."""

    file: str
    action: Action
    path: Path = ()
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A problem of the kind `code`, and what would mend it; nothing, where only a person can."""

    code: str
    problem: Problem
    edits: tuple[Edit, ...] = ()

    @classmethod
    def of(cls, code: str, problem: Problem, *edits: Edit) -> "Noticed":
        """`problem`, made one of the kind `code`."""
        return cls(code=code, problem=replace(problem, code=code), edits=edits)
