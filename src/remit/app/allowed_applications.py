"""The applications that a person allowed to act for them, as their account page lists them.

Withdrawing ends every grant under the consent and is enforced here when the page comes back.
Somebody else's consent, or none, is left alone.

Source: SBP26 consent registry; AS-53; MISSION A9.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from remit.audit import Context
from remit.clock import Clock
from remit.db import Database, Transaction
from remit.errors import NotFoundError
from remit.guard.ports import Directory
from remit.identity import AccountEntry, AccountSection, User
from remit.ids import ClientId
from remit.oauth import (
    Consent,
    RememberedConsent,
    list_clients,
    list_consents,
    withdraw_consent,
)
from remit.tokens import resource_of

__all__ = ["allowed_applications"]


def allowed_applications(
    database: Database,
    directory: Directory,
    *,
    public_url: str,
    clock: Clock,
    publish: Callable[[], Awaitable[object]],
) -> AccountSection:
    """The list, and the button that takes an entry away. `publish` enforces what was revoked."""

    async def entries(user: User) -> Sequence[AccountEntry]:
        catalog = directory.catalog

        def find(tx: Transaction) -> tuple[tuple[Consent, ...], dict[ClientId, str]]:
            found = list_consents(tx, user.id)
            named = list_clients(tx, catalog) if found else ()
            return found, {one.client.client_id: one.client.name for one in named}

        consents, names = await database.read(find)
        servers = {resource_of(public_url, one): one.title for one in catalog.servers.values()}
        return [
            AccountEntry(
                id=f"{one.client_id} {one.resource}",
                title=names.get(one.client_id, one.client_id),
                facts=(
                    f"on {servers.get(one.resource, one.resource)}, since {_day(one.granted_at)}",
                    ", ".join(one.scopes),
                ),
            )
            for one in consents
        ]

    async def remove(user: User, entry: str, context: Context) -> None:
        client_id, _, resource = entry.partition(" ")
        wanted = RememberedConsent(user.id, ClientId(client_id), resource)
        try:
            await database.run(
                lambda tx: withdraw_consent(tx, wanted, at=clock.now(), context=context)
            )
        except NotFoundError:
            return  # withdrawn already, or never theirs: nothing to do, and nothing to say
        await publish()

    return AccountSection(
        key="applications",
        title="Applications you have allowed",
        about="They may act for you, within what you allowed, until you take it back.",
        empty="None so far.",
        button="Withdraw",
        entries=entries,
        remove=remove,
    )


def _day(at: int) -> str:
    instant = datetime.fromtimestamp(at, tz=UTC)
    return f"{instant.day} {instant:%B %Y}"
