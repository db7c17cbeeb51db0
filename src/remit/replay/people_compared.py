"""Who may hold what, in two catalogs: scopes, roles, who has which role, agents."""

from collections.abc import Iterable, Iterator
from typing import Final

from remit.ids import AgentId, ScopeName
from remit.model import Agent, AttributeRule, Catalog
from remit.replay.difference import Area, Change, Effect, Kind
from remit.replay.privilege import is_privileged
from remit.replay.weighing import (
    Properties,
    call_limits,
    higher_is_wider,
    listed,
    lower_is_wider,
    more_is_wider,
    said,
    words,
)

__all__ = ["people_changes"]

_SCOPE: Final = Properties(
    Area.SCOPE,
    {
        "title": words,
        "description": words,
        "data_categories": words,
        "sensitivity": lower_is_wider,
    },
    skipped=("covers",),
)
_AGENT: Final = Properties(
    Area.AGENT,
    {
        "name": words,
        "environments": more_is_wider,
        "tenants": more_is_wider,
        "max_sensitivity": higher_is_wider,
        "regions": listed,
        "delegates": more_is_wider,
        "exchange_servers": more_is_wider,
        "dpop_required": lower_is_wider,
        "limits": call_limits,
    },
    skipped=("scopes", "id"),
)


def people_changes(
    old: Catalog, new: Catalog, *, watched: frozenset[str] = frozenset()
) -> Iterator[Change]:
    """Every change of scopes, their hierarchy, roles, assignments and agents.

    `watched` are the roles that policies about something privileged look at.
    """
    yield from _scopes(old, new)
    yield from _hierarchy(old, new)
    yield from _roles(old, new)
    yield from _assignments(old, new, watched)
    for agent in sorted(old.agents.keys() | new.agents.keys()):
        yield from _agent(agent, old.agents.get(agent), new.agents.get(agent), (old, new))
    yield from _agent(old.unregistered.id, old.unregistered, new.unregistered, (old, new))


def _scopes(old: Catalog, new: Catalog) -> Iterator[Change]:
    for name in sorted(old.scopes.keys() | new.scopes.keys()):
        was, would = old.scopes.get(name), new.scopes.get(name)
        if was is not None and would is not None:
            privileged = is_privileged(name, old, new)
            yield from _SCOPE.changes(name, was, would, privileged=privileged)
        else:
            kind = Kind.ADDED if was is None else Kind.REMOVED
            # By itself it is held by nobody and taken by nothing: that is said where it is named.
            yield Change(
                area=Area.SCOPE,
                kind=kind,
                name=name,
                what=f"the scope `{name}` is {kind.value}",
                effect=Effect.NEITHER,
                scopes=(name,),
            )


def _hierarchy(old: Catalog, new: Catalog) -> Iterator[Change]:
    """What holding one scope is enough for."""
    empty: frozenset[ScopeName] = frozenset()
    for name in sorted(old.hierarchy.keys() | new.hierarchy.keys()):
        was, would = old.hierarchy.get(name, empty), new.hierarchy.get(name, empty)
        yield from _moved(
            Area.HIERARCHY,
            name,
            was,
            would,
            verbs=(f"`{name}` covers", f"`{name}` no longer covers"),
            catalogs=(old, new),
        )


def _roles(old: Catalog, new: Catalog) -> Iterator[Change]:
    for name in sorted(old.roles.keys() | new.roles.keys()):
        was, would = old.roles.get(name), new.roles.get(name)
        yield from _moved(
            Area.ROLE,
            name,
            () if was is None else was.scopes,
            () if would is None else would.scopes,
            verbs=(f"whoever is `{name}` gains", f"whoever is `{name}` loses"),
            catalogs=(old, new),
        )
        if (was is None) != (would is None):
            kind = Kind.ADDED if was is None else Kind.REMOVED
            yield Change(
                area=Area.ROLE,
                kind=kind,
                name=name,
                what=f"the role `{name}` is {kind.value}",
                effect=Effect.MAY_WIDEN if kind is Kind.REMOVED else Effect.NEITHER,
            )


def _assignments(old: Catalog, new: Catalog, watched: frozenset[str]) -> Iterator[Change]:
    """Who has which role by their attributes."""
    for rules, others, kind in (
        (new.attribute_rules, old.attribute_rules, Kind.ADDED),
        (old.attribute_rules, new.attribute_rules, Kind.REMOVED),
    ):
        for rule in rules:
            if rule not in others:
                yield _assignment(rule, kind, (old, new), watched)


def _assignment(
    rule: AttributeRule,
    kind: Kind,
    catalogs: tuple[Catalog, Catalog],
    watched: frozenset[str],
) -> Change:
    added = kind is Kind.ADDED
    catalog = catalogs[1] if added else catalogs[0]
    roles = [catalog.roles[name] for name in rule.roles if name in catalog.roles]
    scopes = tuple(dict.fromkeys(scope for role in roles for scope in role.scopes))
    verb = "are" if added else "are no longer"
    is_watched = not watched.isdisjoint(rule.roles)
    return Change(
        area=Area.ASSIGNMENT,
        kind=kind,
        name=said(rule.attributes),
        what=f"people with {said(rule.attributes)} {verb} {said(rule.roles)}",
        # To be without a role can widen, too, where a policy forbids by it.
        effect=Effect.WIDENS if added else Effect.MAY_WIDEN if is_watched else Effect.NARROWS,
        scopes=scopes,
        privileged=is_watched
        or (added and any(is_privileged(scope, *catalogs) for scope in scopes)),
    )


def _agent(
    name: AgentId, was: Agent | None, would: Agent | None, catalogs: tuple[Catalog, Catalog]
) -> Iterator[Change]:
    scopes = [scope for one in (was, would) if one is not None for scope in one.scopes]
    privileged = any(is_privileged(scope, *catalogs) for scope in scopes)
    if was is not None and would is not None:
        yield from _AGENT.changes(name, was, would, privileged=privileged)
        yield from _moved(
            Area.AGENT,
            name,
            was.scopes,
            would.scopes,
            verbs=(f"the agent `{name}` may hold", f"the agent `{name}` may no longer hold"),
            catalogs=catalogs,
        )
        return
    kind = Kind.ADDED if was is None else Kind.REMOVED
    yield Change(
        area=Area.AGENT,
        kind=kind,
        name=name,
        what=f"the agent `{name}` is {kind.value}; it may hold {said(scopes) or 'no scope'}",
        effect=Effect.WIDENS if kind is Kind.ADDED else Effect.NARROWS,
        privileged=privileged and kind is Kind.ADDED,
        scopes=tuple(scopes),
    )


def _moved(
    area: Area,
    name: str,
    was: Iterable[ScopeName],
    would: Iterable[ScopeName],
    *,
    verbs: tuple[str, str],
    catalogs: tuple[Catalog, Catalog],
) -> Iterator[Change]:
    """Scopes that somebody gains, and scopes that somebody loses."""
    before, after = set(was), set(would)
    gained, lost = tuple(sorted(after - before)), tuple(sorted(before - after))
    for scopes, effect, verb in (
        (gained, Effect.WIDENS, verbs[0]),
        (lost, Effect.NARROWS, verbs[1]),
    ):
        if scopes:
            yield Change(
                area=area,
                kind=Kind.CHANGED,
                name=name,
                part="scopes",
                what=f"{verb} {said(scopes)}",
                effect=effect,
                scopes=scopes,
                privileged=effect is Effect.WIDENS
                and any(is_privileged(scope, *catalogs) for scope in scopes),
            )
