"""Callers of one sort before one thing: those whom neither the steps before policy nor policies about it tell apart.

What the steps before policy come to is worked out by these steps, once for each token and thing: who calls, how far the
thing is, which scopes are missing. Of the rest a sort has what the policies that can matter look at: which of the roles
they ask for somebody has, not all of them; a tag by whether it is one of those named.

INVARIANT: whatever a token says and is not named here as told, or as having no part, makes it another sort.

Source: docs/adr/0022-replay.md.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final, TypeAlias

from remit.guard.acquaintance import Reach, reach_of
from remit.guard.caller import Caller
from remit.guard.limits import is_workload
from remit.guard.refusal import Refusal
from remit.guard.rehearing import Rehearing
from remit.guard.target import Target
from remit.model import Tenant
from remit.policy.facts import PRINCIPAL, TAGS, Fact
from remit.replay.cuts import Lines
from remit.replay.rebuilt import Rebuilt
from remit.tokens.access_token import AccessToken

__all__ = ["FOLLOWING", "Sort", "Sorts", "Teller", "said_in", "tellers_of"]

_MAX_LONG: Final = 2**63 - 1
_MOST: Final = 65_536
_SCOPES: Final[Fact] = ("context", "token", "scopes")

_ACCOUNTED_FOR: Final = frozenset(
    {
        # The steps before policy come to their end by these, and what that is tells them.
        "agent_id", "organization_id", "environment", "sensitivity", "scopes", "temporary", "actors", "jkt",
        # Told where policies look at it; whether somebody is a workload follows from `sub` and is always told.
        "sub", "client_id", "attributes", "roles", "purpose", "auth_time", "acr", "amr",
        # Who verified it, until when it was good and what it may be exchanged for has no part in a decision.
        "iss", "aud", "jti", "iat", "exp", "grant_id", "may_act",
        # None of them, or no sort.
        "authorization_details",
    }
)  # fmt: skip

Teller: TypeAlias = Callable[[Caller, Reach], Hashable]
"""Tells one thing of a caller."""

_TOLD: Final[Mapping[Fact, Callable[[AccessToken], Hashable]]] = MappingProxyType(
    {
        PRINCIPAL: lambda token: token.sub,
        ("principal", "id"): lambda token: token.sub,
        ("principal", "tenant"): lambda token: token.organization_id,
        ("principal", "roles"): lambda token: tuple(sorted(set(token.roles))),
        ("context", "token", "client_id"): lambda token: token.client_id,
        ("context", "token", "acr"): lambda token: token.acr,
        ("context", "token", "amr"): lambda token: token.amr,
        ("context", "token", "auth_time"): lambda token: token.auth_time,
        ("context", "token", "purpose"): lambda token: token.purpose,
        ("context", "authentication", "acr"): lambda token: token.acr,
        ("context", "authentication", "amr"): lambda token: token.amr,
        ("context", "authentication", "auth_time"): lambda token: token.auth_time,
    }
)
_OF_CALLER: Final[Mapping[Fact, Callable[[Caller], Hashable]]] = MappingProxyType(
    {
        ("context", "agent", "id"): lambda caller: caller.agent_facts.id,
        ("context", "agent", "class"): lambda caller: caller.agent_facts.agent_class.value,
        ("context", "agent", "owner"): lambda caller: caller.agent_facts.owner,
        ("context", "time", "zone"): lambda caller: _tenant_of(caller).time_zone,
    }
)
FOLLOWING: Final[frozenset[Fact]] = frozenset(
    {*_TOLD, *_OF_CALLER, TAGS, _SCOPES, ("context", "environment")}
)
"""The facts that follow from the token, the thing and the repository alone: all but the last are told."""


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of callers by its number. `is_stopped`: whatever they bring, it is decided before it is looked at.

    `lacks_scopes`: it is decided before their arguments are.
    """

    number: int
    is_stopped: bool = False
    lacks_scopes: bool = False


class Sorts:
    """Numbers the sorts of callers of one repository. For one thread."""

    __slots__ = ("_next", "_numbers", "_others", "_rehearing", "_tokens")

    def __init__(self, rehearing: Rehearing) -> None:
        self._rehearing = rehearing
        self._others = tuple(
            one.name for one in fields(AccessToken) if one.name not in _ACCOUNTED_FOR
        )
        self._numbers: dict[Hashable, Sort] = {}
        self._tokens: dict[tuple[int, int], tuple[AccessToken, Sort | None]] = {}
        self._next = 0

    def of(
        self, rebuilt: Rebuilt, place: int, target: Target | None, tellers: Sequence[Teller]
    ) -> Sort | None:
        """The sort of the caller of `rebuilt` before `target`, whose number is `place`.

        `None`: they have to be looked at each time. Equal sorts are one sort; numbers are not given twice, so that
        what is forgotten is not taken for another.
        """
        token = rebuilt.token
        name = (id(token), place)
        known = self._tokens.get(name)
        if known is not None and known[0] is token:
            return known[1]
        if len(self._tokens) >= _MOST:
            self._tokens = {}
        sort = self._sort(rebuilt, target, tellers)
        self._tokens[name] = token, sort
        return sort

    def _sort(
        self, rebuilt: Rebuilt, target: Target | None, tellers: Sequence[Teller]
    ) -> Sort | None:
        token = rebuilt.token
        attributes, auth_time = token.attributes, token.auth_time
        if token.authorization_details or not all(type(one) is str for one in attributes.values()):
            return None
        others = tuple([getattr(token, name) for name in self._others])
        caller = self._rehearing.caller(rebuilt.call, token, now=rebuilt.now)
        if isinstance(caller, Refusal):
            return self._stopped(caller, others)
        if target is None:
            return self._numbered(("nothing", others), is_stopped=True)
        reach = reach_of(caller, target)
        if reach.beyond is not None:
            return self._stopped(reach.beyond, others)
        said = (
            others,
            _tenant_of(caller).mode,
            caller.catalog.engine_for(caller.server, token.organization_id),
            is_workload(token),
            reach.missing,
            auth_time is None or 0 <= auth_time <= _MAX_LONG,
            tuple([tell(caller, reach) for tell in tellers]),
        )
        return self._numbered(said, lacks_scopes=bool(reach.missing))

    def _stopped(self, refusal: Refusal, others: Hashable) -> Sort | None:
        """Of those who are refused for who they are. Where a policy had a say in it, for more than that."""
        if refusal.decision is not None:
            return None
        why = (refusal.reason, refusal.truth, refusal.missing)
        return self._numbered(("stopped", why, others), is_stopped=True)

    def _numbered(
        self, said: Hashable, *, is_stopped: bool = False, lacks_scopes: bool = False
    ) -> Sort | None:
        try:
            known = self._numbers.get(said)
        except TypeError:  # a record of somebody else's making
            return None
        if known is None:
            if len(self._numbers) >= _MOST:
                self._numbers = {}
            known = self._numbers[said] = Sort(self._next, is_stopped, lacks_scopes)
            self._next += 1
        return known


def said_in(path: Fact) -> Callable[[AccessToken], Hashable]:
    """What tells a text of a token that an argument may be held against (`cuts.TIED`, or a tag)."""
    if path[:2] != TAGS:
        return _TOLD[path]
    name = path[2]
    return lambda token: token.attributes.get(name)


def tellers_of(facts: frozenset[Fact], lines: Lines) -> tuple[Teller, ...]:
    """What tells those of `facts` that do not follow from the thing; with `lines`, by these alone."""
    tellers: list[Teller] = []
    for fact in sorted(facts):
        if fact in _TOLD:
            tellers.append(_of_token(_TOLD[fact], fact, lines))
        elif fact in _OF_CALLER:
            tellers.append(_of_caller(_OF_CALLER[fact], fact, lines))
    if _SCOPES in facts:
        tellers += _of_scopes(lines)
    if TAGS in facts:
        tellers += _of_tags(lines)
    return tuple(tellers)


def _of_token(value_in: Callable[[AccessToken], Hashable], fact: Fact, lines: Lines) -> Teller:
    line = lines.get(fact)
    if line is None:
        return lambda caller, _: value_in(caller.token)
    return lambda caller, _: line.place(value_in(caller.token))


def _of_caller(value_in: Callable[[Caller], Hashable], fact: Fact, lines: Lines) -> Teller:
    line = lines.get(fact)
    if line is None:
        return lambda caller, _: value_in(caller)
    return lambda caller, _: line.place(value_in(caller))


def _of_scopes(lines: Lines) -> list[Teller]:
    """Those that count, and those that would count once the token had all that the thing takes."""
    line = lines.get(_SCOPES)
    if line is None:
        return [
            lambda caller, _: frozenset(caller.effective),
            lambda _, reach: frozenset(reach.with_required),
        ]
    return [
        lambda caller, _: line.place(tuple(caller.effective)),
        lambda _, reach: line.place(tuple(reach.with_required)),
    ]


def _of_tags(lines: Lines) -> list[Teller]:
    """Of a person's attributes those that are asked for, by what they are held against; or all of them."""
    asked = [(path[2], line) for path, line in lines.items() if path[:2] == TAGS]
    if not asked:
        return [lambda caller, _: frozenset(caller.token.attributes.items())]

    def tell(caller: Caller, _: Reach) -> Hashable:
        tags = caller.token.attributes
        return tuple([line.place(tags.get(name)) for name, line in asked])

    return [tell]


def _tenant_of(caller: Caller) -> Tenant:
    return caller.catalog.tenants[caller.token.organization_id]
