"""Two repositories, side by side, and what a piece of the log comes to before them."""

from dataclasses import dataclass, field

from remit.audit.record_seal import RecordKeys, RecordSeal
from remit.model import Sensitivity
from remit.replay.court import Court
from remit.replay.judged import ALIKE, Judge, Judged
from remit.replay.privilege import is_privileged
from remit.replay.reading import Piece, decisions_in
from remit.replay.rebuilt import Rebuilder
from remit.replay.records import Records
from remit.replay.skipped import Skipped
from remit.replay.tally import Tally
from remit.repository import LoadedRepository

__all__ = ["Bench", "Brief"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """All that a bench needs to know."""

    records: Records
    old: LoadedRepository
    new: LoadedRepository
    record_key: bytes | RecordKeys | None = field(default=None, repr=False)


class Bench:
    """Sums up pieces. For one thread."""

    def __init__(self, brief: Brief) -> None:
        """Load both repositories.

        Raises:
            PolicyInvalidError: one of them does not check.
        """
        seal = None if brief.record_key is None else RecordSeal(brief.record_key)
        self._records = brief.records
        self._judge = Judge(Court(brief.old), Court(brief.new), Rebuilder(seal))

    def sum_of(self, piece: Piece) -> Tally:
        """What the decisions in `piece` come to."""
        tally, judge = Tally(), self._judge
        unsealed = judge.rebuilder.unsealed
        for entry in decisions_in(piece, self._records):
            if entry is None:
                tally.damaged += 1
                continue
            judged = judge.judge(entry)
            if judged is ALIKE:
                tally.add_alike(entry)
            elif isinstance(judged, Skipped):
                tally.skip(judged)
            else:
                tally.add(entry, judged, self._scopes_of)
        tally.unsealed = judge.rebuilder.unsealed - unsealed
        return tally

    def _scopes_of(self, judged: Judged) -> tuple[tuple[str, ...], bool]:
        """What the thing takes, under the candidate or as it is now, and whether to use it is privileged."""
        old, new = self._judge.old, self._judge.new
        targets = [
            one
            for one in (new.target(judged.rebuilt), old.target(judged.rebuilt))
            if one is not None
        ]
        scopes = tuple(dict.fromkeys(scope for one in targets for scope in one.scopes))
        sensitive = any(one.sensitivity.rank >= Sensitivity.HIGH.rank for one in targets)
        privileged = sensitive or any(
            is_privileged(scope, old.catalog, new.catalog) for scope in scopes
        )
        return scopes, privileged
