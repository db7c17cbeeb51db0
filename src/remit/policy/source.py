"""The text of policies, and what is said when it does not check."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from remit.documents import Problem
from remit.errors import Error

__all__ = ["PolicyInvalidError", "PolicySource"]


@dataclass(frozen=True, slots=True)
class PolicySource:
    """One Cedar file. `filename` is relative to the policy repository, for messages."""

    text: str
    filename: str


class PolicyInvalidError(Error):
    """The policies do not check, so none of them is loaded. `problems` are all that were found."""

    code: ClassVar[str] = "policy_invalid"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        first = str(self.problems[0]) if self.problems else "nothing said why"
        more = len(self.problems) - 1
        super().__init__(f"{first} and {more} more" if more > 0 else first)
