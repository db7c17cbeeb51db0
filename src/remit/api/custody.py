"""Erasing what was sealed about somebody, and holds, which forbid that.

Refused: to erase while a hold stands (409); the word of one person where two are needed (403), an agent that acts for
nobody being no person at all; what belongs to another organisation, as if it did not exist.
"""

from typing import Any, Final

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Flag, Nothing, Operation, Shape, Text
from remit.api.problems import BadRequestError
from remit.clock import EpochSeconds
from remit.custody import Hold, Word
from remit.db import Transaction
from remit.deployment import person_named
from remit.deployment.person import require_second_person
from remit.errors import NotFoundError
from remit.identity import require_user
from remit.ids import AgentId, TenantId

__all__ = ["CUSTODY_OPERATIONS"]

_USER_ID: Final = "usr_"


class AboutWhom(Shape):
    """A person, by id or name, or an agent that acts for itself; and the organisation, where there are several."""

    user: Text | None = None
    agent: Text | None = None
    tenant: Text | None = None


class Erasing(AboutWhom):
    """Whose sealed values are made unreadable for good, and on what basis; the log keeps the basis."""

    basis: Text


class Erased(Shape):
    """How many keys were destroyed, and the keyed name of whom they were about, as the log has it."""

    tenant: str
    subject_digest: str
    keys: int


class Holding(AboutWhom):
    """About whom nothing may be destroyed (nobody named: about anybody of the organisation), and why."""

    reason: Text


class Lifting(Shape):
    """Why a hold is needed no more."""

    reason: Text


class HoldsWanted(Shape):
    """Those that stand or are asked for; with `lifted` those of before, too."""

    tenant: Text | None = None
    lifted: Flag = False


class HoldShown(Shape):
    """A hold. `subject_digest` is keyed; `null`: everybody of the organisation."""

    id: str
    tenant: str
    subject_digest: str | None
    state: str
    reason: str
    requested_by: str
    requested_at: int
    set_by: str | None
    set_at: int | None
    lift_reason: str | None
    lift_requested_by: str | None
    lift_requested_at: int | None
    lifted_by: str | None
    lifted_at: int | None


class HoldsShown(Shape):
    """Every hold, the oldest first."""

    holds: list[HoldShown]


async def _erase(deps: ApiDeps, asked: Asked[Nothing, Erasing]) -> Erased:
    tenant, subject = await deps.database.read(lambda tx: _named(deps, tx, asked, asked.body))
    if subject is None:
        raise BadRequestError("say whose: `user` or `agent`")
    context = asked.context.with_(tenant=tenant)
    keys = await deps.custody.erase(
        tenant=tenant, subject=subject, basis=asked.body.basis, context=context
    )
    return Erased(tenant=tenant, subject_digest=deps.custody.digest(tenant, subject), keys=keys)


async def _request(deps: ApiDeps, asked: Asked[Nothing, Holding]) -> HoldShown:
    tenant, subject = await deps.database.read(lambda tx: _named(deps, tx, asked, asked.body))
    if subject is not None and not await _exists(deps, tenant, subject):
        # A hold about a name that was mistyped would hold nothing, and nobody would notice.
        raise NotFoundError("there is nobody of that name, and nothing was ever sealed about them")
    hold = await deps.custody.request_hold(
        tenant=tenant,
        subject=subject,
        word=await _word(deps, asked, asked.body.reason),
        context=asked.context.with_(tenant=tenant),
    )
    return _shown(hold)


async def _set(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> HoldShown:
    hold = await deps.custody.set_hold(
        asked.path["hold"],
        tenant=asked.by.tenant,
        word=await _word(deps, asked, second=True),
        context=asked.context,
    )
    return _shown(hold)


async def _request_lift(deps: ApiDeps, asked: Asked[Nothing, Lifting]) -> HoldShown:
    hold = await deps.custody.request_lift(
        asked.path["hold"],
        tenant=asked.by.tenant,
        word=await _word(deps, asked, asked.body.reason),
        context=asked.context,
    )
    return _shown(hold)


async def _lift(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> HoldShown:
    hold = await deps.custody.lift_hold(
        asked.path["hold"],
        tenant=asked.by.tenant,
        word=await _word(deps, asked, second=True),
        context=asked.context,
    )
    return _shown(hold)


async def _list(deps: ApiDeps, asked: Asked[HoldsWanted, Nothing]) -> HoldsShown:
    tenant = asked.by.narrowed(asked.query.tenant)
    found = await deps.custody.holds(tenant=tenant, lifted=asked.query.lifted)
    return HoldsShown(holds=[_shown(hold) for hold in found])


def _named(
    deps: ApiDeps, tx: Transaction, asked: Asked[Any, Any], whom: AboutWhom
) -> tuple[TenantId, str | None]:
    """The organisation, and who in it. A person's id is good though the account is gone."""
    tenant, catalog = asked.by.narrowed(whom.tenant), deps.directory.catalog
    if whom.user is not None and whom.agent is not None:
        raise BadRequestError("either `user` or `agent`")
    subject: str | None = None if whom.agent is None else AgentId(whom.agent)
    if whom.user is not None:
        try:
            user = require_user(tx, whom.user)
        except NotFoundError:
            if not whom.user.startswith(_USER_ID):
                raise
            subject = whom.user
        else:
            if tenant not in {None, user.tenant}:
                raise NotFoundError("there is no such account")
            tenant, subject = user.tenant, user.id
    if tenant is None and len(catalog.tenants) == 1:
        (tenant,) = catalog.tenants
    if tenant is None:
        raise BadRequestError("say in which organisation: `tenant`")
    if subject is None and tenant not in catalog.tenants:
        raise NotFoundError("there is no such organisation")
    return tenant, subject


async def _exists(deps: ApiDeps, tenant: TenantId, subject: str) -> bool:
    agent = deps.directory.catalog.agents.get(AgentId(subject))
    if agent is not None:
        return True
    try:
        user = await deps.database.read(lambda tx: require_user(tx, subject))
    except NotFoundError:
        return await deps.custody.is_known(tenant=tenant, subject=subject)
    return user.tenant == tenant


async def _word(
    deps: ApiDeps, asked: Asked[Any, Any], reason: str = "", *, second: bool = False
) -> Word:
    person = await deps.database.read(
        lambda tx: person_named(tx, asked.context.actor.id, deps.directory.catalog)
    )
    if second:
        require_second_person(person, ())
    return Word(person.name, person.known_as, EpochSeconds(asked.at), reason)


def _shown(hold: Hold) -> HoldShown:
    lift = hold.lift
    return HoldShown(
        id=hold.id,
        tenant=hold.tenant,
        subject_digest=hold.subject,
        state=hold.state.value,
        reason=hold.requested.reason,
        requested_by=hold.requested.by,
        requested_at=hold.requested.at,
        set_by=hold.set_by,
        set_at=hold.set_at,
        lift_reason=None if lift is None else lift.reason,
        lift_requested_by=None if lift is None else lift.by,
        lift_requested_at=None if lift is None else lift.at,
        lifted_by=hold.lifted_by,
        lifted_at=hold.lifted_at,
    )


CUSTODY_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="custody.erase", run=_erase, query=Nothing, body=Erasing, answer=Erased),
    Operation(name="holds.list", run=_list, query=HoldsWanted, body=Nothing, answer=HoldsShown),
    Operation(name="holds.request", run=_request, query=Nothing, body=Holding, answer=HoldShown),
    Operation(name="holds.set", run=_set, query=Nothing, body=Nothing, answer=HoldShown),
    Operation(
        name="holds.request-lift", run=_request_lift, query=Nothing, body=Lifting, answer=HoldShown
    ),
    Operation(name="holds.lift", run=_lift, query=Nothing, body=Nothing, answer=HoldShown),
)
