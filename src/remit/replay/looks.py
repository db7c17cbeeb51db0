"""What the policies about one thing look at, and what is told of a call for it.

Of an address, the time, a justification and the past: each as policies see it, or only where it stands among the lines
that they draw (`cuts`). What is not looked at is not told, but for whether an address is one and whether a
justification was given, which everybody is asked.

Source: docs/adr/0012-reused-decisions.md, docs/adr/0022-replay.md.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cedarpy.pst import Template

from remit.clock import EpochSeconds
from remit.guard.justification import told_by_name, told_to_policies
from remit.guard.networks import NetworkNames
from remit.guard.target import Target
from remit.guard.use import is_counted
from remit.ids import TenantId
from remit.model import Catalog, HistoryMeasure, JustificationField
from remit.policy.buckets import could_matter
from remit.policy.cedar_request import address_json
from remit.policy.duties import age_of, is_told, strengths_of
from remit.policy.engines.cedar_held import HeldPolicy
from remit.policy.facts import (
    ARGUMENTS_FACT,
    JUSTIFICATION_FACT,
    OPEN_FACTS,
    TOLD_FACT,
    Fact,
    age_at,
    local_time,
)
from remit.policy.obligation import Obligation, ObligationKind
from remit.policy.reads import Reads, reads_of, union_of
from remit.policy.vocabulary import action_name, group_names
from remit.replay.cuts import AGE, Lines, Path, lines_of, ties_of
from remit.replay.forms import Form, Told
from remit.replay.rebuilt import Rebuilt
from remit.replay.sorts import FOLLOWING, Teller, said_in, tellers_of

__all__ = ["ALWAYS", "TIMED", "UNSAID", "Circumstances", "Looks", "asked_for", "looks_at"]

_STRENGTH: Final[Fact] = ("context", "authentication", "acr")
_ADDRESS: Final[Fact] = ("context", "ip")
_NETWORKS: Final[Fact] = ("context", "networks")
_EPOCH: Final[Fact] = ("context", "time", "epoch")
ALWAYS: Final[frozenset[Fact]] = OPEN_FACTS | {_ADDRESS, _NETWORKS}
"""What has a place of its own in every name."""
TIMED: Final[frozenset[Fact]] = frozenset(
    {AGE, _EPOCH, *(("context", "time", one) for one in ("hour", "minute", "weekday", "date"))}
)
"""What follows from when it was decided, and is in the name if policies read it."""
UNSAID: Final[frozenset[Fact]] = frozenset(
    ("context", "elevation", one) for one in ("roles", "acr", "age_seconds", "scopes")
)
"""What people said of the very call: of a call that has a name they said nothing."""
_SCOPES: Final[Fact] = ("context", "token", "scopes")
_WHOLE_MINUTES_SINCE: Final = 315_532_800
"""1980: since then no time zone is apart from UTC by other than whole minutes."""
_MOST: Final = 16_384
_NO_LINES: Final[Lines] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Looks:
    """What the policies about one thing look at, beyond what follows from token and repository.

    `clock` are attributes of `context.time` that are the same for a minute, `epoch` and `age` (how long ago somebody
    logged in) are not. `past` are the facts of history; `reasons` the names of what has to be told. `lines`: what has none there is told as it is.
    """

    tellers: tuple[Teller, ...] = ()
    address: bool = False
    networks: bool = False
    justification: bool = False
    told: bool = False
    reasons: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()
    epoch: bool = False
    age: bool = False
    past: tuple[str, ...] = ()
    form: Form | None = None
    lines: Lines = field(default_factory=lambda: _NO_LINES)

    @property
    def is_timed(self) -> bool:
        """Whether it matters when it was decided."""
        return bool(self.clock) or self.epoch or self.age

    def place(self, fact: Fact, value: Hashable) -> Hashable:
        """`value`, or where it stands among the lines through `fact`."""
        line = self.lines.get(fact)
        return value if line is None else line.place(value)


class Circumstances:
    """Tells what calls bring under one catalog, arguments apart. For one thread."""

    __slots__ = ("_addresses", "_catalog", "_clocks", "_networks")

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._networks = NetworkNames(catalog.networks)
        # With what was looked by: a number is another's when the one whose it was is forgotten.
        self._addresses: dict[tuple[int, str], tuple[Looks, Hashable]] = {}
        self._clocks: dict[tuple[int, int, str], tuple[Looks, Hashable]] = {}

    def told(self, rebuilt: Rebuilt, looks: Looks) -> tuple[Hashable, ...]:
        """What `looks` see of the circumstances of `rebuilt`."""
        ip, fields = rebuilt.ip, self._catalog.approvals.justifications
        said = told_to_policies(rebuilt.justification, None, fields)
        return (
            None if ip is None else self._address(ip, looks),
            looks.place(_NETWORKS, self._networks.of(ip)) if looks.networks else None,
            rebuilt.justification is not None,
            looks.place(JUSTIFICATION_FACT, said) if looks.justification else None,
            _told_by_name(said, fields) if looks.told else None,
            tuple([is_told(one, said) for one in looks.reasons]),
            self._time(rebuilt, looks) if looks.is_timed else None,
            _past(rebuilt, looks.past) if looks.past else None,
        )

    def _address(self, ip: str, looks: Looks) -> Hashable:
        """The address, or where it is; of what is none, which is refused whoever reads it, that and what it is."""
        name = (id(looks), ip)
        known = self._addresses.get(name)
        if known is not None and known[0] is looks:
            return known[1]
        if len(self._addresses) >= _MOST:
            self._addresses = {}
        address = _canonical(ip)
        place: Hashable = (False, ip)
        if address is not None:
            place = looks.place(_ADDRESS, address) if looks.address else True
        self._addresses[name] = looks, place
        return place

    def _time(self, rebuilt: Rebuilt, looks: Looks) -> tuple[Hashable, ...]:
        now, token = rebuilt.now, rebuilt.token
        age = age_at(token.auth_time, now) if looks.age else None
        return (
            self._clock(now, token.organization_id, looks) if looks.clock else None,
            looks.place(_EPOCH, now) if looks.epoch else None,
            looks.place(AGE, age) if looks.age else None,
        )

    def _clock(self, now: EpochSeconds, tenant_id: TenantId, looks: Looks) -> Hashable:
        """What a clock on the wall shows; the same for every second of a minute."""
        if now < _WHOLE_MINUTES_SINCE:
            return now
        name = (id(looks), now // 60, tenant_id)
        known = self._clocks.get(name)
        if known is not None and known[0] is looks:
            return known[1]
        if len(self._clocks) >= _MOST:
            self._clocks = {}
        shown = self._clock_of(now, tenant_id, looks)
        self._clocks[name] = looks, shown
        return shown

    def _clock_of(self, now: EpochSeconds, tenant_id: TenantId, looks: Looks) -> Hashable:
        tenant = self._catalog.tenants.get(tenant_id)
        if tenant is None:
            return now
        try:
            time = local_time(now, tenant.time_zone)
        except (ValueError, OverflowError, OSError, KeyError):
            return now
        return tuple([looks.place(("context", "time", one), time[one]) for one in looks.clock])


def looks_at(target: Target, policies: Sequence[HeldPolicy], catalog: Catalog) -> Looks | None:
    """What those of `policies` that are about `target` look at; `None` where something is read that nobody here knows."""
    facts = target.facts
    places = could_matter(
        [one.evaluated for one in policies],
        action_name(facts.kind, facts.server, facts.name),
        group_names(facts.server, facts.operation),
    )
    about = [policies[place] for place in places]
    trees = [one.evaluated.tree for one in about]
    asked = union_of(asked_for(one.obligations) for one in about)
    reads = union_of([*map(reads_of, trees), asked])
    if not reads.facts <= FOLLOWING | ALWAYS | TIMED | UNSAID:
        return None
    lines = lines_of(trees, _held_besides(about))
    history, summed = catalog.history, _summed(target, catalog)
    whole = summed | (asked.arguments or frozenset())
    declared = frozenset(one.name for one in target.arguments)
    known = None if reads.arguments is None else reads.arguments | summed
    times = sorted(one[2] for one in reads.facts & TIMED if one not in {AGE, _EPOCH})
    return Looks(
        tellers=tellers_of(reads.facts, lines),
        address=_ADDRESS in reads.facts,
        networks=_NETWORKS in reads.facts,
        justification=JUSTIFICATION_FACT in reads.facts,
        told=TOLD_FACT in reads.facts,
        reasons=_reasons(about),
        clock=tuple(times),
        epoch=_EPOCH in reads.facts,
        age=AGE in reads.facts,
        past=tuple(sorted(history if reads.history is None else reads.history & history.keys())),
        form=Form(
            target.arguments,
            {
                one: Told() if one in whole else _told(one, trees, lines)
                for one in (known if known is not None else declared) & declared
            },
        ),
        lines=lines,
    )


def _summed(target: Target, catalog: Catalog) -> frozenset[str]:
    """The arguments that facts of history add up."""
    return frozenset(
        one.argument
        for one in catalog.history.values()
        if one.measure is HistoryMeasure.SUM and is_counted(one, target)
    )


def _told(argument: str, trees: Sequence[Template], lines: Lines) -> Told:
    """By the lines through its parts, and by what of the token it is held against."""
    parts = [
        (path[3:], line) for path, line in lines.items() if path[:3] == (*ARGUMENTS_FACT, argument)
    ]
    ties = sorted(path for name, path in ties_of(trees) if name == argument)
    return Told(tuple(parts), tuple(said_in(path) for path in ties))


def _held_besides(policies: Sequence[HeldPolicy]) -> list[tuple[Path, int | str]]:
    """The ages and strengths of a log-in that the guard itself asks for."""
    asked: list[tuple[Path, int | str]] = []
    for one in policies:
        for obligation in one.obligations:
            if obligation.kind is not ObligationKind.STEP_UP:
                continue
            age = age_of(obligation.value)
            if age is not None:
                asked.append((AGE, age))
            asked += [(_STRENGTH, word) for word in strengths_of(obligation.value)]
    return asked


def asked_for(obligations: Sequence[Obligation]) -> Reads:
    """What is looked at to see whether that is there which a policy asks for besides."""
    reads = Reads()
    for one in obligations:
        if one.kind is ObligationKind.STEP_UP:
            reads |= Reads(facts=frozenset({AGE, _STRENGTH}))
        elif one.kind is ObligationKind.REQUIRE_SCOPE:
            reads |= Reads(facts=frozenset({_SCOPES}))
        elif one.kind is ObligationKind.REQUIRE_JUSTIFICATION:
            reads |= Reads(arguments=frozenset({one.value}))
    return reads


def _reasons(policies: Sequence[HeldPolicy]) -> tuple[str, ...]:
    """The names of what some policy wants to be told."""
    wanted = (ask for one in policies for ask in one.obligations)
    names = {one.value for one in wanted if one.kind is ObligationKind.REQUIRE_JUSTIFICATION}
    return tuple(sorted(names))


def _told_by_name(said: str | None, fields: Mapping[str, JustificationField]) -> Hashable:
    told = told_by_name(said, fields)
    return None if told is None else frozenset(told.items())


def _past(rebuilt: Rebuilt, names: Sequence[str]) -> tuple[Hashable, ...]:
    """What was told of what was done before."""
    past = rebuilt.history
    # Numbers of several types may be equal in Python, and are not to policies.
    return tuple([(type(past.get(name)), past.get(name)) for name in names])


def _canonical(ip: str) -> str | None:
    """An address as policies are told it; `None` for what is none."""
    try:
        address = address_json(ip)["__extn"]
    except ValueError:
        return None
    return str(address["arg"]) if isinstance(address, Mapping) else None
