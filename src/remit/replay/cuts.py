"""Where policies draw lines through what they look at, so that what no line parts is alike.

A value (an argument, a claim, an address, a time) that policies hold against fixed ones and do nothing else with decides by its place among these alone: of 510.00
and 520.00 nobody can tell, who asks only whether it is more than 500.00. A value that is looked at in any other
way has no line and is told as it is, and so is everything that a policy reads which is not understood.

Source: Cedar policy syntax, relations on `Long` and `decimal`, `==`, `contains`, `isInRange`, tags;
docs/adr/0012-reused-decisions.md.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cedarpy.pst import (
    BinaryOp,
    BoolLit,
    EntityLit,
    Expr,
    GetAttr,
    HasAttr,
    Is,
    LongLit,
    Set,
    StringLit,
    Template,
    UnaryOp,
    Var,
)

from remit.policy.evaluation import ArgumentValue, Money
from remit.policy.facts import JUSTIFICATION_FACT, TAGS
from remit.policy.reads import parts_below, path_of

__all__ = ["AGE", "TIED", "Line", "Lines", "Path", "Ranges", "lines_of", "ties_of", "told"]

Path: TypeAlias = tuple[str, ...]
Literal: TypeAlias = int | Decimal | str

AGE: Final[Path] = ("context", "authentication", "age_seconds")
_NUMBERS: Final[frozenset[Path]] = frozenset(
    {AGE, *(("context", "time", one) for one in ("epoch", "hour", "minute"))}
)
_IP: Final[Path] = ("context", "ip")
_TEXTS: Final[frozenset[Path]] = frozenset(
    {
        ("principal", "id"), ("principal", "tenant"), ("context", "environment"), JUSTIFICATION_FACT,
        ("context", "agent", "id"), ("context", "agent", "class"), ("context", "agent", "owner"),
        ("context", "token", "client_id"), ("context", "token", "acr"), ("context", "token", "purpose"),
        ("context", "authentication", "acr"),
        ("context", "time", "weekday"), ("context", "time", "date"), ("context", "time", "zone"),
    }
)  # fmt: skip
_LISTS: Final[frozenset[Path]] = frozenset(
    {
        ("principal", "roles"), ("context", "networks"),
        ("context", "token", "scopes"), ("context", "token", "amr"), ("context", "authentication", "amr"),
    }
)  # fmt: skip
TIED: Final[frozenset[Path]] = frozenset(
    {
        ("principal", "id"), ("principal", "tenant"), ("context", "token", "client_id"),
        ("context", "token", "acr"), ("context", "token", "purpose"), ("context", "authentication", "acr"),
    }
)  # fmt: skip
"""Texts of a token that an argument may be held against; tags are too."""
_HAS_LINES: Final = _NUMBERS | _TEXTS | _LISTS
_CONTAINS: Final = frozenset({"contains", "contains_any", "contains_all"})
_ORDER: Final = frozenset(
    {"less", "less_eq", "greater", "greater_eq",
     "decimal_less", "decimal_less_eq", "decimal_greater", "decimal_greater_eq"}
)  # fmt: skip
_OVER: Final = frozenset({"less_eq", "greater", "decimal_less_eq", "decimal_greater"})
_SAME: Final = frozenset({"eq", "not_eq"})
_ARGUMENTS: Final = ("context", "arguments")
_PARTS: Final = frozenset({(), ("value",), ("currency",)})
_ALL: Final = frozenset({("context",), _ARGUMENTS})


@dataclass(frozen=True, slots=True)
class Line:
    """The fixed values, in order, that a value of type `of` is held against; what a `tuple` is asked to contain.

    Of numbers those are apart that are less than one of `values` and that are not, and those that are more than one of
    `over` and that are not.
    """

    of: type[object]
    values: tuple[Literal, ...]
    over: tuple[Literal, ...] = ()

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
        values: Sequence[Any] = self.values
        over: Sequence[Any] = self.over
        return bisect_right(values, number), bisect_left(over, number)


@dataclass(frozen=True, slots=True)
class Ranges:
    """The networks that an address is asked to be in, and nothing else."""

    networks: tuple[IPv4Network | IPv6Network, ...]

    def place(self, address: object) -> Hashable:
        """In which of them `address`, a text as policies are told it, is."""
        if not isinstance(address, str):
            return type(address), address
        # IPv4 is in no network of IPv6, to Cedar as to us.
        known = ip_address(address)
        return tuple([known in one for one in self.networks])


Lines: TypeAlias = Mapping[Path, Line | Ranges]


@dataclass(slots=True)
class _Found:
    """What is compared and with what, and what is looked at otherwise."""

    held: dict[Path, set[tuple[type[object], Literal, bool]]] = field(default_factory=dict)
    ranges: set[str] = field(default_factory=set)
    ties: set[tuple[str, Path]] = field(default_factory=set)
    whole: set[Path] = field(default_factory=set)

    def hold(self, path: Path, literal: Literal, of: type[object] | None = None) -> None:
        """What is at `path` is held against `literal` in any way; if it is a list, asked to contain it."""
        found = self.held.setdefault(path, set())
        found.add((of or type(literal), literal, False))
        if not isinstance(literal, str):
            found.add((type(literal), literal, True))

    def order(self, path: Path, literal: Literal, *, over: bool) -> None:
        """Whether what is at `path` is less than `literal` is asked, or with `over` whether it is more."""
        self.held.setdefault(path, set()).add((type(literal), literal, over))

    def is_whole(self, path: Path) -> bool:
        return any(path[: len(one)] == one for one in self.whole)


def lines_of(trees: Iterable[Template], besides: Iterable[tuple[Path, Literal]] = ()) -> Lines:
    """The line through each value that has one, by its path; `besides` is what else they are held against.

    An argument that is not read, or asked for no more than whether it is there, has none. A tag `x` of the principal
    stands under `("principal", "()", "x")`; either all that are read have a line, or none.
    """
    found = _found_in(trees)
    if found is None:
        return MappingProxyType({})
    for path, literal in besides:
        found.hold(path, literal)
    lines: dict[Path, Line | Ranges] = {}
    for path, held in found.held.items():
        (of, *others) = {one for one, _, _ in held}
        if not others and not found.is_whole(path):
            sides = [sorted(one for _, one, side in held if side is over) for over in (False, True)]
            lines[path] = Line(of, tuple(sides[0]), tuple(sides[1]))
    if found.ranges and not found.is_whole(_IP):
        lines[_IP] = Ranges(tuple(_range(one) for one in sorted(found.ranges)))
    # Parts of a whole that is told are told with it; of two parts one without a line leaves none to the other.
    broken = {path[:3] for path in {*found.whole, *found.held} - lines.keys()}
    return MappingProxyType({path: one for path, one in lines.items() if path[:3] not in broken})


def ties_of(trees: Iterable[Template]) -> frozenset[tuple[str, Path]]:
    """Which arguments are held against which texts of the token, for being the same.

    Neither is known by that: an argument has a line besides, as the text has, through what else it is held against.
    """
    found = _found_in(trees)
    return frozenset() if found is None else frozenset(found.ties)


def told(
    argument: ArgumentValue, lines: Iterable[tuple[Path, Line | Ranges]]
) -> tuple[Hashable, ...]:
    """The places of the parts of `argument`: itself, its `value`, its `currency`."""
    return tuple([line.place(_part_of(argument, part)) for part, line in lines])


def _part_of(argument: ArgumentValue, part: Path) -> object:
    if not part or not isinstance(argument, Money):
        return argument
    return argument.value if part == ("value",) else argument.currency


def _found_in(trees: Iterable[Template]) -> _Found | None:
    found = _Found()
    understood = all(_gather(clause.expr, found) for tree in trees for clause in tree.clauses)
    return found if understood else None


def _gather(expression: Expr, found: _Found) -> bool:
    """Note every look at a value below `expression`. False when it is not understood, or looks at all of them."""
    match expression:
        case BoolLit() | LongLit() | StringLit() | EntityLit():
            return True
        case BinaryOp(op="eq" | "not_eq" | "in", left=Var(name="principal"), right=EntityLit()):
            return True  # Who it is, which is no part of what stands in the entity.
        case Is(base=Var(), in_expr=None):
            return True
        case BinaryOp() if _is_held(expression, found):
            return True
        case BinaryOp(op="has_tag" | "get_tag" as operation, left=Var(name="principal"), right=tag):
            if operation == "has_tag" and isinstance(tag, StringLit):
                # Whether it is there is told of whatever is held against anything.
                found.hold((*TAGS, tag.value), "")
                return True
            found.whole.add(TAGS)
            return _gather(tag, found)
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
        return _is_compared(expression, found)
    if operation in _CONTAINS:
        return _is_asked_for(expression, found)
    if operation == "is_in_range" and path_of(left) == _IP:
        match right:
            case UnaryOp(op="ip", arg=StringLit(value=text)) if _is_range(text):
                found.ranges.add(text)
                return True
    return False


def _is_compared(expression: BinaryOp, found: _Found) -> bool:
    left, right = expression.left, expression.right
    for one, other in ((left, right), (right, left)):
        path, literal = _path(one), _literal(other)
        if path is not None and literal is not None:
            if expression.op in _SAME:
                found.hold(path, literal)
            elif isinstance(literal, str):
                return False
            else:
                # `x <= 5` asks whether x is more than 5, and so does `5 >= x`.
                found.order(path, literal, over=(expression.op in _OVER) is (one is left))
            return True
    return expression.op in _SAME and (_is_tied(left, right, found) or _is_tied(right, left, found))


def _is_tied(one: Expr, other: Expr, found: _Found) -> bool:
    """Whether an argument is asked to be what the token says in words, or not to be."""
    path, said = _path(one), _path(other)
    if path is None or said is None or path[:2] != _ARGUMENTS or len(path) != 3:
        return False
    if said not in TIED and said[:2] != TAGS:
        return False
    # A policy that checks holds text against text.
    found.hold(path, "")
    found.hold(said, "")
    found.ties.add((path[2], said))
    return True


def _is_asked_for(expression: BinaryOp, found: _Found) -> bool:
    """Whether fixed words are looked for in a list, or a value among fixed ones."""
    left, right = expression.left, expression.right
    path = _path(left)
    wanted = right.elements if isinstance(right, Set) else (right,)
    words = [one.value for one in wanted if isinstance(one, StringLit)]
    if path is not None and words and len(words) == len(wanted):
        for word in words:
            found.hold(path, word, tuple)
        return True
    path = _path(right)
    if expression.op != "contains" or path is None or not isinstance(left, Set):
        return False
    literals = [_literal(one) for one in left.elements]
    if None in literals:
        return False
    for literal in literals:
        if literal is not None:
            found.hold(path, literal)
    return True


def _path(expression: Expr) -> Path | None:
    """What may have a line."""
    match expression:
        case BinaryOp(op="get_tag", left=Var(name="principal"), right=StringLit(value=tag)):
            return (*TAGS, tag)
    path = path_of(expression)
    if path is None or path in _HAS_LINES:
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


def _is_range(text: str) -> bool:
    try:
        _range(text)
    except ValueError:
        return False
    return True


def _range(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)
