"""Policies of two repositories, held against each other by their `@id`.

Provable is little, and that is said: a policy that came or went, one with another condition besides those it had,
one of which only the words changed. Of everything else it cannot be told without asking it every question.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Final

from cedarpy.pst import Template

from remit.model import Catalog, Sensitivity
from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy, checked_policies
from remit.policy.obligation import ObligationKind
from remit.policy.vocabulary import ISSUE, callable_things, group_names
from remit.replay.difference import Area, Change, Effect, Kind
from remit.replay.privilege import is_privileged, scopes_of_thing
from remit.repository import LoadedRepository

__all__ = ["policy_changes", "roles_watched"]

_WORDS: Final = frozenset({"id", "refusal", "description", "owner"})
_OTHERWISE: Final = "when it matches is said otherwise"
_MODE: Final = "mode"
_OBSERVE: Final = "observe"
_MOST_LINES: Final = 200


def policy_changes(old: LoadedRepository, new: LoadedRepository) -> Iterator[Change]:
    """Every policy that was added, removed or changed."""
    before, after = _by_id(old), _by_id(new)
    for name in sorted(before.keys() | after.keys()):
        was, would = before.get(name), after.get(name)
        if was is None and would is not None:
            yield _whole(name, would, Kind.ADDED, (old.catalog, new.catalog))
        elif would is None and was is not None:
            yield _whole(name, was, Kind.REMOVED, (old.catalog, new.catalog))
        elif was is not None and would is not None and was.text != would.text:
            yield _changed(name, was, would, (old.catalog, new.catalog))


def roles_watched(old: LoadedRepository, new: LoadedRepository) -> frozenset[str]:
    """The roles by which a policy may forbid something privileged, or spare somebody: to have one, or not, is more than its scopes."""
    catalogs = (old.catalog, new.catalog)
    roles = {str(name) for catalog in catalogs for name in catalog.roles}
    found: set[str] = set()
    for policy in (*_by_id(old).values(), *_by_id(new).values()):
        tree = repr(policy.tree)
        named = {name for name in roles - found if repr(name) in tree}
        if named and _reaches_privileged([policy], catalogs):
            found |= named
    return frozenset(found)


def _by_id(repository: LoadedRepository) -> Mapping[str, CheckedPolicy]:
    return {one.id: one for one in checked_policies(repository.policies, None)[0]}


def _whole(
    name: str, policy: CheckedPolicy, kind: Kind, catalogs: tuple[Catalog, Catalog]
) -> Change:
    """A policy that came or went."""
    observed = policy.annotations.get(_MODE) == _OBSERVE
    widens = (policy.tree.effect == "permit") == (kind is Kind.ADDED)
    effect = Effect.WIDENS if widens else Effect.NARROWS
    effect = Effect.NEITHER if observed else effect
    note = ", in observe mode" if observed else ""
    sign = "+" if kind is Kind.ADDED else "-"
    return Change(
        area=Area.POLICY,
        kind=kind,
        name=name,
        what=f"the {policy.tree.effect} `{name}` is {kind.value}{note}",
        effect=effect,
        before="" if kind is Kind.ADDED else policy.tree.effect,
        after=policy.tree.effect if kind is Kind.ADDED else "",
        privileged=effect.is_widening and _reaches_privileged([policy], catalogs),
        lines=tuple(f"{sign}{line}" for line in policy.text.strip().splitlines())[:_MOST_LINES],
    )


def _changed(
    name: str, was: CheckedPolicy, would: CheckedPolicy, catalogs: tuple[Catalog, Catalog]
) -> Change:
    effect, what = _judged(was, would)
    return Change(
        area=Area.POLICY,
        kind=Kind.CHANGED,
        name=name,
        what=f"{would.tree.effect} `{name}`: {what}",
        effect=effect,
        before=was.tree.effect,
        after=would.tree.effect,
        privileged=effect.is_widening and _reaches_privileged([was, would], catalogs),
        lines=_difference(was.text, would.text),
    )


def _judged(was: CheckedPolicy, would: CheckedPolicy) -> tuple[Effect, str]:
    """What the change does, and in words what it is."""
    modes = [one.annotations.get(_MODE) == _OBSERVE for one in (was, would)]
    if all(modes):
        return Effect.NEITHER, "it decides nothing before or after, being in observe mode"
    if was.tree.effect != would.tree.effect:
        widens = would.tree.effect == "permit"
        return (
            Effect.WIDENS if widens else Effect.NARROWS,
            f"it was a {was.tree.effect}",
        )
    permits = was.tree.effect == "permit"
    weaker, stronger = (
        (Effect.NARROWS, Effect.WIDENS) if permits else (Effect.WIDENS, Effect.NARROWS)
    )
    if modes[1]:
        return weaker, "it would be in observe mode, and decide nothing"
    if modes[0]:
        return stronger, "it would leave observe mode, and decide"
    if _head(was.tree) != _head(would.tree):
        return Effect.MAY_WIDEN, _OTHERWISE
    parts = [[str(clause) for clause in one.tree.clauses] for one in (was, would)]
    besides, words = (_of_permit if permits else _of_forbid)(_asked(was), _asked(would))
    if parts[0] == parts[1]:
        return besides, words
    # A condition more does not make up for an approval that is asked for no longer.
    if _is_part(parts[0], parts[1]) and besides in {Effect.NEITHER, weaker}:
        return weaker, "it takes a further condition to match"
    if _is_part(parts[1], parts[0]) and besides in {Effect.NEITHER, stronger}:
        return stronger, "it takes a condition less to match"
    return Effect.MAY_WIDEN, _OTHERWISE


def _asked(policy: CheckedPolicy) -> dict[str, str]:
    """What a policy asks for besides, as its annotations say it."""
    return {name: text for name, text in policy.annotations.items() if name not in _WORDS}


def _of_permit(before: dict[str, str], after: dict[str, str]) -> tuple[Effect, str]:
    if before == after:
        return Effect.NEITHER, "its words alone differ"
    if not before.items() - after.items():
        return Effect.NARROWS, "it asks for more besides"
    if not after.items() - before.items():
        return Effect.WIDENS, "it asks for less besides"
    return Effect.MAY_WIDEN, "it asks for something else besides"


def _of_forbid(before: dict[str, str], after: dict[str, str]) -> tuple[Effect, str]:
    """What a `forbid` asks for lifts it: whoever has that is forbidden nothing by it."""
    if before == after:
        return Effect.NEITHER, "its words alone differ"
    cures = [{name for name in one if name != ObligationKind.REDACT} for one in (before, after)]
    if not cures[0] and cures[1]:
        return Effect.WIDENS, "it is lifted for whoever has what it asks for"
    if cures[0] and not cures[1]:
        return Effect.NARROWS, "nothing lifts it any more"
    return Effect.MAY_WIDEN, "it asks for something else besides"


def _head(tree: Template) -> tuple[str, str, str]:
    return str(tree.principal), str(tree.action), str(tree.resource)


def _is_part(few: list[str], many: list[str]) -> bool:
    left = list(many)
    for one in few:
        if one not in left:
            return False
        left.remove(one)
    return True


def _reaches_privileged(policies: list[CheckedPolicy], catalogs: tuple[Catalog, Catalog]) -> bool:
    """Whether one of `policies` can matter to a thing that is privileged, in either catalog.

    What is said about issuing tokens is said about whatever they are for.
    """
    if could_matter(policies, ISSUE, ()):
        return True
    for catalog in catalogs:
        for thing in callable_things(catalog):
            groups = group_names(thing.server, thing.operation)
            if not could_matter(policies, thing.action, groups):
                continue
            scopes, sensitivity = scopes_of_thing(catalog, thing)
            if sensitivity.rank >= Sensitivity.HIGH.rank or any(
                is_privileged(scope, *catalogs) for scope in scopes
            ):
                return True
    return False


def _difference(was: str, would: str) -> tuple[str, ...]:
    found = difflib.unified_diff(
        was.strip().splitlines(), would.strip().splitlines(), lineterm="", n=2
    )
    return tuple(line for line in found if not line.startswith(("---", "+++")))[:_MOST_LINES]
