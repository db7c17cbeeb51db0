"""Asking Cedar before a call is known: the rewriting that makes its answer exact.

Cedar can decide with part of its input unknown, and says then what holds whatever
it is. But a record of which one attribute is unknown it treats as unknown
altogether, and the rest of the context is known. So each policy is rewritten: it
reads what stays open (arguments, history) from the context as before, and every
other attribute of `context` from an entity made for the question. What says why may also
be absent, and is read from a record of which nothing is known.

Source: Cedar partial evaluation; docs/adr/0006.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Final, TypeVar

from cedarpy import PolicySet
from cedarpy.pst import EntityLit, EntityType, EntityUid, Expr, GetAttr, HasAttr, Template, Var
from cedarpy.pst import PolicySet as PolicySetTree

from remit.policy.vocabulary import (
    CIRCUMSTANCES_ID,
    CIRCUMSTANCES_TYPE,
    NAMESPACE,
    OPEN,
    SAID,
    SAYING,
)

__all__ = ["nodes_of", "open_attributes", "open_policies", "reads_whole_context"]

N = TypeVar("N")

_CONTEXT: Final = Var(name="context")
_SAYING: Final = GetAttr(base=_CONTEXT, attr=SAYING)
_CIRCUMSTANCES: Final = EntityLit(
    value=EntityUid(
        type=EntityType(basename=CIRCUMSTANCES_TYPE, namespace=(NAMESPACE,)), id=CIRCUMSTANCES_ID
    )
)


def open_attributes(tree: Template) -> frozenset[str]:
    """Which attributes of `context` the policy looks at that only a call brings."""
    named = {_attribute_of_context(node) for node in nodes_of(tree.clauses)}
    return frozenset(name for name in named if name in OPEN)


def reads_whole_context(tree: Template) -> bool:
    """Whether the policy takes `context` as one value, which leaves open what of it is read."""
    nodes = list(nodes_of(tree.clauses))
    named = sum(_attribute_of_context(node) is not None for node in nodes)
    return sum(node == _CONTEXT for node in nodes) > named


def open_policies(trees: Iterable[Template], open_to: Collection[str]) -> PolicySet:
    """The policies, rewritten, under their `@id`: the attributes `open_to` stay open. None may read the whole context."""
    rewritten = {tree.annotations["id"]: _rewritten(tree, open_to) for tree in trees}
    return PolicySet.from_pst(
        PolicySetTree(
            templates={},
            static_policies={name: replace(tree, id=name) for name, tree in rewritten.items()},
            template_links=(),
        )
    )


def _rewritten(node: N, open_to: Collection[str]) -> N:
    """`node` with every attribute of `context` but those of `open_to` read from the circumstances."""
    attribute = _attribute_of_context(node)
    if attribute is not None:
        kept: Expr = _CIRCUMSTANCES
        if attribute in open_to:
            kept = _SAYING if attribute in SAID else _CONTEXT
        return replace(node, base=kept)  # type: ignore[type-var]  # it is a GetAttr or a HasAttr
    if isinstance(node, tuple):
        return tuple(_rewritten(item, open_to) for item in node)  # type: ignore[return-value]
    if isinstance(node, Mapping):
        return {name: _rewritten(item, open_to) for name, item in node.items()}  # type: ignore[return-value]
    if is_dataclass(node) and not isinstance(node, type):
        below = {
            field.name: _rewritten(getattr(node, field.name), open_to) for field in fields(node)
        }
        return replace(node, **below)
    return node


def nodes_of(root: object) -> Iterable[object]:
    """`root`, which is of a syntax tree, and everything below it."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Mapping):
            stack.extend(node.values())
        elif isinstance(node, tuple):
            stack.extend(node)
        elif is_dataclass(node) and not isinstance(node, type):
            stack.extend(getattr(node, field.name) for field in fields(node))


def _attribute_of_context(node: object) -> str | None:
    """Which attribute of `context` an expression is about, if it is about one."""
    match node:
        case GetAttr(base=Var(name="context"), attr=attribute):
            return attribute
        case HasAttr(base=Var(name="context"), attrs=attributes):
            return attributes[0]
        case _:
            return None
