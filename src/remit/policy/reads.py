"""What policies look at, read from their trees: for what they do not look at cannot change a decision.

Only what is understood counts as known. An expression that is not, an attribute of anything
but the request's own principal, resource and context, and a name that no question has, count
as reading everything.

Source: Cedar policy syntax, expressions; docs/adr/0012-reused-decisions.md.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cedarpy.pst import (
    BinaryOp,
    BoolLit,
    EntityLit,
    Expr,
    GetAttr,
    HasAttr,
    IfThenElse,
    Is,
    Like,
    LongLit,
    Record,
    ScopeAny,
    ScopeIs,
    Set,
    StringLit,
    Template,
    UnaryOp,
    Var,
)

from remit.policy.facts import (
    ARGUMENTS_FACT,
    FACTS,
    HISTORY_FACT,
    PRINCIPAL,
    TAGS,
    TOLD_FACT,
    Fact,
    facts_below,
)

__all__ = ["EVERYTHING", "Reads", "parts_below", "path_of", "reads_of", "union_of"]

_TAG_OPERATIONS: Final = frozenset({"get_tag", "has_tag"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """The facts that are looked at, and which arguments and facts of history; `None` is all of them."""

    facts: frozenset[Fact] = frozenset()
    arguments: frozenset[str] | None = frozenset()
    history: frozenset[str] | None = frozenset()

    def __or__(self, other: "Reads") -> "Reads":
        return Reads(
            facts=self.facts | other.facts,
            arguments=_either(self.arguments, other.arguments),
            history=_either(self.history, other.history),
        )


EVERYTHING: Final = Reads(facts=frozenset(FACTS), arguments=None, history=None)
_NOTHING: Final = Reads()


def union_of(several: Iterable[Reads]) -> Reads:
    """What is read by any of those that read so."""
    reads = _NOTHING
    for one in several:
        reads |= one
    return reads


def reads_of(tree: Template) -> Reads:
    """What one policy looks at. Of which type the principal is stands in every question, and is not among it."""
    reads = _NOTHING
    if not isinstance(tree.principal, ScopeAny | ScopeIs):
        reads |= Reads(facts=frozenset({PRINCIPAL}))
    return reads | union_of(part for clause in tree.clauses for part in _parts(clause.expr))


def path_of(expression: object) -> tuple[str, ...] | None:
    """`context.time.hour` as its names; `None` for what is no chain of attributes of a variable."""
    names: list[str] = []
    node = expression
    while isinstance(node, GetAttr):
        names.append(node.attr)
        node = node.base
    if not isinstance(node, Var):
        return None
    return (node.name, *reversed(names))


def _parts(expression: Expr) -> Iterator[Reads]:
    """What the expression reads, piece by piece."""
    match expression:
        case BoolLit() | LongLit() | StringLit() | EntityLit():
            return
        case Var() | GetAttr():
            yield _of_path(path_of(expression))
        case HasAttr(base=base, attrs=attributes):
            path = path_of(base)
            yield _of_path(None if path is None else (*path, *attributes))
        case BinaryOp(op=operation, left=Var(name=name), right=right) if (
            operation in _TAG_OPERATIONS
        ):
            # Only the principal has tags; to ask another for one is an error, whoever asks.
            yield Reads(facts=frozenset({TAGS})) if name == "principal" else _NOTHING
            yield from _parts(right)
        case BinaryOp(op=operation) if operation in _TAG_OPERATIONS:
            yield EVERYTHING
        case Is(base=Var(), in_expr=None):
            return
        case _:
            for below in parts_below(expression):
                yield EVERYTHING if below is None else union_of(_parts(below))


def parts_below(expression: Expr) -> Iterator[Expr | None]:
    """The parts of an expression that only combines them; `None` when it is not understood."""
    match expression:
        case UnaryOp(arg=arg):
            yield arg
        case BinaryOp(left=left, right=right):
            yield from (left, right)
        case Like(base=base):
            yield base
        case Is(base=base, in_expr=within):
            yield from (base,) if within is None else (base, within)
        case IfThenElse(cond=cond, then_expr=then, else_expr=other):
            yield from (cond, then, other)
        case Set(elements=elements):
            yield from elements
        case Record(fields=fields):
            yield from fields.values()
        case _:
            yield None


def _of_path(path: tuple[str, ...] | None) -> Reads:
    match path:
        case ("resource" | "action", *_):
            return _NOTHING  # A question is asked of one resource, by one action: see `Place`.
        case ("context", "arguments"):
            return Reads(facts=frozenset({ARGUMENTS_FACT}), arguments=None)
        case ("context", "arguments", name, *_):
            return Reads(facts=frozenset({ARGUMENTS_FACT}), arguments=frozenset({name}))
        case ("context", "history"):
            return Reads(facts=frozenset({HISTORY_FACT}), history=None)
        case ("context", "history", name, *_):
            return Reads(facts=frozenset({HISTORY_FACT}), history=frozenset({name}))
        case ("context", "told", *_):
            return Reads(facts=frozenset({TOLD_FACT}))
        case None:
            return EVERYTHING
        case _:
            found = facts_below(path)
            return Reads(facts=found) if found else EVERYTHING


def _either(some: frozenset[str] | None, others: frozenset[str] | None) -> frozenset[str] | None:
    return None if some is None or others is None else some | others
