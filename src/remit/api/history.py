"""What was done before, as the declared facts count it: shown, and forgotten.

Refused: to look at the past of nobody, or of somebody of another organisation; to forget without saying whose and why.
Whoever is forgotten begins anew, with every limit: the log says who let them, and how much there was.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Text
from remit.api.problems import BadRequestError
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.guard.use import Whose
from remit.history import consent_of, forget_history, told_of
from remit.history.erasure import Forgotten
from remit.identity import require_user
from remit.ids import TenantId
from remit.model import HistoryFact, HistoryOf
from remit.policy.history import history_json

__all__ = ["HISTORY_OPERATIONS"]


class PastWanted(Shape):
    """Whose past: what an agent did for a person, or for itself if no person is named; or what a grant was used for."""

    agent: Text | None = None
    user: Text | None = None
    grant: Text | None = None
    tenant: Text | None = None


class FactShown(Shape):
    """One fact. `value` is `null` where whose past it is was not said; a sum is text, a set a list.

    `window` is in seconds.
    """

    name: str
    measure: str
    of: str
    window: int
    currency: str | None
    value: Any


class PastShown(Shape):
    """What every declared fact comes to at present. `subject` is the person's id, or the agent that acts for itself."""

    tenant: str
    agent: str | None
    subject: str | None
    grant: str | None
    facts: list[FactShown]


class Forgetting(PastWanted):
    """Whose past is forgotten, of which facts, and why. No fact named: all of them, also those not declared any more."""

    facts: list[Text] = Field(default_factory=list)
    reason: Text


class HistoryGone(Shape):
    """How many uses were forgotten."""

    uses: int


@dataclass(frozen=True, slots=True)
class _Named:
    """Who is named, found."""

    tenant: TenantId
    agent: str
    subject: str
    grant: str


async def _show(deps: ApiDeps, asked: Asked[PastWanted, Nothing]) -> PastShown:
    facts = deps.directory.catalog.history.values()

    def find(tx: Transaction) -> PastShown:
        named = _named(deps, tx, asked.by.narrowed(asked.query.tenant), asked.query)
        # An agent for which nobody is named acts for itself.
        subject = named.subject or named.agent
        pasts = [_past_of(fact, named, subject) for fact in facts]
        return PastShown(
            tenant=named.tenant,
            agent=named.agent or None,
            subject=subject or None,
            grant=named.grant or None,
            facts=[
                _shown(fact, None if past is None else told_of(tx, fact, (past,), now=asked.at))
                for fact, past in zip(facts, pasts, strict=True)
            ],
        )

    return await deps.database.read(find)


async def _forget(deps: ApiDeps, asked: Asked[Nothing, Forgetting]) -> HistoryGone:
    body, declared = asked.body, deps.directory.catalog.history
    unknown = [name for name in body.facts if name not in declared]
    if unknown:
        raise NotFoundError(f"no fact of history is called `{unknown[0]}`")

    def forget(tx: Transaction) -> HistoryGone:
        named = _named(deps, tx, asked.by.narrowed(body.tenant), body)
        whose = Forgotten(
            tenant=named.tenant,
            agent=named.agent,
            subject=named.subject,
            grant=named.grant,
            facts=tuple(body.facts),
        )
        gone = forget_history(
            tx,
            whose,
            accounts=[declared[name].account for name in body.facts],
            reason=body.reason,
            context=asked.context,
        )
        return HistoryGone(uses=gone)

    return await deps.database.run(forget)


def _named(deps: ApiDeps, tx: Transaction, tenant: TenantId | None, wanted: PastWanted) -> _Named:
    """Who is named, in the one organisation that they are looked for in."""
    if not (wanted.agent or wanted.user or wanted.grant):
        raise BadRequestError("say whose: `agent`, `user` or `grant`")
    catalog, subject = deps.directory.catalog, ""
    if wanted.user is not None:
        user = require_user(tx, wanted.user)
        if tenant not in {None, user.tenant}:
            raise NotFoundError("there is no such account")
        tenant, subject = user.tenant, user.id
    if tenant is None and len(catalog.tenants) == 1:
        (tenant,) = catalog.tenants
    if tenant is None:
        raise BadRequestError("say in which organisation: `tenant`")
    if tenant not in catalog.tenants:
        raise NotFoundError("there is no such organisation")
    grant = "" if wanted.grant is None else consent_of(tx, wanted.grant, within=tenant)
    return _Named(tenant, wanted.agent or "", subject, grant)


def _past_of(fact: HistoryFact, named: _Named, subject: str) -> Whose | None:
    """The past that `fact` is about; `None` where that takes more than was named."""
    tenant, agent = named.tenant, named.agent
    match fact.of:
        case HistoryOf.AGENT_AND_SUBJECT if agent and subject:
            return Whose(tenant, agent=agent, subject=subject)
        case HistoryOf.AGENT if agent:
            return Whose(tenant, agent=agent)
        case HistoryOf.SUBJECT if subject:
            return Whose(tenant, subject=subject)
        case HistoryOf.GRANT if named.grant:
            return Whose(tenant, grant=named.grant)
        case _:
            return None


def _shown(fact: HistoryFact, value: "int | bool | Decimal | frozenset[str] | None") -> FactShown:
    return FactShown(
        name=fact.name,
        measure=fact.measure.value,
        of=fact.of.value,
        window=fact.reach,
        currency=fact.currency or None,
        value=None if value is None else history_json({fact.name: value})[fact.name],
    )


HISTORY_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="history.show", run=_show, query=PastWanted, body=Nothing, answer=PastShown),
    Operation(
        name="history.forget", run=_forget, query=Nothing, body=Forgetting, answer=HistoryGone
    ),
)
