"""One call as the past counts it: in which declared facts, of whose past, with how much.

A call through agents that act for each other counts in the past of each of them, so that no sub-agent is a way
around a limit of the agent that sent it. The organisation is part of every past. Refused: a call that a sum counts,
without the amount, in another currency than is summed, or with an amount below nought, which would make room for more.

Source: docs/adr/0020-history.md; docs/guides/history.md.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from remit.clock import EpochSeconds
from remit.guard.call import Call
from remit.guard.facts import InvalidArgumentError
from remit.guard.target import Target
from remit.ids import TenantId
from remit.model import MANAGEMENT, HistoryFact, HistoryMeasure, HistoryOf
from remit.policy.evaluation import ArgumentValue, Evaluation, Money, ResourceFacts
from remit.policy.history import History
from remit.policy.vocabulary import action_name
from remit.tokens.access_token import AccessToken

__all__ = [
    "Entry",
    "Use",
    "Whose",
    "amount_in",
    "entries_of",
    "is_counted",
    "remembering",
    "whose_pasts",
]

_NO_MEMBER = ("",)
_ADDED_UP = frozenset({HistoryMeasure.COUNT, HistoryMeasure.SUM})


@dataclass(frozen=True, slots=True, order=True)
class Whose:
    """Whose past it is. What does not tell pasts apart is left empty."""

    tenant: TenantId
    agent: str = ""
    subject: str = ""
    grant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fact, as a call comes to it.

    `counted`: the call counts in it, with `amount` in every past of `whose`, once for each of `members`.
    `told`: a policy about the call reads it.
    """

    fact: HistoryFact
    whose: tuple[Whose, ...]
    counted: bool
    told: bool
    amount: Decimal = Decimal(0)
    members: tuple[str, ...] = _NO_MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One call, before it is decided. `id` is that of its decision."""

    id: str
    at: EpochSeconds
    call: Call
    entries: tuple[Entry, ...]
    comes_again: bool = False
    """What is taken back of it comes again: numbers and amounts alone, since what was seen was seen."""

    @property
    def withdrawn(self) -> tuple[Entry, ...]:
        """What there is to take back."""
        return tuple(
            entry
            for entry in self.entries
            if entry.counted and (not self.comes_again or entry.fact.measure in _ADDED_UP)
        )

    @property
    def is_counted(self) -> bool:
        """Whether it leaves anything behind."""
        return any(entry.counted for entry in self.entries)


def entries_of(
    token: AccessToken,
    target: Target,
    *,
    history: Mapping[str, HistoryFact],
    reads: Collection[str],
    amount_of: Callable[[HistoryFact], Decimal],
    again: bool = False,
) -> tuple[Entry, ...]:
    """The facts of `history` that a call with `token` counts in, and those of `reads`; of most calls there is none.

    `amount_of` is asked for what a sum that counts the call adds up. `again`: what is used was counted when it
    began, as a task was.
    """
    found: list[Entry] = []
    for fact in history.values():
        counted = not again and is_counted(fact, target)
        told = fact.name in reads
        if counted or told:
            sums = counted and fact.measure is HistoryMeasure.SUM
            entry = Entry(
                fact=fact,
                whose=whose_pasts(fact, token),
                counted=counted,
                told=told,
                amount=amount_of(fact) if sums else Decimal(0),
                members=_members(fact, target.facts) if counted else _NO_MEMBER,
            )
            found.append(entry)
    return tuple(found)


def whose_pasts(fact: HistoryFact, token: AccessToken) -> tuple[Whose, ...]:
    """The pasts in which calls with `token` count: one for each agent that stands behind it, or one."""
    tenant = token.organization_id
    match fact.of:
        case HistoryOf.SUBJECT:
            return (Whose(tenant, subject=token.sub),)
        case HistoryOf.GRANT:
            return (Whose(tenant, grant=token.grant_id),)
        case _:
            subject = token.sub if fact.of is HistoryOf.AGENT_AND_SUBJECT else ""
            agents = {token.agent_id, *(actor.agent_id for actor in token.actors)}
            return tuple(sorted(Whose(tenant, agent=agent, subject=subject) for agent in agents))


def remembering(evaluation: Evaluation, history: History | None) -> Evaluation:
    """`evaluation`, with what its facts come to."""
    if history is None:
        return evaluation
    return replace(evaluation, context=replace(evaluation.context, history=history))


def is_counted(fact: HistoryFact, target: Target) -> bool:
    """Whether uses of `target` count. What administrators do does not: no repository declares it."""
    of = target.facts
    if of.server == MANAGEMENT.name:
        return False
    return (
        (not fact.servers or of.server in fact.servers)
        and (not fact.things or _action(of) in fact.things)
        and (not fact.operations or of.operation in fact.operations)
        and (not fact.data_categories or not set(fact.data_categories).isdisjoint(of.data_categories))
        and (
            fact.measure is not HistoryMeasure.SUM
            or any(one.name == fact.argument for one in target.arguments)
        )
    )  # fmt: skip


def _members(fact: HistoryFact, of: ResourceFacts) -> tuple[str, ...]:
    match fact.measure:
        case HistoryMeasure.TOOLS:
            return (_action(of),)
        case HistoryMeasure.DATA_CATEGORIES:
            return of.data_categories
        case _:
            return _NO_MEMBER


def _action(of: ResourceFacts) -> str:
    return action_name(of.kind, of.server, of.name)


def amount_in(arguments: Mapping[str, ArgumentValue], fact: HistoryFact) -> Decimal:
    """What a call with `arguments` adds to the sum that `fact` is.

    Raises:
        InvalidArgumentError: it cannot be added up.
    """
    name = fact.argument
    match arguments.get(name):
        case None:
            raise InvalidArgumentError(f"the argument `{name}` is missing")
        case Money(value=value, currency=currency) if currency == fact.currency:
            amount = value
        case Money():
            raise InvalidArgumentError(
                f"the currency of the argument `{name}` is not `{fact.currency}`"
            )
        case Decimal() as value if not fact.currency:
            amount = value
        case _:
            raise InvalidArgumentError(f"the argument `{name}` cannot be summed")
    if amount < 0:
        raise InvalidArgumentError(f"the argument `{name}` is less than nought")
    return amount
