"""What came of decision tables: of each case what was expected, what was found, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from remit.casebook.case import Case, Outcome
from remit.casebook.coverage import Coverage
from remit.policy.decision import MatchedRule
from remit.policy.obligation import Obligation

__all__ = ["Difference", "Found", "Report", "Result", "Status"]


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"
    """An engine in another process would have to be asked, or this stage does not have what it is about."""
    LEFT_OUT = "left_out"
    """It is for other stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was decided. `outcome` and `message` are what the caller is told, `reason` is the truth."""

    outcome: Outcome
    reason: str
    rules: tuple[MatchedRule, ...] = ()
    observed: tuple[MatchedRule, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    needs: tuple[Obligation, ...] = ()
    """What would cure it."""
    message: str = ""
    scopes: tuple[str, ...] = ()
    """Those that a challenge asks for."""
    missing: tuple[str, ...] = ()
    """Those that the token lacks."""
    held: tuple[str, ...] = ()
    """Those that the token holds."""
    granted: tuple[str, ...] = ()
    withheld: Mapping[str, str] | None = None
    sees: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    """What the engine reported."""
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which what was found is not what was expected, in words."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one case. `found` is `None` when it was not run; then `why` says why not."""

    case: Case
    status: Status
    found: Found | None = None
    differences: tuple[Difference, ...] = ()
    why: str = ""
    micros: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of all cases, in the order of the files, and what they leave unproved."""

    results: tuple[Result, ...]
    coverage: Coverage
    catalog_version: str
    stage: str | None = None
    micros: int = 0

    def of(self, status: Status) -> tuple[Result, ...]:
        """The results of one sort."""
        return tuple(one for one in self.results if one.status is status)

    @property
    def passed(self) -> bool:
        """Whether every case that is for this stage was run and came out as expected; no cases pass nothing."""
        counted = [one for one in self.results if one.status is not Status.LEFT_OUT]
        return bool(counted) and all(one.status is Status.PASSED for one in counted)
