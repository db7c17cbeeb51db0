"""Where policies draw lines through the values of an argument or of the time, so that what no line parts is alike.

A value that policies hold against fixed ones and do nothing else with decides by its place among these alone: of 510.00
and 520.00 nobody can tell, who asks only whether it is more than 500.00. A value that is looked at in any other
way has no line and is told as it is, and so is everything that a policy reads which is not understood.

Source: Cedar policy syntax, relations on `Long` and `decimal`, `==`, `contains`; docs/adr/0012-reused-decisions.md.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cedarpy.pst import (
    BinaryOp,
    BoolLit,
    EntityLit,
    Expr,
    GetAttr,
    HasAttr,
    LongLit,
    Set,
    StringLit,
    Template,
    UnaryOp,
    Var,
)

from remit.policy.evaluation import ArgumentValue, Money
from remit.policy.reads import parts_below, path_of

__all__ = ["AGE", "Line", "Path", "lines_of", "told"]

Path: TypeAlias = tuple[str, ...]
Literal: TypeAlias = int | Decimal | str

AGE: Final[Path] = ("context", "authentication", "age_seconds")
_NUMBERS: Final[frozenset[Path]] = frozenset(
    {AGE, *(("context", "time", one) for one in ("epoch", "hour", "minute"))}
)
_ORDER: Final = frozenset(
    {"less", "less_eq", "greater", "greater_eq",
     "decimal_less", "decimal_less_eq", "decimal_greater", "decimal_greater_eq"}
)  # fmt: skip
_SAME: Final = frozenset({"eq", "not_eq"})
_ARGUMENTS: Final = ("context", "arguments")
_PARTS: Final = frozenset({(), ("value",), ("currency",)})
_ALL: Final = frozenset({("context",), _ARGUMENTS})


@dataclass(frozen=True, slots=True)
class Line:
    """The fixed values, in order, that a value of type `of` is held against; what a `tuple` is asked to contain."""

    of: type[object]
    values: tuple[Literal, ...]

    def place(self, value: object) -> Hashable:
        """Where `value` stands: equal for two that none of the comparisons tells apart."""
        # A truth value is no number, though Python has it so.
        if type(value) is not self.of:
            return type(value), value
        if isinstance(value, tuple):
            return tuple([one in value for one in self.values])
        if isinstance(value, str):
            return value if value in self.values else None
        number: Any = value
        numbers: Sequence[Any] = self.values
        return bisect_left(numbers, number), bisect_right(numbers, number)


@dataclass(slots=True)
class _Found:
    """What is compared and with what, and what is looked at otherwise."""

    held: dict[Path, set[tuple[type[object], Literal]]] = field(default_factory=dict)
    whole: set[Path] = field(default_factory=set)

    def hold(self, path: Path, literal: Literal, of: type[object] | None = None) -> None:
        self.held.setdefault(path, set()).add((of or type(literal), literal))


def lines_of(
    trees: Iterable[Template], besides: Iterable[tuple[Path, Literal]] = ()
) -> Mapping[Path, Line]:
    """The line through each value that has one, by its path; `besides` is what else they are held against.

    An argument that is not read, or asked for no more than whether it is there, has none.
    """
    found = _Found()
    for tree in trees:
        for clause in tree.clauses:
            if not _gather(clause.expr, found):
                return MappingProxyType({})
    for path, literal in besides:
        found.hold(path, literal)
    lines: dict[Path, Line] = {}
    for path, held in found.held.items():
        (of, *others) = {one for one, _ in held}
        if not others and not any(path[: len(one)] == one for one in found.whole):
            lines[path] = Line(of, tuple(sorted(one for _, one in held)))
    # Parts of a whole that is told are told with it; of two parts one without a line leaves none to the other.
    broken = {path[:3] for path in {*found.whole, *found.held} - lines.keys()}
    return MappingProxyType({path: one for path, one in lines.items() if path[:3] not in broken})


def told(argument: ArgumentValue, lines: Iterable[tuple[Path, Line]]) -> tuple[Hashable, ...]:
    """The places of the parts of `argument`: itself, its `value`, its `currency`."""
    return tuple([line.place(_part_of(argument, part)) for part, line in lines])


def _part_of(argument: ArgumentValue, part: Path) -> object:
    if not part or not isinstance(argument, Money):
        return argument
    return argument.value if part == ("value",) else argument.currency


def _gather(expression: Expr, found: _Found) -> bool:
    """Note every look at a value below `expression`. False when it is not understood, or looks at all of them."""
    match expression:
        case BoolLit() | LongLit() | StringLit() | EntityLit():
            return True
        case BinaryOp() if _is_held(expression, found):
            return True
        case HasAttr(base=base):
            # Whether it is there is told of every one.
            return path_of(base) is not None
        case Var() | GetAttr():
            path = path_of(expression)
            if path is None or path in _ALL:
                return False
            found.whole.add(path[:3])
            return True
        case _:
            pass
    below = list(parts_below(expression))
    return None not in below and all(_gather(one, found) for one in below if one is not None)


def _is_held(expression: BinaryOp, found: _Found) -> bool:
    """Whether a value is held against fixed ones, which is noted."""
    operation, left, right = expression.op, expression.left, expression.right
    if operation in _ORDER or operation in _SAME:
        for one, other in ((left, right), (right, left)):
            path, literal = _path(one), _literal(other)
            if path is not None and literal is not None:
                if isinstance(literal, str) and operation in _ORDER:
                    return False
                found.hold(path, literal)
                return True
    elif operation == "contains":
        path, literal = _path(left), _literal(right)
        if path is not None and isinstance(literal, str):
            found.hold(path, literal, tuple)
            return True
        path = _path(right)
        literals = [_literal(one) for one in left.elements] if isinstance(left, Set) else [None]
        if path is not None and None not in literals:
            for named in literals:
                if named is not None:
                    found.hold(path, named)
            return True
    return False


def _path(expression: Expr) -> Path | None:
    """What may have a line."""
    path = path_of(expression)
    if path is None or path in _NUMBERS:
        return path
    is_argument = path[:2] == _ARGUMENTS and len(path) > 2 and path[3:] in _PARTS
    return path if is_argument else None


def _literal(expression: Expr) -> Literal | None:
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
