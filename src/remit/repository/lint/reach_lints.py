"""What is worth a second look in roles and agents: what nobody reaches, and what differs too little."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import combinations

from remit.documents import ANY, quoted
from remit.model import Sensitivity
from remit.repository.draft import strings_at
from remit.repository.lint.inventory import Holder, Inventory, Listed, Thing
from remit.repository.lint.noticed import Noticed
from remit.repository.reach import Reach, unreachable
from remit.repository.reserved import BUILT_IN_SCOPES

__all__ = ["reach_lints"]

_ALIKE = 0.75
_MANY = 4
_LEAST_SHARED = 3


def reach_lints(inventory: Inventory) -> Iterator[Noticed]:
    """Everything about roles, agents and what they come to."""
    yield from _alike(inventory.roles)
    yield from _unions(inventory.roles)
    yield from _unreachable_roles(inventory)
    yield from _ungrantable(inventory)
    reached = _all_reached(inventory)
    yield from _idle(inventory, reached)
    yield from _unreachable_things(inventory, reached)


@dataclass(frozen=True, slots=True)
class _Reached:
    """What an agent's own limits let it reach: the servers, what those have, and all that its scopes cover.

    `usable` is what it may use, for somebody; `taken` every scope that something within takes.
    """

    holder: Holder
    servers: frozenset[str]
    opens: frozenset[str]
    taken: frozenset[str]
    usable: tuple[Thing, ...]

    def is_in_reach(self, thing: Thing) -> bool:
        return thing.server in self.servers


def _all_reached(inventory: Inventory) -> list[_Reached]:
    """What each agent reaches. Agents of one reach are looked at once, and things by the scopes they take."""
    by_scope: dict[str | None, list[Thing]] = {}
    for thing in inventory.things:
        by_scope.setdefault(next(iter(thing.scopes), None), []).append(thing)
    servers = lru_cache(maxsize=None)(partial(_servers, inventory))
    taken = lru_cache(maxsize=None)(partial(_taken, inventory))
    found = []
    for holder in inventory.holders:
        within = servers(replace(holder.reach, scopes=()))
        opens = frozenset(holder.scopes).union(*map(inventory.below, holder.scopes))
        candidates = (thing for one in (None, *opens) for thing in by_scope.get(one, ()))
        usable = tuple(
            thing
            for thing in candidates
            if thing.server in within
            and holder.max_sensitivity.rank >= thing.sensitivity.rank
            and opens.issuperset(thing.scopes)
        )
        found.append(_Reached(holder, within, opens, taken(within), usable))
    return found


def _servers(inventory: Inventory, reach: Reach) -> frozenset[str]:
    servers = inventory.draft.servers.items()
    return frozenset(name for name, one in servers if unreachable(reach, one) is None)


def _taken(inventory: Inventory, servers: frozenset[str]) -> frozenset[str]:
    within = (thing for thing in inventory.things if thing.server in servers)
    return frozenset(scope for thing in within for scope in thing.scopes)


def _alike(roles: Sequence[Listed]) -> Iterator[Noticed]:
    twins: set[str] = set()
    for first, second in combinations(roles, 2):
        if first.scopes and set(first.scopes) == set(second.scopes) and second.name not in twins:
            twins.add(second.name)
            message = f"{quoted(second.name)} has the scopes of {quoted(first.name)}"
            yield Noticed.of("equal-roles", second.problem(message))
    distinct = [one for one in roles if one.name not in twins]
    seen: set[str] = set()
    for role in distinct:
        near = [
            one
            for one in distinct
            if one.name not in seen and one is not role and _likeness(role, one) >= _ALIKE
        ]
        if role.name not in seen and len(near) + 1 >= _MANY:
            seen.update(one.name for one in (role, *near))
            others = ", ".join(quoted(one.name) for one in near)
            yield Noticed.of(
                "similar-roles", role.problem(f"{quoted(role.name)} differs little from {others}")
            )


def _likeness(first: Listed, second: Listed) -> float:
    one, other = set(first.scopes), set(second.scopes)
    shared = one & other
    return len(shared) / len(one | other) if len(shared) >= _LEAST_SHARED else 0.0


def _unions(roles: Sequence[Listed]) -> Iterator[Noticed]:
    for role in roles:
        whole = set(role.scopes)
        parts = [one for one in roles if one.scopes and whole.issuperset(one.scopes)]
        parts = [one for one in parts if set(one.scopes) != whole]
        for first, second in combinations(parts, 2):
            if set(first.scopes) | set(second.scopes) == whole:
                message = f"{quoted(role.name)} is {quoted(first.name)} and {quoted(second.name)}"
                yield Noticed.of("union-role", role.problem(message))
                break


def _unreachable_roles(inventory: Inventory) -> Iterator[Noticed]:
    draft = inventory.draft
    passwords = None if draft.people is None else draft.people.nearest(("passwords",))[0].value
    if draft.people is None or passwords is not False:
        return  # Accounts of our own are given roles by hand.
    given = {text for _, text in strings_at(draft.roles, ("attributes", ANY, "roles", ANY))}
    rules = ("providers", ANY, "rules", ANY, "roles", ANY)
    given |= {text for _, text in strings_at(draft.people, rules)}
    for kind in ("access", "emergency"):
        given |= {text for _, text in strings_at(draft.approvals, (kind, ANY, "role"))}
    for role in inventory.roles:
        if role.name not in given:
            message = f"nothing makes anybody {quoted(role.name)}"
            yield Noticed.of("unreachable-role", role.problem(message))


def _ungrantable(inventory: Inventory) -> Iterator[Noticed]:
    granted = {scope for role in inventory.roles for scope in role.scopes}
    for kind in ("access", "emergency"):
        offered = strings_at(inventory.draft.approvals, (kind, ANY, "scopes", ANY))
        granted |= {text for _, text in offered}
    given = granted.union(*(inventory.below(scope) for scope in granted))
    for holder in inventory.holders:
        if holder.acts_alone:
            continue
        for scope in holder.scopes:
            known = scope in inventory.scopes or scope in BUILT_IN_SCOPES
            # Of a scope that no role gives a role may give a part.
            if known and scope not in given and granted.isdisjoint(inventory.below(scope)):
                message = f"no role can give {quoted(scope)} to anybody's agent"
                yield Noticed.of("ungrantable-scope", holder.problem_with(scope, message))


def _idle(inventory: Inventory, reached: Sequence[_Reached]) -> Iterator[Noticed]:
    if not inventory.things:
        return
    for one in reached:
        holder = one.holder
        for scope in holder.scopes:
            if scope in BUILT_IN_SCOPES or scope not in inventory.scopes or scope in one.taken:
                continue
            if one.taken.isdisjoint(inventory.below(scope)):
                message = f"nothing that {quoted(holder.name)} can reach takes {quoted(scope)}"
                yield Noticed.of("idle-agent-scope", holder.problem_with(scope, message))
        levels = {thing.sensitivity for thing in one.usable}
        needed = max(levels, key=_rank, default=Sensitivity.LOW)
        written = holder.document.nearest((*holder.path, "max_sensitivity"))[1]
        if one.usable and written and holder.max_sensitivity.rank > needed.rank:
            message = f"cleared for {holder.max_sensitivity}, and reaches nothing above {needed}"
            place = (*holder.path, "max_sensitivity")
            problem = holder.document.problem(place, message, expected=quoted(needed))
            yield Noticed.of("idle-clearance", problem)


def _unreachable_things(inventory: Inventory, reached: Sequence[_Reached]) -> Iterator[Noticed]:
    usable = {(thing.document.file, thing.path) for one in reached for thing in one.usable}
    for thing in inventory.things:
        if (thing.document.file, thing.path) in usable:
            continue
        if any(one not in inventory.scopes or inventory.is_forbidden(one) for one in thing.scopes):
            continue  # A mistake of its own; or kept from agents on purpose.
        reaching = [one for one in reached if one.is_in_reach(thing)]
        message = f"no agent can reach {thing.spoken}{_lacking(reaching, thing)}"
        yield Noticed.of("unreachable-thing", thing.problem(message))


def _lacking(reaching: Sequence[_Reached], thing: Thing) -> str:
    if not reaching:
        return ": none may use its server"
    for one in reaching:
        if one.opens.issuperset(thing.scopes):
            return f": {quoted(one.holder.name)} is not cleared for {thing.sensitivity}"
    return ": none holds what it takes"


def _rank(level: Sensitivity) -> int:
    return level.rank
