"""The identities elsewhere that a person logs in with: listed, linked, unlinked.

Whoever may link an identity may log in as the person, so it takes what a new password takes: an
account of one's own organisation that administers no more than oneself. Refused besides: a
provider that puts nobody in the organisation of the account. Nobody could log in so, and the one
whose subject it is elsewhere could log in nowhere. For the same reason who administers one
organisation links nobody of a provider that serves another, too: a subject taken from its person
there is shut out of that other organisation.

Source: OpenID Connect Core §5.7; MISSION A9.
"""

from typing import Final

from remit.api.administrator import Administrator, ForbiddenError, require_authority_over
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Text
from remit.api.users import named_user
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.identity import User
from remit.identity.providers import (
    ExternalIdentity,
    link_identity,
    list_identities,
    unlink_identity,
)
from remit.model import Catalog

__all__ = ["IDENTITY_OPERATIONS"]


class IdentityShown(Shape):
    """Who the person is at a provider, and what its claims gave at the last log-in."""

    provider: str
    issuer: str
    subject: str
    roles: list[str]
    attributes: dict[str, str]
    created_at: int
    last_login_at: int | None


class IdentityList(Shape):
    """The identities of one person, oldest first."""

    identities: list[IdentityShown]


class IdentityNamed(Shape):
    """`provider` is its name in the repository, `subject` the `sub` it knows the person by."""

    provider: Text
    subject: Text


class IdentitiesUnlinked(Shape):
    """How many log in as the person no more: several, if the provider had another issuer before."""

    unlinked: int


async def _list(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> IdentityList:
    def find(tx: Transaction) -> tuple[ExternalIdentity, ...]:
        return list_identities(tx, named_user(tx, asked.by, asked.path["user"]).id)

    return IdentityList(identities=[_shown(one) for one in await deps.database.read(find)])


async def _link(deps: ApiDeps, asked: Asked[Nothing, IdentityNamed]) -> IdentityShown:
    catalog = deps.directory.catalog

    def work(tx: Transaction) -> ExternalIdentity:
        user = named_user(tx, asked.by, asked.path["user"])
        require_authority_over(asked.by, user, catalog)
        _require_reach(asked.by, asked.body.provider, user, catalog=catalog)
        return link_identity(
            tx,
            user.id,
            provider=asked.body.provider,
            subject=asked.body.subject,
            circumstances=(catalog, asked.at, asked.context),
        )

    return _shown(await deps.database.run(work))


async def _unlink(deps: ApiDeps, asked: Asked[Nothing, IdentityNamed]) -> IdentitiesUnlinked:
    wanted = (asked.body.provider, asked.body.subject)

    def work(tx: Transaction) -> int:
        user = named_user(tx, asked.by, asked.path["user"])
        require_authority_over(asked.by, user, deps.directory.catalog)
        theirs = list_identities(tx, user.id)
        meant = [one for one in theirs if (one.provider, one.subject) == wanted]
        if not meant:
            raise NotFoundError("this person has no such identity")
        for one in meant:
            unlink_identity(
                tx, user.id, issuer=one.issuer, subject=one.subject, context=asked.context
            )
        return len(meant)

    return IdentitiesUnlinked(unlinked=await deps.database.run(work))


def _require_reach(by: Administrator, provider: str, user: User, *, catalog: Catalog) -> None:
    """Pass when a log-in through the provider could end in the account's organisation, and `by` sees wherever it could.

    Raises:
        ForbiddenError: otherwise.
    """
    declared = catalog.sign_in.providers.get(provider)
    if declared is None:
        return
    reached = {declared.tenant, *(rule.tenant for rule in declared.rules)} - {None}
    if user.tenant not in reached:
        raise ForbiddenError("this provider puts nobody in the organisation of the account")
    if not all(by.sees(tenant) for tenant in reached if tenant is not None):
        raise ForbiddenError("this provider puts people in other organisations, too")


def _shown(identity: ExternalIdentity) -> IdentityShown:
    return IdentityShown(
        provider=identity.provider,
        issuer=identity.issuer,
        subject=identity.subject,
        roles=list(identity.roles),
        attributes=dict(identity.attributes),
        created_at=identity.created_at,
        last_login_at=identity.last_login_at,
    )


IDENTITY_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="identities.list", run=_list, query=Nothing, body=Nothing, answer=IdentityList),
    Operation(
        name="identities.link", run=_link, query=Nothing, body=IdentityNamed, answer=IdentityShown
    ),
    Operation(
        name="identities.unlink",
        run=_unlink,
        query=Nothing,
        body=IdentityNamed,
        answer=IdentitiesUnlinked,
    ),
)
