"""What a policy demands of a question before it can matter: the one value that tells most callers apart.

A policy that says `principal.roles.contains("auditor")` cannot apply to whoever has no such
role, so that it need not be put to Cedar for them. A demand counts only if
nothing to the left of it can fail, or depends on arguments: a policy that fails has to be heard of, whoever
asks, and one whose arguments are unknown stays open.

INVARIANT: for a question without the demanded value the policy is false, and evaluating it fails for nobody
whose question is within the schema.

Source: Cedar semantics, `&&` (left to right, the right side only if the left is true); docs/adr/0012-reused-decisions.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cedarpy.pst import (
    BinaryOp,
    BoolLit,
    EntityLit,
    EntityUid,
    Expr,
    GetAttr,
    HasAttr,
    IfThenElse,
    Is,
    Like,
    LongLit,
    ScopeEq,
    Set,
    StringLit,
    Template,
    UnaryOp,
    Var,
    When,
)

from remit.policy.facts import PRINCIPAL, Fact
from remit.policy.reads import path_of
from remit.policy.vocabulary import OPEN

__all__ = ["DEMANDED", "Demand", "demand_of"]

DEMANDED: Final[tuple[Fact, ...]] = (
    PRINCIPAL,
    ("principal", "id"),
    ("context", "agent", "id"),
    ("context", "token", "client_id"),
    ("principal", "roles"),
    ("context", "agent", "owner"),
    ("principal", "tenant"),
    ("context", "token", "scopes"),
)
"""The facts that are looked for, those first that tell most callers apart."""

_SETS: Final = frozenset({("principal", "roles"), ("context", "token", "scopes")})
_SAFE: Final = frozenset(
    {
        *("eq", "not_eq", "less", "less_eq", "greater", "greater_eq", "and", "or"),
        *("in", "contains", "contains_all", "contains_any"),
    }
)
_TYPES: Final = frozenset({"Remit::User", "Remit::Workload"})


@dataclass(frozen=True, slots=True)
class Demand:
    """One of `values` is, or is among, what the question has for `fact`."""

    fact: Fact
    values: frozenset[str]


def demand_of(tree: Template) -> Demand | None:
    """The demand by which a policy is found; `None` when it may matter to anybody."""
    demands = {demand.fact: demand for demand in _demands(tree)}
    return next((demands[fact] for fact in DEMANDED if fact in demands), None)


def _demands(tree: Template) -> Iterator[Demand]:
    """Everything that is demanded before anything could fail or stay open."""
    if isinstance(tree.principal, ScopeEq) and isinstance(tree.principal.entity, EntityUid):
        yield from _of_principal(tree.principal.entity)
    for clause in tree.clauses:
        if not isinstance(clause, When):
            if not _is_safe(clause.expr):
                return
            continue
        for conjunct in _conjuncts(clause.expr):
            if not _is_safe(conjunct):
                return
            demand = _of_conjunct(conjunct)
            if demand is not None:
                yield demand


def _conjuncts(expression: Expr) -> Iterator[Expr]:
    """The terms of a conjunction in the order in which they are evaluated."""
    if isinstance(expression, BinaryOp) and expression.op == "and":
        yield from _conjuncts(expression.left)
        yield from _conjuncts(expression.right)
    else:
        yield expression


def _of_conjunct(expression: Expr) -> Demand | None:
    match expression:
        case BinaryOp(op="or", left=left, right=right):
            one, other = _of_conjunct(left), _of_conjunct(right)
            if one is None or other is None or one.fact != other.fact:
                return None
            return Demand(one.fact, one.values | other.values)
        case BinaryOp(op="eq", left=left, right=StringLit(value=value)):
            return _of_value(left, frozenset({value}))
        case BinaryOp(op="eq", left=StringLit(value=value), right=right):
            return _of_value(right, frozenset({value}))
        case BinaryOp(op="eq", left=Var(name="principal"), right=EntityLit(value=entity)):
            return next(_of_principal(entity), None)
        case BinaryOp(op="eq", left=EntityLit(value=entity), right=Var(name="principal")):
            return next(_of_principal(entity), None)
        case BinaryOp(op="contains", left=left, right=StringLit(value=value)):
            return _of_value(left, frozenset({value}), within=True)
        case BinaryOp(op="contains_any", left=left, right=Set(elements=elements)):
            values = [one.value for one in elements if isinstance(one, StringLit)]
            if len(values) != len(elements):
                return None
            return _of_value(left, frozenset(values), within=True)
        case _:
            return None


def _of_principal(entity: EntityUid) -> Iterator[Demand]:
    # Another type of entity is nobody: the policy is left to Cedar, which knows what to make of it.
    if str(entity.type) in _TYPES:
        yield Demand(PRINCIPAL, frozenset({entity.id}))


def _of_value(expression: Expr, values: frozenset[str], *, within: bool = False) -> Demand | None:
    path = path_of(expression)
    if path is None or path == PRINCIPAL or path not in DEMANDED or (path in _SETS) is not within:
        return None
    return Demand(path, values)


def _is_safe(expression: Expr) -> bool:
    """Whether evaluating it cannot fail, in a question within the schema, nor stay open without arguments.

    Arithmetic can overflow, an entity may be missing, a tag may be absent, a constructor may be given nonsense: none of
    these is safe, even where a validator could have shown it.
    """
    match expression:
        case BoolLit() | LongLit() | StringLit() | EntityLit():
            return True
        case Var(name=name):
            return name != "context"
        case GetAttr() | HasAttr(base=Var() | GetAttr()):
            path = path_of(expression if isinstance(expression, GetAttr) else expression.base)
            return path is not None and not _is_open(path, expression)
        case BinaryOp(op=operation, left=left, right=right):
            return operation in _SAFE and _is_safe(left) and _is_safe(right)
        case UnaryOp(op=operation, arg=arg):
            return operation in {"not", "is_empty"} and _is_safe(arg)
        case Like(base=base) | Is(base=base, in_expr=None):
            return _is_safe(base)
        case IfThenElse(cond=cond, then_expr=then, else_expr=other):
            return _is_safe(cond) and _is_safe(then) and _is_safe(other)
        case Set(elements=elements):
            return all(map(_is_safe, elements))
        case _:
            return False


def _is_open(path: tuple[str, ...], expression: GetAttr | HasAttr) -> bool:
    """Whether what is read is of what only a call brings, or could be."""
    names = (*path, *expression.attrs) if isinstance(expression, HasAttr) else path
    return names[0] == "context" and (len(names) < 2 or names[1] in OPEN)
