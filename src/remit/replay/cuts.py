"""Where the policies draw lines through the values of an argument, so that amounts on one side of all of them are alike.

An argument that policies hold against fixed values and do nothing else with decides by its place among these
alone: of 510.00 and 520.00 nobody can tell, who asks only whether it is more than 500.00. An argument that is looked at
in any other way is told by its value, and so is every one of a policy that is not understood.

Source: Cedar policy syntax, relations on `Long` and `decimal`, `==` on strings; docs/adr/0012-reused-decisions.md.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from cedarpy.pst import (
    BinaryOp,
    BoolLit,
    EntityLit,
    Expr,
    GetAttr,
    HasAttr,
    LongLit,
    StringLit,
    Template,
    UnaryOp,
    Var,
)

from remit.policy.evaluation import ArgumentValue, Money
from remit.policy.reads import parts_below, path_of

__all__ = ["Line", "lines_of"]

_ORDER: Final = frozenset(
    {"less", "less_eq", "greater", "greater_eq",
     "decimal_less", "decimal_less_eq", "decimal_greater", "decimal_greater_eq"}
)  # fmt: skip
_SAME: Final = frozenset({"eq", "not_eq"})
_ARGUMENTS: Final = ("context", "arguments")
_ALL: Final = frozenset({("context",), _ARGUMENTS})
_NO_PART: Final = object()

_Literal: TypeAlias = int | Decimal | str
_Found: TypeAlias = dict[str, list[tuple[tuple[str, ...], _Literal]]]


@dataclass(frozen=True, slots=True)
class Line:
    """The fixed values, in order, that one part of an argument is held against: itself, its `value`, its `currency`."""

    part: tuple[str, ...]
    of: type[int] | type[Decimal] | type[str]
    values: tuple[_Literal, ...]

    def place(self, argument: ArgumentValue) -> Hashable:
        """Where `argument` stands among them: equal for two that no comparison with any of them tells apart."""
        value = _part_of(argument, self.part)
        # A truth value is no number, though Python has it so.
        if type(value) is not self.of:
            return ("whole", argument)
        if self.of is str:
            return value if value in self.values else None
        return bisect_left(self.values, value), bisect_right(self.values, value)  # type: ignore[type-var]


def lines_of(trees: Iterable[Template]) -> Mapping[str, tuple[Line, ...]] | None:
    """For each argument that is read only so, its lines; `None` when of no argument that can be said.

    None for an argument of which policies ask no more than whether it is there.
    """
    found: _Found = {}
    whole: set[str] = set()
    for tree in trees:
        for clause in tree.clauses:
            if not _gather(clause.expr, found, whole):
                return None
    lines: dict[str, tuple[Line, ...]] = {}
    for name, held in found.items():
        if name not in whole and (drawn := _drawn(held)) is not None:
            lines[name] = drawn
    return lines


def _drawn(held: list[tuple[tuple[str, ...], _Literal]]) -> tuple[Line, ...] | None:
    """One line for each part; `None` when one part is held against values of several types."""
    by_part: dict[tuple[str, ...], set[_Literal]] = {}
    for part, literal in held:
        by_part.setdefault(part, set()).add(literal)
    lines: list[Line] = []
    for part, values in by_part.items():
        (of, *others) = {type(one) for one in values}
        if others:
            return None
        lines.append(Line(part, of, tuple(sorted(values))))  # type: ignore[type-var]
    return tuple(lines)


def _gather(expression: Expr, found: _Found, whole: set[str]) -> bool:
    """Note every look at an argument below `expression`. False when it is not understood, or looks at all of them."""
    match expression:
        case BoolLit() | LongLit() | StringLit() | EntityLit():
            return True
        case BinaryOp(op=operation, left=left, right=right) if operation in _ORDER | _SAME:
            held = _held(left, right) or _held(right, left)
            if held is not None:
                name, part, literal = held
                found.setdefault(name, []).append((part, literal))
                return not isinstance(literal, str) or operation in _SAME
        case HasAttr(base=base, attrs=attributes):
            path = path_of(base)
            if path is not None and (*path, *attributes)[:2] == _ARGUMENTS:
                for name in (*path, *attributes)[2:3]:
                    found.setdefault(name, [])  # whether it is there is told of every argument
            return path is not None
        case Var() | GetAttr():
            path = path_of(expression)
            if path is None or path in _ALL:
                return False
            if path[:2] == _ARGUMENTS:
                whole.add(path[2])
            return True
        case _:
            pass
    below = list(parts_below(expression))
    return None not in below and all(_gather(one, found, whole) for one in below if one is not None)


def _held(one: Expr, other: Expr) -> tuple[str, tuple[str, ...], _Literal] | None:
    """Of which argument, and of which part of it, `one` is, where `other` is a fixed value."""
    path, literal = path_of(one), _literal(other)
    if path is None or literal is None or path[:2] != _ARGUMENTS or len(path) < 3:
        return None
    part = path[3:]
    return (path[2], part, literal) if part in {(), ("value",), ("currency",)} else None


def _literal(expression: Expr) -> _Literal | None:
    match expression:
        case LongLit(value=number):
            return number
        case StringLit(value=words):
            return words
        case UnaryOp(op="decimal", arg=StringLit(value=text)):
            try:
                value = Decimal(text)
            except InvalidOperation:
                return None
            return value if value.is_finite() else None
        case _:
            return None


def _part_of(argument: ArgumentValue, part: tuple[str, ...]) -> object:
    if not part:
        return argument
    if not isinstance(argument, Money):
        return _NO_PART
    return argument.value if part == ("value",) else argument.currency
