"""Under which name a ruling can be remembered: everything that it depends on, and nothing else.

A recorded call is decided by its token, by what it calls, by the repository, and by what only this very call brings:
its arguments, its time, its address, a justification, the past that was told. Of these the name has whatever
policies that can matter look at, as `policy.reads` finds it in their trees; of a number that they only compare
with fixed ones it has its place among them. What may be looked at by anything else (details of the token, an argument that
is not of its type) has no name, and is decided each time.

INVARIANT: a fact that is not named here as following from token and repository is in the name, or there is none.

Source: docs/adr/0012-reused-decisions.md, docs/adr/0022-replay.md.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.clock import EpochSeconds
from remit.guard.call import Call
from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.guard.networks import NetworkNames
from remit.guard.target import Target
from remit.guard.use import is_counted
from remit.model import Catalog, HistoryMeasure
from remit.policy import ResourceKind
from remit.policy.buckets import could_matter
from remit.policy.cedar_request import address_json
from remit.policy.check import CheckedPolicy
from remit.policy.duties import age_of
from remit.policy.engines.cedar_held import HeldPolicy, held
from remit.policy.evaluation import ArgumentValue, ResourceFacts
from remit.policy.facts import ARGUMENTS_FACT, JUSTIFICATION_FACT, OPEN_FACTS, Fact, local_time
from remit.policy.history import History
from remit.policy.obligation import ObligationKind
from remit.policy.reads import Reads, reads_of, union_of
from remit.policy.vocabulary import action_name, group_names
from remit.replay.cuts import AGE, Line, Path, lines_of, told
from remit.replay.rebuilt import Rebuilt
from remit.replay.sorts import FOLLOWING, Sorts, read_of_token
from remit.tokens.access_token import AccessToken

__all__ = ["ALWAYS", "TIMED", "Precedents"]

ALWAYS: Final[frozenset[Fact]] = OPEN_FACTS | {("context", "ip"), ("context", "networks")}
"""What has a place of its own in every name."""
_STRENGTH: Final[Fact] = ("context", "authentication", "acr")
_ADDRESS: Final[Fact] = ("context", "ip")
_NETWORKS: Final[Fact] = ("context", "networks")
TIMED: Final[frozenset[Fact]] = frozenset(
    {AGE, *(("context", "time", one) for one in ("epoch", "hour", "minute", "weekday", "date"))}
)
"""What follows from when it was decided, and is in the name if policies read it."""
_LATEST: Final = 2**32
_MOST: Final = 65_536


@dataclass(frozen=True, slots=True)
class _Read:
    """What the policies about one thing look at, beyond what follows from token and repository.

    `who` tells what is looked at of the token; `clock` are attributes of `context.time`, `age` is how long ago somebody
    logged in. `past` are the facts of history. What has no line is told as it is.
    """

    who: tuple[Callable[[AccessToken], Hashable], ...]
    address: bool
    networks: bool
    justification: bool
    clock: tuple[tuple[str, Line | None], ...]
    ages: bool
    age: Line | None
    past: tuple[str, ...]
    arguments: tuple[tuple[str, tuple[tuple[Path, Line], ...]], ...]

    def of_arguments(self, given: Mapping[str, ArgumentValue]) -> tuple[Hashable, ...]:
        """What is told of the arguments `given`; of one that is not there, that."""
        found: list[Hashable] = []
        for name, lines in self.arguments:
            value = given.get(name)
            found.append(value if value is None or not lines else told(value, lines))
        return tuple(found)

    def of_past(self, past: History) -> tuple[Hashable, ...]:
        """What is told of what was done before."""
        # Numbers of several types may be equal in Python, and are not to policies.
        return tuple([(type(past.get(name)), past.get(name)) for name in self.past])

    def of_age(self, token: AccessToken, now: EpochSeconds) -> Hashable:
        """What is told of how long ago the person logged in."""
        if token.auth_time is None:
            return None
        age = max(0, now - token.auth_time)
        return age if self.age is None else self.age.place(age)


_NOTHING: Final = _Read(
    who=(), address=False, networks=False, justification=False,
    clock=(), ages=False, age=None, past=(), arguments=(),
)  # fmt: skip
_NO_ARGUMENTS: Final[Mapping[str, ArgumentValue]] = MappingProxyType({})


class Precedents:
    """Names rulings under one repository. For one thread."""

    __slots__ = ("_addresses", "_catalog", "_held", "_networks", "_policies", "_reads", "_sorts")

    def __init__(self, policies: Sequence[CheckedPolicy], catalog: Catalog) -> None:
        self._catalog = catalog
        self._held: tuple[HeldPolicy, ...] = held(policies)
        self._policies = [one.evaluated for one in self._held]
        self._reads: dict[ResourceFacts, _Read | None] = {}
        self._sorts = Sorts(catalog)
        self._networks = NetworkNames(catalog.networks)
        self._addresses: dict[str, bool] = {}

    def name(
        self, rebuilt: Rebuilt, call: Call, missing: tuple[str, ...], target: Target | None
    ) -> Hashable | None:
        """The name of the ruling on `call`, of which `missing` are not known; `None` when there is none."""
        token, now, ip = rebuilt.token, rebuilt.now, call.context.network.ip
        sort = self._sorts.of(token)
        if sort is None or not 0 <= now < _LATEST:
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
        said = call.justification
        return (
            sort,
            tuple([said_of(token) for said_of in read.who]) if read.who else None,
            call.server,
            call.kind,
            None if target is None else call.name,
            call.method,
            call.task_of is None,
            ip if read.address or ip is None else self._is_address(ip),
            self._networks.of(ip) if read.networks else None,
            said if read.justification or said is None else True,
            missing,
            self._clock(now, token, read) if read.clock else None,
            read.of_age(token, now) if read.ages else None,
            read.of_past(rebuilt.history) if read.past else None,
            read.of_arguments(arguments) if read.arguments else None,
        )

    def _is_address(self, ip: str) -> bool:
        """Whether it is an address, which whatever is none is refused for, whoever reads it."""
        known = self._addresses.get(ip)
        if known is None:
            if len(self._addresses) >= _MOST:
                self._addresses = {}
            try:
                address_json(ip)
                known = True
            except ValueError:
                known = False
            self._addresses[ip] = known
        return known

    def _clock(self, now: EpochSeconds, token: AccessToken, read: _Read) -> Hashable:
        tenant = self._catalog.tenants.get(token.organization_id)
        if tenant is None:
            return now
        try:
            time = local_time(now, tenant.time_zone)
        except (ValueError, OverflowError, OSError, KeyError):
            return now
        return tuple(
            [time[one] if line is None else line.place(time[one]) for one, line in read.clock]
        )

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
        asked = [_asked_for(self._held[place]) for place in places]
        reads = union_of([*map(reads_of, trees), *asked])
        if not reads.facts <= FOLLOWING | ALWAYS | TIMED:
            return None
        history, lines = self._catalog.history, lines_of(trees, _ages(self._held, places))
        summed = {
            one.argument
            for one in history.values()
            if one.measure is HistoryMeasure.SUM and is_counted(one, target)
        }
        whole = summed | {name for one in asked for name in one.arguments or ()}
        known = None if reads.arguments is None else reads.arguments | summed
        times = sorted(one for one in reads.facts & TIMED if one != AGE)
        return _Read(
            who=read_of_token(reads.facts),
            address=_ADDRESS in reads.facts,
            networks=_NETWORKS in reads.facts,
            justification=JUSTIFICATION_FACT in reads.facts,
            clock=tuple((one[2], lines.get(one)) for one in times),
            ages=AGE in reads.facts,
            age=lines.get(AGE),
            past=tuple(
                sorted(history if reads.history is None else reads.history & history.keys())
            ),
            arguments=tuple(
                (one.name, () if one.name in whole else _lines(one.name, lines))
                for one in target.arguments
                if known is None or one.name in known
            ),
        )


def _lines(argument: str, lines: Mapping[Path, Line]) -> tuple[tuple[Path, Line], ...]:
    """Those through the parts of one argument, by its parts."""
    return tuple(
        (path[3:], line) for path, line in lines.items() if path[:3] == (*ARGUMENTS_FACT, argument)
    )


def _ages(policies: Sequence[HeldPolicy], places: Sequence[int]) -> list[tuple[Path, int]]:
    """The ages that the guard itself holds a log-in against."""
    return [
        (AGE, age)
        for place in places
        for one in policies[place].obligations
        if one.kind is ObligationKind.STEP_UP and (age := age_of(one.value)) is not None
    ]


def _asked_for(policy: HeldPolicy) -> Reads:
    """What the guard looks at to see whether that is there which a policy asks for besides."""
    reads = Reads()
    for one in policy.obligations:
        if one.kind is ObligationKind.STEP_UP:
            reads |= Reads(facts=frozenset({AGE, _STRENGTH}))
        elif one.kind is ObligationKind.REQUIRE_JUSTIFICATION:
            reads |= Reads(arguments=frozenset({one.value}))
    return reads
