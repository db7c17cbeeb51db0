"""What is worth a second look in `scopes.yaml`: names, and what covers what."""

from collections.abc import Iterator

from remit.documents import ANY, quoted
from remit.model import Operation
from remit.repository.fields import is_general_purpose
from remit.repository.lint.inventory import Inventory
from remit.repository.lint.noticed import Action, Edit, Noticed
from remit.repository.lint.scope_words import (
    Effect,
    effect_of,
    is_conventional,
    placeholders_of,
    system_of,
)
from remit.scopes import environment_named_by, is_scope_name

__all__ = ["OWN_CLAIMS", "mentioned", "scope_lints"]

OWN_CLAIMS = frozenset({"agent_id", "environment", "organization_id"})
"""The claims that Remit fills by itself."""

_MOST_COVERED = 8
_LEAST_SYSTEM = 3


def scope_lints(inventory: Inventory) -> Iterator[Noticed]:
    """Everything about scopes by themselves."""
    yield from _names(inventory)
    yield from _placeholders(inventory)
    yield from _wide(inventory)
    yield from _covers(inventory)
    yield from _redundant_covers(inventory)


def _names(inventory: Inventory) -> Iterator[Noticed]:
    for name, scope in inventory.scopes.items():
        if not is_scope_name(name) or is_general_purpose(name) or is_conventional(name):
            continue  # A mistake of its own, or right.
        message = f"{quoted(name)} does not say which operation on what"
        yield Noticed.of("scope-name", scope.problem(message, "`system:resource.operation`"))
    for thing in inventory.things:
        server, _ = thing.document.nearest(("environment",))
        for name in thing.scopes:
            promised = environment_named_by(name, inventory.environments)
            if promised is not None and isinstance(server.value, str) and promised != server.value:
                message = f"{quoted(name)} is taken by a server in {quoted(server.value)}"
                expected = f"a server in {quoted(promised)}, or a scope without it in its name"
                yield Noticed.of("prefix-mismatch", thing.problem_with(name, message, expected))


def _placeholders(inventory: Inventory) -> Iterator[Noticed]:
    draft = inventory.draft
    known = set(OWN_CLAIMS)
    for document, pattern in (
        (draft.roles, ("attributes", ANY, "when", ANY)),
        (draft.people, ("providers", ANY, "attributes", ANY)),
        (draft.people, ("providers", ANY, "rules", ANY, "attributes", ANY)),
    ):
        if document is not None:
            known.update(str(path[-1]) for path, _ in document.find(pattern))
    for name, scope in inventory.scopes.items():
        for claim in sorted(placeholders_of(name) - known):
            message = f"nothing gives a person the attribute {quoted(claim)}"
            yield Noticed.of("placeholder-claim", scope.problem(message))


def _wide(inventory: Inventory) -> Iterator[Noticed]:
    systems: dict[str, set[str]] = {}
    for name in inventory.scopes:
        systems.setdefault(system_of(name, inventory.environments), set()).add(name)
    for name, scope in inventory.scopes.items():
        below = inventory.below(name)
        system = system_of(name, inventory.environments)
        others = systems[system] - {name}
        if len(others) >= _LEAST_SYSTEM and others <= below:
            message = f"{quoted(name)} covers all other scopes of {quoted(system)}"
            yield Noticed.of("wide-scope", scope.problem(message))
        elif len(below) > _MOST_COVERED:
            message = f"{quoted(name)} covers {len(below)} scopes"
            yield Noticed.of("wide-covers", scope.problem(message, f"at most {_MOST_COVERED}"))


def _covers(inventory: Inventory) -> Iterator[Noticed]:
    changing = {
        thing.scopes[0]
        for thing in inventory.things
        if len(thing.scopes) == 1 and thing.operation is not Operation.READ
    }
    for name, scope in inventory.scopes.items():
        system = system_of(name, inventory.environments)
        for lower in scope.scopes:
            other = system_of(lower, inventory.environments)
            if other != system:
                message = f"{quoted(name)} covers {quoted(lower)}, which is of {quoted(other)}"
                yield Noticed.of("crossing-covers", scope.problem_with(lower, message))
            if effect_of(name) is Effect.READS and (
                effect_of(lower) is Effect.CHANGES or lower in changing
            ):
                message = f"{quoted(name)} reads, and covers {quoted(lower)}, which changes"
                yield Noticed.of("read-covers-write", scope.problem_with(lower, message))


def _redundant_covers(inventory: Inventory) -> Iterator[Noticed]:
    for scope in inventory.scopes.values():
        for lower in scope.scopes:
            way = next(
                (
                    one
                    for one in scope.scopes
                    if one != lower
                    and inventory.covers(one, lower)
                    and not inventory.covers(lower, one)
                ),
                None,
            )
            if way is not None:
                message = f"{quoted(lower)} is covered by way of {quoted(way)} already"
                edit = Edit(
                    file=scope.document.file,
                    action=Action.REMOVE_ITEM,
                    path=scope.list_path,
                    value=lower,
                )
                yield Noticed.of("redundant-covers", scope.problem_with(lower, message), edit)


def mentioned(inventory: Inventory) -> frozenset[str]:
    """Every scope that some file but `scopes.yaml` names, wherever it stands."""
    draft = inventory.draft
    found: set[str] = set()
    for document in draft.documents():
        if document is not draft.scopes:
            found.update(_all_texts(document.value))
    return frozenset(found)


def _all_texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _all_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _all_texts(inner)
