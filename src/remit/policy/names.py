"""Names in a policy that nothing has: where the author meant another one, or something that is not declared.

Strict validation finds `context.token.arc`. It does not find `context.token has arc`, for which there is
an answer in any schema, and which is never true; nor a network that nobody declared. A `forbid` that is
never true forbids nothing, so both are mistakes here.

Source: Cedar validation, `has`; docs/reference/policies.md.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from cedarpy.pst import BinaryOp, HasAttr, Set, StringLit, Template

from remit.documents import did_you_mean, one_of
from remit.policy.facts import FACTS
from remit.policy.heads import admits
from remit.policy.open_question import nodes_of, open_attributes
from remit.policy.reads import path_of
from remit.policy.schema import schema_of
from remit.policy.vocabulary import (
    ARGUMENTS,
    HISTORY,
    NAMESPACE,
    TOLD,
    Declared,
    callable_things,
    group_names,
)

__all__ = ["Names", "names_of_arguments"]

_NETWORKS = ("context", "networks")
_AMONG = frozenset({"contains", "contains_all", "contains_any"})


@dataclass(frozen=True, slots=True)
class Names:
    """What has a name in questions over one catalog: `below` each path, the attributes there are."""

    catalog: Declared
    below: Mapping[tuple[str, ...], frozenset[str]]

    @classmethod
    def of(cls, catalog: Declared) -> "Names":
        """Every attribute of a question over `catalog`; arguments differ by what is called."""
        paths = {fact for fact in FACTS if "()" not in fact}
        paths |= {("context", HISTORY, name) for name in catalog.history}
        paths |= {("context", TOLD, name) for name in catalog.told}
        paths |= {("resource", name) for name in _attributes_of_things(catalog)}
        below: dict[tuple[str, ...], set[str]] = {}
        for path in paths:
            for end in range(1, len(path)):
                below.setdefault(path[:end], set()).add(path[end])
        return cls(catalog, {path: frozenset(names) for path, names in below.items()})

    def mistakes_in(self, tree: Template) -> Iterator[tuple[str, str, str]]:
        """What is wrong, in words, the word that is, and what was expected."""
        nothing = frozenset[str]()
        below = {("context", HISTORY): nothing, ("context", TOLD): nothing, **self.below}
        if ARGUMENTS in open_attributes(tree):
            below["context", ARGUMENTS] = names_of_arguments(tree, self.catalog)
        for node in nodes_of(tree.clauses):
            match node:
                case HasAttr(base=base, attrs=attributes):
                    path = path_of(base)
                    if path is not None:
                        yield from _unknown(path, attributes, below)
                case BinaryOp(op=operation, left=left, right=right) if operation in _AMONG:
                    if path_of(left) == _NETWORKS:
                        yield from self._unknown_networks(_texts(right))

    def suggestion(self, path: tuple[str, ...], tree: Template) -> str:
        """How a message about the attribute at `path` ends, which nothing that the policy is about has."""
        known: Collection[str] = self.below.get(path[:-1], ())
        if path[:-1] == ("context", ARGUMENTS):
            known = names_of_arguments(tree, self.catalog)
        return "" if path[-1] in known else did_you_mean(path[-1], known)

    def expected(self, path: tuple[str, ...], tree: Template) -> str:
        """What to do about the attribute at `path`, which not everything has that the policy is about."""
        if path[:-1] != ("context", ARGUMENTS):
            return ""
        if path[-1] not in names_of_arguments(tree, self.catalog):
            return ""
        return f"`{'.'.join(path[:-1])} has {path[-1]}` first: not every thing it is about has it"

    def _unknown_networks(self, names: Collection[str]) -> Iterator[tuple[str, str, str]]:
        declared = self.catalog.networks
        for name in names:
            if declared is not None and name not in declared:
                message = f"unknown network `{name}`{did_you_mean(name, declared)}"
                yield message, name, "a network declared under `networks` of remit.yaml"


def names_of_arguments(tree: Template, catalog: Declared) -> frozenset[str]:
    """The arguments that something declares which the policy is about."""
    return frozenset(
        argument.name
        for thing in callable_things(catalog)
        if admits(tree, {thing.action, *group_names(thing.server, thing.operation)})
        for argument in thing.arguments
    )


def _attributes_of_things(catalog: Declared) -> Collection[str]:
    found: object = schema_of(catalog)
    for key in (NAMESPACE, "entityTypes", "Tool", "shape", "attributes"):
        found = found[key] if isinstance(found, dict) else {}
    return found.keys() if isinstance(found, dict) else ()


def _unknown(
    path: tuple[str, ...],
    attributes: tuple[str, ...],
    below: Mapping[tuple[str, ...], frozenset[str]],
) -> Iterator[tuple[str, str, str]]:
    for name in attributes:
        known = below.get(path)
        if known is None:
            return  # it is no record of ours: a tag, a literal, an amount of money
        if name not in known:
            where = ".".join(path)
            message = f"`{where}` has no attribute `{name}`{did_you_mean(name, known)}"
            yield message, name, one_of(known)
            return
        path = (*path, name)


def _texts(expression: object) -> tuple[str, ...]:
    match expression:
        case StringLit(value=value):
            return (value,)
        case Set(elements=elements):
            return tuple(one.value for one in elements if isinstance(one, StringLit))
        case _:
            return ()
