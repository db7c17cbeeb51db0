"""What a verification found.

Exit status: 0 valid, 1 tampered with, 2 not enough evidence to tell, 3 older than was asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

__all__ = ["Problem", "StreamReport", "Verdict", "VerifyReport", "worst"]


class Verdict(IntEnum):
    """The exit status of a verification."""

    VALID = 0
    TAMPERED = 1
    INCOMPLETE = 2
    STALE = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, and what.

    `kind` is `framing`, `sequence`, `link`, `root`, `short`, `missing`, `checkpoint`, `key`, `since`,
    `unreadable`, `unsigned`, `cosignature`, `quorum`, `receipt`, `time`, `joined`, `pruned`, `stamp` or `stale`. `sequence` is the first record it concerns and `through`
    the last, when the evidence does not single one out.
    """

    kind: str
    file: str
    line: int | None = None
    sequence: int | None = None
    through: int | None = None
    what: str = ""


@dataclass(slots=True)
class StreamReport:
    """What was found in one stream. `proven` records, from 0, are as a checkpoint signs them.

    Of them `witnessed` are as enough witnesses saw them, at `witnessed_at` (seconds); records before `first` were
    pruned, and only their hashes are there.
    """

    path: Path
    origin: str = ""
    pinned: bool = False
    records: int = 0
    checkpoints: int = 0
    proven: int = 0
    first: int = 0
    witnessed: int = 0
    witnessed_at: int | None = None
    witnesses: tuple[str, ...] = ()
    joined: int = 0
    receipts: int = 0
    stamped: int = 0
    stamped_at: int | None = None
    trusted: tuple[str, ...] = ()
    """The keys that whoever checks has pinned; else those in the log's folder."""
    signers: dict[str, int] = field(default_factory=dict)
    """Of each key how many records it signed, as they are here."""
    begins: dict[str, int] = field(default_factory=dict)
    """Of each key how many records there were when it signed first."""
    signings: dict[tuple[str, ...], int] = field(default_factory=dict)
    """Of all keys that signed one checkpoint together, how many records the last such checkpoint has."""
    successions: list[tuple[int, str, str]] = field(default_factory=list)
    """Records that name a former key, and the one after it."""
    jumps: list[int] = field(default_factory=list)
    """Records that say that the clock was set, or stood still."""
    unsigned_from: str | None = None
    """When the first of the records was written that no checkpoint signs yet."""
    first_time: str | None = None
    last_time: str | None = None
    proven_time: str | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verdict: Verdict = Verdict.VALID

    def add(self, problem: Problem, verdict: Verdict) -> None:
        """Note `problem`; tampered with outweighs not enough evidence, which outweighs stale."""
        self.problems.append(problem)
        self.verdict = worst((self.verdict, verdict))

    @property
    def last_good(self) -> int | None:
        """The number of the last record that is provably as it was signed."""
        wrong = [one.sequence for one in self.problems if one.sequence is not None]
        good = min([self.proven, *wrong])
        return good - 1 if good else None

    @property
    def unsigned(self) -> int:
        """How many records no checkpoint signs yet."""
        sound = self.verdict in {Verdict.VALID, Verdict.STALE}
        return max(0, self.records - self.proven) if sound else 0


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found in all streams; `failure` says why there was nothing to check."""

    path: Path
    streams: tuple[StreamReport, ...]
    failure: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all: tampered, before not enough evidence, before stale, before valid."""
        whole = Verdict.VALID if self.failure is None else Verdict.INCOMPLETE
        return worst((whole, *(stream.verdict for stream in self.streams)))

    @property
    def exit_code(self) -> int:
        """0 valid, 1 tampered with, 2 not enough evidence, 3 stale."""
        return int(self.verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that counts."""
    found = set(verdicts)
    order = (Verdict.TAMPERED, Verdict.INCOMPLETE, Verdict.STALE)
    return next((verdict for verdict in order if verdict in found), Verdict.VALID)
