"""What was done before a case: what its table says, and nothing where it says nothing; the case's own call is counted in."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from remit.guard.use import Entry, Use
from remit.model import HistoryMeasure
from remit.policy.history import History, HistoryValue

__all__ = ["TablePast"]


@dataclass(frozen=True, slots=True)
class TablePast:
    """A past that a table tells. `before`: what facts came to without this call."""

    before: Mapping[str, object]

    async def come_to(self, use: Use) -> History:
        """What the facts that are read come to with `use`. Raises `ValueError` for one that is told in another sort."""
        return {
            entry.fact.name: _with(self.before.get(entry.fact.name), entry)
            for entry in use.entries
            if entry.told
        }

    async def take_back(self, use: Use) -> None:
        """Nothing is kept."""


def _with(before: object, entry: Entry) -> HistoryValue:
    counted, name = entry.counted, entry.fact.name
    try:
        match entry.fact.measure:
            case HistoryMeasure.COUNT:
                return int(str(before or 0)) + counted
            case HistoryMeasure.SUM:
                return Decimal(str(before or 0)) + (entry.amount if counted else 0)
            case HistoryMeasure.EVER:
                return bool(before) or counted
            case HistoryMeasure.TOOLS | HistoryMeasure.DATA_CATEGORIES:
                told = (
                    frozenset(map(str, before)) if isinstance(before, list | tuple) else frozenset()
                )
                return told | frozenset(entry.members) if counted else told
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"the fact `{name}` is no {entry.fact.measure.value}") from error
