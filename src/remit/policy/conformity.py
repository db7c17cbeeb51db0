"""Whether what a call brings is of the types that the schema gives it.

What no policy reads need not be put to Cedar, and Cedar would be who finds out that it is outside
the schema. So it is found out here; what does not conform is put to Cedar whole, which refuses it.

Source: Cedar `decimal` (four places in 64 bits) and `Long`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, assert_never

from remit.model import Argument, ArgumentType, HistoryFact, HistoryMeasure
from remit.policy.evaluation import ArgumentValue, Money
from remit.policy.history import History, HistoryValue

__all__ = ["Conformity", "HistoryConformity"]

_MAX_DECIMAL: Final = Decimal("922337203685477.5807")
_DECIMALS: Final = -4
_MIN_LONG: Final = -(2**63)
_MAX_LONG: Final = 2**63 - 1


class Conformity:
    """The types of one action's arguments."""

    __slots__ = ("_required", "_types")

    def __init__(self, declared: Sequence[Argument]) -> None:
        self._types = {argument.name: argument.type for argument in declared}
        self._required = frozenset(argument.name for argument in declared if argument.required)

    def admits(self, arguments: Mapping[str, ArgumentValue]) -> bool:
        """Whether everything given is declared and of its type, and everything required is given."""
        if not self._required <= arguments.keys():
            return False
        for name, value in arguments.items():
            kind = self._types.get(name)
            if kind is None or not _is_of(value, kind):
                return False
        return True


class HistoryConformity:
    """The types of the declared facts of what was done before."""

    __slots__ = ("_measures",)

    def __init__(self, declared: Mapping[str, HistoryFact]) -> None:
        self._measures = {name: fact.measure for name, fact in declared.items()}

    def admits(self, history: History) -> bool:
        """Whether whatever is told is declared, and of its type."""
        return history.keys() <= self._measures.keys() and all(
            _is_measured(value, self._measures[name]) for name, value in history.items()
        )

    def nothing(self, *, but: frozenset[str]) -> dict[str, HistoryValue]:
        """Every fact as it is of whoever has done nothing, `but` for these: for those that nobody reads."""
        return {
            name: _nothing_of(measure)
            for name, measure in self._measures.items()
            if name not in but
        }


def _is_measured(value: HistoryValue, measure: HistoryMeasure) -> bool:
    match measure:
        case HistoryMeasure.COUNT:
            return type(value) is int and _MIN_LONG <= value <= _MAX_LONG
        case HistoryMeasure.SUM:
            return type(value) is Decimal and _is_exact(value)
        case HistoryMeasure.EVER:
            return type(value) is bool
        case HistoryMeasure.TOOLS | HistoryMeasure.DATA_CATEGORIES:
            return type(value) is frozenset and all(type(one) is str for one in value)
        case _:
            assert_never(measure)


def _nothing_of(measure: HistoryMeasure) -> HistoryValue:
    match measure:
        case HistoryMeasure.COUNT:
            return 0
        case HistoryMeasure.SUM:
            return Decimal(0)
        case HistoryMeasure.EVER:
            return False
        case HistoryMeasure.TOOLS | HistoryMeasure.DATA_CATEGORIES:
            return frozenset()
        case _:
            assert_never(measure)


def _is_of(value: ArgumentValue, kind: ArgumentType) -> bool:
    match kind:
        case ArgumentType.STRING:
            return type(value) is str
        case ArgumentType.INTEGER:
            return type(value) is int and _MIN_LONG <= value <= _MAX_LONG
        case ArgumentType.BOOLEAN:
            return type(value) is bool
        case ArgumentType.DECIMAL:
            return type(value) is Decimal and _is_exact(value)
        case ArgumentType.MONEY:
            return type(value) is Money and _is_exact(value.value)
        case ArgumentType.STRINGS:
            return type(value) is tuple and all(type(one) is str for one in value)
        case _:
            assert_never(kind)


def _is_exact(value: Decimal) -> bool:
    if not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= _DECIMALS and abs(value) <= _MAX_DECIMAL
