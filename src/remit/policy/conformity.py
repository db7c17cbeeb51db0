"""Whether the arguments of a question are of the types the schema gives them.

What no policy reads need not be put to Cedar, and Cedar would be who finds out that it is outside
the schema. So it is found out here; what does not conform is put to Cedar whole, which refuses it.

Source: Cedar `decimal` (four places in 64 bits) and `Long`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, assert_never

from remit.model import Argument, ArgumentType
from remit.policy.evaluation import ArgumentValue, Money

__all__ = ["Conformity"]

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
