"""What is worth a second look in roles and agents: what nobody reaches, and what differs too little."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from remit.documents import ANY, quoted
from remit.model import Sensitivity
from remit.repository.draft import strings_at
from remit.repository.lint.inventory import Holder, Inventory, Listed, Thing
from remit.repository.lint.noticed import Noticed
from remit.repository.reach import unreachable
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
    yield from _idle(inventory)
    yield from _unreachable_things(inventory)


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
        parts = [one for one in roles if one.scopes and set(one.scopes) < whole]
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
    for role in inventory.roles:
        if role.name not in given:
            message = f"nothing makes anybody {quoted(role.name)}"
            yield Noticed.of("unreachable-role", role.problem(message))


def _ungrantable(inventory: Inventory) -> Iterator[Noticed]:
    for holder in inventory.holders:
        if holder.acts_alone:
            continue
        for scope in holder.scopes:
            given = any(
                inventory.covers(granted, scope) or inventory.covers(scope, granted)
                for role in inventory.roles
                for granted in role.scopes
            )
            known = scope in inventory.scopes or scope in BUILT_IN_SCOPES
            if known and not given:
                message = f"no role can give {quoted(scope)} to anybody's agent"
                yield Noticed.of("ungrantable-scope", holder.problem_with(scope, message))


def _idle(inventory: Inventory) -> Iterator[Noticed]:
    if not inventory.things:
        return
    for holder in inventory.holders:
        within = [thing for thing in inventory.things if _is_in_reach(holder, thing)]
        for scope in holder.scopes:
            if scope in BUILT_IN_SCOPES or scope not in inventory.scopes:
                continue
            if not any(inventory.covers(scope, one) for thing in within for one in thing.scopes):
                message = f"nothing that {quoted(holder.name)} can reach takes {quoted(scope)}"
                yield Noticed.of("idle-agent-scope", holder.problem_with(scope, message))
        usable = [thing for thing in within if _holds(inventory, holder, thing)]
        needed = max((thing.sensitivity for thing in usable), key=_rank, default=Sensitivity.LOW)
        written = holder.document.nearest((*holder.path, "max_sensitivity"))[1]
        if usable and written and _rank(holder.max_sensitivity) > _rank(needed):
            message = f"cleared for {holder.max_sensitivity}, and reaches nothing above {needed}"
            place = (*holder.path, "max_sensitivity")
            problem = holder.document.problem(place, message, expected=quoted(needed))
            yield Noticed.of("idle-clearance", problem)


def _unreachable_things(inventory: Inventory) -> Iterator[Noticed]:
    for thing in inventory.things:
        if any(one not in inventory.scopes or inventory.is_forbidden(one) for one in thing.scopes):
            continue  # A mistake of its own; or kept from agents on purpose.
        reaching = [one for one in inventory.holders if _is_in_reach(one, thing)]
        if any(_holds(inventory, one, thing) for one in reaching):
            continue
        lacking = _lacking(inventory, reaching, thing)
        message = f"no agent can reach {thing.spoken}{lacking}"
        yield Noticed.of("unreachable-thing", thing.problem(message))


def _lacking(inventory: Inventory, reaching: Sequence[Holder], thing: Thing) -> str:
    if not reaching:
        return ": none may use its server"
    for holder in reaching:
        if all(any(inventory.covers(h, s) for h in holder.scopes) for s in thing.scopes):
            return f": {quoted(holder.name)} is not cleared for {thing.sensitivity}"
    return ": none holds what it takes"


def _is_in_reach(holder: Holder, thing: Thing) -> bool:
    return unreachable(holder.reach, thing.document) is None


def _holds(inventory: Inventory, holder: Holder, thing: Thing) -> bool:
    """Whether the holder's own limits let it use the thing, for somebody."""
    return _rank(holder.max_sensitivity) >= _rank(thing.sensitivity) and all(
        any(inventory.covers(held, scope) for held in holder.scopes) for scope in thing.scopes
    )


def _rank(level: Sensitivity) -> int:
    return level.rank
