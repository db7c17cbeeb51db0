"""What is worth a second look in what takes, grants and holds scopes: too wide, twice, or for nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from remit.documents import ANY, quoted
from remit.model import Operation
from remit.repository.draft import strings_at
from remit.repository.lint.inventory import Inventory, Listed, Scope, Thing
from remit.repository.lint.noticed import Action, Edit, Noticed
from remit.repository.lint.scope_lints import mentioned
from remit.repository.lint.scope_words import Effect, effect_of, placeholders_of

__all__ = ["use_lints"]

_MUCH = 3
# `context.token.scopes`, `has scopes`, or all of a record compared at once.
_READS_SCOPES: Final = re.compile(
    r"""(?:\.|\bhas)\s*scopes\b|["']scopes["']|\b(?:token|context)\s*[=!]=|[=!]=\s*context\b"""
)


def use_lints(inventory: Inventory, policies: Sequence[str]) -> Iterator[Noticed]:
    """Everything about scopes and what they are for. `policies` are the texts of them all."""
    takers: dict[str, list[Thing]] = {}
    for thing in inventory.things:
        for scope in thing.scopes:
            takers.setdefault(scope, []).append(thing)
    yield from _read_and_write(inventory, takers)
    yield from _shared_high_risk(inventory, takers)
    yield from _excessive(inventory)
    may_fix = not _reads_lists(inventory, policies)
    yield from _redundant_requirements(inventory, may_fix=may_fix)
    yield from _redundant_scopes(inventory, may_fix=may_fix)
    yield from _unused(inventory, takers, policies)


def _reads_lists(inventory: Inventory, policies: Iterable[str]) -> bool:
    """Whether anything that decides could see which of two equal lists it is: then both are left alone."""
    root = inventory.draft.root
    return any(_READS_SCOPES.search(text) for text in policies) or (
        root is not None and root.nearest(("engines",))[1]
    )


def _read_and_write(
    inventory: Inventory, takers: Mapping[str, Sequence[Thing]]
) -> Iterator[Noticed]:
    for name, scope in inventory.scopes.items():
        alone = [thing for thing in takers.get(name, ()) if len(thing.scopes) == 1]
        reads = [thing for thing in alone if thing.operation is Operation.READ]
        changes = [thing for thing in alone if thing.operation is not Operation.READ]
        if reads and changes:
            message = (
                f"{quoted(name)} opens {reads[0].spoken}, which reads, and {changes[0].spoken}, "
                f"which does not ({changes[0].operation})"
            )
            yield Noticed.of("read-write-scope", scope.problem(message))


def _shared_high_risk(
    inventory: Inventory, takers: Mapping[str, Sequence[Thing]]
) -> Iterator[Noticed]:
    for thing in inventory.things:
        if not thing.is_high_risk:
            continue
        harmless = {
            scope: next((one for one in takers[scope] if not one.is_high_risk), None)
            for scope in thing.scopes
        }
        others = [one for one in harmless.values() if one is not None]
        if len(others) == len(harmless):
            what = (
                f"of operation {thing.operation}"
                if thing.operation is not Operation.READ
                else f"of sensitivity {thing.sensitivity}"
            )
            message = (
                f"{thing.spoken} {what} takes no scope that {others[0].spoken} does not take, too"
            )
            place = (*thing.path, "scopes")
            yield Noticed.of("shared-high-risk-scope", thing.document.problem(place, message))


def _excessive(inventory: Inventory) -> Iterator[Noticed]:
    for thing in inventory.things:
        for scope in thing.scopes:
            below = sorted(inventory.below(scope))
            fits = [one for one in below if one.rpartition(".")[2] == thing.operation.value]
            wider = effect_of(scope) is Effect.CHANGES and thing.operation is Operation.READ
            if fits and scope.rpartition(".")[2] != thing.operation.value:
                message = f"{thing.spoken} takes {quoted(scope)}, which covers {quoted(fits[0])}"
                found = thing.problem_with(scope, message, quoted(fits[0]))
            elif wider and len(thing.scopes) == 1:
                message = f"{thing.spoken} reads, and takes {quoted(scope)}, which changes"
                found = thing.problem_with(scope, message, "a scope for reading")
            elif len(below) > _MUCH and effect_of(scope) is not Effect.READS:
                message = f"{thing.spoken} takes {quoted(scope)}, which covers {len(below)} more"
                found = thing.problem_with(scope, message, "the narrowest that says what it does")
            else:
                continue
            yield Noticed.of("excessive-requirement", found)


def _redundant_requirements(inventory: Inventory, *, may_fix: bool) -> Iterator[Noticed]:
    for thing in inventory.things:
        for scope, upper in _covered(inventory, thing.scopes):
            message = (
                f"{quoted(scope)} is covered by {quoted(upper)}, which {thing.spoken} takes, too"
            )
            # What the narrower one alone binds would no longer have to be known of the caller.
            same = placeholders_of(scope) <= placeholders_of(upper)
            fixable = may_fix and same and not _is_baseline_alone(inventory, thing, scope)
            edits = (_removal(thing, scope),) if fixable else ()
            yield Noticed.of("redundant-requirement", thing.problem_with(scope, message), *edits)


def _is_baseline_alone(inventory: Inventory, thing: Thing, scope: str) -> bool:
    """Whether a client is told to ask for `scope` first, and nothing else on the server takes it."""
    baseline = {text for _, text in strings_at(thing.document, ("baseline_scopes", ANY))}
    return scope in baseline and not any(
        scope in one.scopes
        for one in inventory.things
        if one.server == thing.server and one is not thing
    )


def _redundant_scopes(inventory: Inventory, *, may_fix: bool) -> Iterator[Noticed]:
    for one in (*inventory.roles, *inventory.holders):
        for scope, upper in _covered(inventory, one.scopes):
            if inventory.is_forbidden(upper):
                continue  # Nobody is granted the wider one: the narrower is what this is about.
            message = f"{quoted(scope)} is covered by {quoted(upper)}, which stands here, too"
            # Where the wider one cannot be filled for somebody, the narrower one alone holds.
            fixable = may_fix and placeholders_of(upper) <= placeholders_of(scope)
            edits = (_removal(one, scope),) if fixable else ()
            yield Noticed.of("redundant-scope", one.problem_with(scope, message), *edits)


def _unused(
    inventory: Inventory, takers: Mapping[str, Sequence[Thing]], policies: Sequence[str]
) -> Iterator[Noticed]:
    named = mentioned(inventory)
    given = {scope for one in (*inventory.roles, *inventory.holders) for scope in one.scopes}
    covered = frozenset[str]().union(*(inventory.below(one) for one in inventory.scopes))
    for name, scope in inventory.scopes.items():
        if name in named or any(name in text for text in policies):
            opened = any(one in takers for one in (name, *inventory.below(name)))
            if name in given and not opened and not any(name in text for text in policies):
                message = f"{quoted(name)} is given out, and nothing takes it"
                yield Noticed.of("idle-scope", scope.problem(message))
        elif name not in covered or not scope.scopes:
            message = f"nothing takes, grants or holds {quoted(name)}"
            yield Noticed.of("unused-scope", scope.problem(message), *_without(inventory, scope))


def _without(inventory: Inventory, scope: Scope) -> Iterator[Edit]:
    """Take `scope` out, and first out of whatever covers it."""
    file = scope.document.file
    for upper in inventory.scopes.values():
        if scope.name in upper.scopes:
            yield Edit(file=file, action=Action.REMOVE_ITEM, path=upper.list_path, value=scope.name)
    yield Edit(file=file, action=Action.REMOVE_ENTRY, path=scope.path)


def _covered(inventory: Inventory, scopes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each of `scopes` that another of them covers, and which."""
    for scope in scopes:
        for upper in scopes:
            if inventory.covers(upper, scope) and not inventory.covers(scope, upper):
                yield scope, upper
                break


def _removal(one: Listed, scope: str) -> Edit:
    return Edit(file=one.document.file, action=Action.REMOVE_ITEM, path=one.list_path, value=scope)
