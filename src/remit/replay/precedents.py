"""Under which name a ruling can be remembered: everything that it depends on, and nothing else.

A recorded call is decided by its token, by what it calls, by the repository, and by what only this very call brings:
its arguments, its time, its address, a justification, the past that was told. Of these the name has whatever
policies that can matter look at, as `policy.reads` finds it in their trees; of a number that they only compare
with fixed ones it has its place among them. What may be looked at by anything else (details of the token, an argument that
is not of its type) has no name, and is decided each time.

INVARIANT: a fact that is not named here as following from token and repository is in the name, or there is none.

Source: docs/adr/0012-reused-decisions.md, docs/adr/0022-replay.md.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.clock import EpochSeconds
from remit.guard.call import Call
from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.guard.target import Target
from remit.guard.use import is_counted
from remit.model import Catalog, HistoryMeasure
from remit.policy import ResourceKind
from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy
from remit.policy.engines.cedar_held import HeldPolicy, held
from remit.policy.evaluation import ArgumentValue, ResourceFacts
from remit.policy.facts import OPEN_FACTS, Fact, local_time
from remit.policy.obligation import ObligationKind
from remit.policy.reads import Reads, reads_of, union_of
from remit.policy.vocabulary import action_name, group_names
from remit.replay.cuts import Line, lines_of
from remit.replay.rebuilt import Rebuilt

__all__ = ["ALWAYS", "FOLLOWING", "TIMED", "Precedents"]

FOLLOWING: Final[frozenset[Fact]] = frozenset(
    {
        ("principal",), ("principal", "id"), ("principal", "tenant"), ("principal", "roles"), ("principal", "()"),
        ("context", "agent", "id"), ("context", "agent", "class"), ("context", "agent", "owner"),
        ("context", "token", "client_id"), ("context", "token", "scopes"), ("context", "token", "acr"),
        ("context", "token", "amr"), ("context", "token", "auth_time"), ("context", "token", "purpose"),
        ("context", "authentication", "acr"), ("context", "authentication", "amr"),
        ("context", "authentication", "auth_time"),
        ("context", "time", "zone"), ("context", "environment"),
    }
)  # fmt: skip
"""What follows from the token, the thing and the repository."""
ALWAYS: Final[frozenset[Fact]] = OPEN_FACTS | {("context", "ip"), ("context", "networks")}
"""What is in every name in a form of its own. An address is, since one that is none is refused whoever reads it."""
_AGE: Final[Fact] = ("context", "authentication", "age_seconds")
_EPOCH: Final[Fact] = ("context", "time", "epoch")
TIMED: Final[frozenset[Fact]] = frozenset(
    {_AGE, _EPOCH} | {("context", "time", one) for one in ("hour", "minute", "weekday", "date")}
)
"""What follows from when it was decided, and is in the name if policies read it."""
_LATEST: Final = 2**32
_MOST: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Read:
    """What the policies about one thing look at, beyond what follows from token and repository.

    `clock` are attributes of `context.time`; with `exactly` the second itself matters. `past` are the facts of
    history. `arguments` have a line through their values or are told whole.
    """

    exactly: bool
    clock: tuple[str, ...]
    past: tuple[str, ...]
    arguments: tuple[tuple[str, tuple[Line, ...] | None], ...]

    def told(self, given: Mapping[str, ArgumentValue]) -> tuple[Hashable, ...]:
        """What is told of the arguments `given`."""
        found: list[Hashable] = []
        for name, lines in self.arguments:
            value = given.get(name)
            if value is None or lines is None:
                found.append(value)
            else:
                found += [True, *[line.place(value) for line in lines]]
        return tuple(found)


_NOTHING: Final = _Read(exactly=False, clock=(), past=(), arguments=())
_NO_ARGUMENTS: Final[Mapping[str, ArgumentValue]] = MappingProxyType({})


class Precedents:
    """Names rulings under one repository. For one thread."""

    __slots__ = ("_catalog", "_held", "_policies", "_reads")

    def __init__(self, policies: Sequence[CheckedPolicy], catalog: Catalog) -> None:
        self._catalog = catalog
        self._held: tuple[HeldPolicy, ...] = held(policies)
        self._policies = [one.evaluated for one in self._held]
        self._reads: dict[ResourceFacts, _Read | None] = {}

    def name(
        self, rebuilt: Rebuilt, call: Call, missing: tuple[str, ...], target: Target | None
    ) -> Hashable | None:
        """The name of the ruling on `call`, of which `missing` are not known; `None` when there is none.

        It holds for this very token object alone: whoever remembers by it keeps the token.
        """
        token, now = rebuilt.token, rebuilt.now
        if token.authorization_details or not 0 <= now < _LATEST:
            return None
        read, arguments = _NOTHING, _NO_ARGUMENTS
        if target is not None:
            about = self._about(target)
            if about is None:
                return None
            read = about
            if call.kind is ResourceKind.TOOL:
                try:
                    arguments = typed_arguments(call.arguments, target.arguments)
                except InvalidArgumentError:
                    return None
        past = rebuilt.history
        return (
            id(token),
            call.server,
            call.kind,
            call.name,
            call.method,
            call.task_of is None,
            call.context.network.ip,
            call.justification,
            missing,
            now if read.exactly else None,
            self._clock(now, rebuilt, read) if read.clock else None,
            tuple([(type(past.get(one)), past.get(one)) for one in read.past])
            if read.past
            else None,
            read.told(arguments) if read.arguments else None,
        )

    def _clock(self, now: EpochSeconds, rebuilt: Rebuilt, read: _Read) -> Hashable:
        tenant = self._catalog.tenants.get(rebuilt.token.organization_id)
        if tenant is None:
            return None
        try:
            time = local_time(now, tenant.time_zone)
        except (ValueError, OverflowError, OSError, KeyError):
            return now
        return tuple([time[one] for one in read.clock])

    def _about(self, target: Target) -> _Read | None:
        facts = target.facts
        if facts not in self._reads:
            if len(self._reads) >= _MOST:
                self._reads = {}
            self._reads[facts] = self._read_about(target)
        return self._reads[facts]

    def _read_about(self, target: Target) -> _Read | None:
        """What policies about `target` look at; `None` where something is read that nobody here knows."""
        facts = target.facts
        places = could_matter(
            self._policies,
            action_name(facts.kind, facts.server, facts.name),
            group_names(facts.server, facts.operation),
        )
        trees = [self._policies[place].tree for place in places]
        reads = union_of(map(reads_of, trees)) | union_of(
            _asked_for(self._held[place]) for place in places
        )
        if not reads.facts <= FOLLOWING | ALWAYS | TIMED:
            return None
        counted = [one for one in self._catalog.history.values() if is_counted(one, target)]
        summed = {one.argument for one in counted if one.measure is HistoryMeasure.SUM}
        asked = {one for place in places for one in _asked_for(self._held[place]).arguments or ()}
        lines = lines_of(trees) or {}
        declared = [one.name for one in target.arguments]
        known = None if reads.arguments is None else reads.arguments | summed
        history = self._catalog.history.keys()
        return _Read(
            exactly=bool(reads.facts & {_AGE, _EPOCH}),
            clock=tuple(
                sorted(one[2] for one in reads.facts & TIMED if one[1] == "time" and one != _EPOCH)
            ),
            past=tuple(sorted(history if reads.history is None else reads.history & history)),
            arguments=tuple(
                (one, None if one in summed | asked else lines.get(one))
                for one in declared
                if known is None or one in known
            ),
        )


def _asked_for(policy: HeldPolicy) -> Reads:
    """What the guard looks at to see whether that is there which a policy asks for besides."""
    reads = Reads()
    for one in policy.obligations:
        if one.kind is ObligationKind.STEP_UP:
            reads |= Reads(facts=frozenset({_AGE}))
        elif one.kind is ObligationKind.REQUIRE_JUSTIFICATION:
            reads |= Reads(arguments=frozenset({one.value}))
    return reads
