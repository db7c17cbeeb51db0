"""Secrets that are sealed in the database: named, replaced, removed, and never shown.

They open servers of every organisation, so only who acts for all may touch them. A value goes
in and comes out of nothing here: there is no operation that answers with one.
"""

from typing import Annotated, Final

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape, Why
from remit.api.paging import Page, Paged, page_of
from remit.db import Transaction
from remit.secrets import NewSecret, StoredSecret, drop_secret, list_stored_secrets, store_secret

__all__ = ["SECRET_OPERATIONS"]


class SecretShown(Shape):
    """A secret, without what is secret. `reference` is how a policy repository names it."""

    name: str
    reference: str
    created_at: int
    changed_at: int
    changed_by: str | None


class SecretPage(Page):
    """Every secret that is stored, by name."""

    secrets: list[SecretShown]


class SecretGiven(Shape):
    """What is to be kept, and why."""

    value: Annotated[str, Field(min_length=1, max_length=65_536, repr=False)]
    reason: Reason = ""


class SecretGone(Shape):
    """The secret of that name is kept no more."""

    name: str
    state: str


async def _list(deps: ApiDeps, asked: Asked[Paged, Nothing]) -> SecretPage:
    found = await deps.database.read(list_stored_secrets)
    shown, after = page_of(found, asked.query, place=lambda one: (one.name,))
    return SecretPage(secrets=[_shown(one) for one in shown], next=after)


async def _set(deps: ApiDeps, asked: Asked[Nothing, SecretGiven]) -> SecretShown:
    def keep(tx: Transaction) -> StoredSecret:
        secret = NewSecret(
            name=asked.path["secret"], value=asked.body.value, reason=asked.body.reason
        )
        return store_secret(tx, deps.box, secret, now=asked.at, context=asked.context)

    kept = await deps.database.run(keep)
    await deps.publish()
    return _shown(kept)


async def _remove(deps: ApiDeps, asked: Asked[Nothing, Why]) -> SecretGone:
    name = asked.path["secret"]
    await deps.database.run(
        lambda tx: drop_secret(tx, name, reason=asked.body.reason, context=asked.context)
    )
    await deps.publish()
    return SecretGone(name=name, state="removed")


def _shown(secret: StoredSecret) -> SecretShown:
    return SecretShown(
        name=secret.name,
        reference=f"stored:{secret.name}",
        created_at=secret.created_at,
        changed_at=secret.changed_at,
        changed_by=secret.changed_by,
    )


SECRET_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="secrets.list", run=_list, query=Paged, body=Nothing, answer=SecretPage),
    Operation(name="secrets.set", run=_set, query=Nothing, body=SecretGiven, answer=SecretShown),
    Operation(name="secrets.remove", run=_remove, query=Nothing, body=Why, answer=SecretGone),
)
