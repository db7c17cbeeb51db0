"""What was worked out about callers and things before, and holds as long as token and catalog do.

Decides nothing that can change: whether a token is still backed, how fresh standing is, what is
quarantined and what policies say is asked every time. Everything here is found by the very
objects it was worked out from, which never change; with another catalog all of it is
forgotten. What is kept is bounded.

INVARIANT: no entry is used for another token, agent, server or catalog than those it was made of.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from remit.guard.caller import Caller
from remit.guard.limits import scope_limits
from remit.guard.networks import NetworkNames
from remit.guard.outcome import RefusalReason
from remit.guard.refusal import Refusal, hidden
from remit.guard.target import Target, Thing, find_thing, target_of, things_of
from remit.guard.world import World
from remit.ids import ScopeName, ServerName
from remit.model import Agent, Catalog, Server
from remit.policy.evaluation import ResourceKind
from remit.tokens.access_token import AccessToken

__all__ = ["Acquaintance", "Reach", "reach_of"]

_MAX_CALLERS = 2_048
_MAX_TARGETS = 16_384
_MAX_REACHES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a thing is from a caller, before policy is asked.

    `beyond` says that it is out of reach for good: no token of this agent and person could ever
    use it, so that it need not exist for them.
    """

    required: tuple[ScopeName, ...]
    missing: tuple[ScopeName, ...]
    with_required: tuple[ScopeName, ...]
    """The scopes that count now, and those that the thing takes."""
    beyond: Refusal | None


class Acquaintance:
    """The callers and things of one catalog."""

    __slots__ = ("_callers", "_catalog", "_networks", "_reaches", "_targets")

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._callers: dict[tuple[int, ServerName], Caller] = {}
        self._targets: dict[tuple[int, int], tuple[Server, Thing, Target]] = {}
        self._reaches: dict[tuple[int, int], tuple[Caller, Target, Reach]] = {}
        self._networks = NetworkNames({})

    def caller(self, token: AccessToken, agent: Agent, *, server: Server, world: World) -> Caller:
        """Who calls, with the limits of their scopes."""
        catalog = world.catalog
        if catalog is not self._catalog:
            self._forget(catalog)
        name = (id(token), server.name)
        known = self._callers.get(name)
        if (
            known is not None
            and known.token is token
            and known.agent is agent
            and known.server is server
            and known.catalog is catalog
            and known.world.decisions is world.decisions
        ):
            return known
        limits = scope_limits(token, agent, catalog)
        caller = Caller(token=token, agent=agent, server=server, world=world, limits=limits)
        if len(self._callers) >= _MAX_CALLERS:
            self._callers, self._reaches = {}, {}
        self._callers[name] = caller
        return caller

    def target(self, server: Server, kind: ResourceKind | None, name: str | None) -> Target | None:
        """The thing of `kind` called `name` on `server`; `None` when the catalog has none."""
        thing = find_thing(server, kind, name)
        return None if thing is None else self._target(server, thing)

    def targets(self, server: Server, kind: ResourceKind | None) -> Iterator[Target]:
        """Everything of `kind` on `server`; of every kind when `kind` is `None`."""
        return (self._target(server, thing) for thing in things_of(server, kind))

    def networks(self, ip: str | None) -> tuple[str, ...]:
        """The names of the networks that a caller of this catalog comes from."""
        return self._networks.of(ip)

    def reach(self, caller: Caller, target: Target) -> Reach:
        """How far `target` is from `caller`."""
        name = (id(caller), id(target))
        known = self._reaches.get(name)
        if known is not None and known[0] is caller and known[1] is target:
            return known[2]
        reach = reach_of(caller, target)
        if len(self._reaches) >= _MAX_REACHES:
            self._reaches = {}
        self._reaches[name] = (caller, target, reach)
        return reach

    def _target(self, server: Server, thing: Thing) -> Target:
        name = (id(server), id(thing))
        known = self._targets.get(name)
        if known is not None and known[0] is server and known[1] is thing:
            return known[2]
        target = target_of(server, thing)
        if len(self._targets) >= _MAX_TARGETS:
            self._targets = {}
        self._targets[name] = (server, thing, target)
        return target

    def _forget(self, catalog: Catalog) -> None:
        self._callers, self._targets, self._reaches = {}, {}, {}
        self._catalog = catalog
        self._networks = NetworkNames(catalog.networks)


def reach_of(caller: Caller, target: Target) -> Reach:
    """How far `target` is from `caller`, worked out anew."""
    limits = caller.limits
    filled = limits.required(target.scopes)
    required = filled or ()
    missing = tuple(scope for scope in required if not limits.holds(scope))
    if filled is None:
        unobtainable = target.scopes
    else:
        unobtainable = tuple(scope for scope in missing if not limits.may_obtain(scope))
    return Reach(
        required=required,
        missing=missing,
        with_required=tuple(dict.fromkeys((*caller.effective, *required))),
        beyond=_beyond(caller, target, unobtainable),
    )


def _beyond(caller: Caller, target: Target, unobtainable: tuple[ScopeName, ...]) -> Refusal | None:
    kind, token = target.facts.kind, caller.token
    if target.sensitivity.rank > caller.clearance.rank:
        return hidden(kind, RefusalReason.ABOVE_CLEARANCE, token=token, target=target)
    if not unobtainable:
        return None
    return hidden(
        kind, RefusalReason.INSUFFICIENT_SCOPE, token=token, target=target, missing=unobtainable
    )
