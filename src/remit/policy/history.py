"""What was done before, as policies read it: one value for each fact that the repository declares.

Kept by Remit, under names that the caller cannot choose, so that no new session, token or grant
begins it anew. A value speaks of the moment after this call: what it would come to if it were allowed.

Source: MISSION B4, B7; docs/reference/policy-repository.md, `history`.
"""

from collections.abc import Mapping
from decimal import Decimal

from remit.canonical import Json, JsonObject

__all__ = ["History", "HistoryValue", "history_json", "history_of"]

HistoryValue = int | bool | Decimal | frozenset[str]
"""A count, whether something was ever done, a sum, or which."""

History = Mapping[str, HistoryValue]
"""By the name of the fact."""


def history_json(history: History) -> JsonObject:
    """`history` as it is recorded and travels: sums as text, sets as sorted lists."""
    return {name: _json(value) for name, value in history.items()}


def history_of(recorded: Mapping[str, Json]) -> History:
    """What `history_json` made that of.

    Raises:
        ValueError: it is nothing of the sort.
    """
    return {name: _value(value) for name, value in recorded.items()}


def _json(value: HistoryValue) -> Json:
    match value:
        case Decimal():
            return f"{value:f}"
        case frozenset():
            return [*sorted(value)]
        case _:
            return value


def _value(recorded: Json) -> HistoryValue:
    match recorded:
        case bool() | int():
            return recorded
        case str() if recorded.replace(".", "", 1).isdigit() and recorded.isascii():
            return Decimal(recorded)
        case list():
            return frozenset(_text(one) for one in recorded)
        case _:
            raise ValueError("no value of a fact of history")


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError("a set holds text")  # noqa: TRY004  a value that came from outside
    return value
