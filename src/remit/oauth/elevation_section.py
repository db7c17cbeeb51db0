"""What people allowed of single calls of theirs, on their account page: each until it is used, and taken back there.

Refuses to end what is not the person's own, or no elevation: then nothing happens.

Source: MISSION C2, A9; docs/adr/0025-cures.md.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from remit.audit.context import Context
from remit.db import Transaction
from remit.identity import AccountEntry, AccountSection, User
from remit.ids import GrantId, ServerName
from remit.model import Catalog
from remit.oauth import grant_store
from remit.oauth.deps import OAuthDeps
from remit.oauth.grant import Grant, GrantFilter, GrantKind
from remit.oauth.grant_revocation import revoke_grant

__all__ = ["elevation_section"]

_TAKEN_BACK: Final = "taken_back_by_person"


def elevation_section(deps: OAuthDeps) -> AccountSection:
    """The elevations of a person that can still be used, on their account page."""

    async def entries(user: User) -> Sequence[AccountEntry]:
        live = GrantFilter(user_id=user.id, kind=GrantKind.ELEVATION, live_at=deps.clock.now())
        found = await deps.database.read(lambda tx: grant_store.select_grants(tx, live))
        return [_entry(one, deps.directory.catalog) for one in found]

    async def remove(user: User, entry: str, context: Context) -> None:
        def end(tx: Transaction) -> bool:
            grant = grant_store.find_grant(tx, GrantId(entry))
            if grant is None or grant.user_id != user.id or grant.kind is not GrantKind.ELEVATION:
                return False
            now = deps.clock.now()
            return (
                grant.is_live(now)
                and revoke_grant(tx, grant.id, reason=_TAKEN_BACK, at=now, context=context)
                is not None
            )

        if await deps.database.run(end):
            await deps.publish()

    return AccountSection(
        key="elevations",
        title="Allowed for one call",
        about="Calls that you or others said yes to, and that were not made yet. Each is good once.",
        empty="None.",
        button="Take back",
        entries=entries,
        remove=remove,
    )


def _entry(grant: Grant, catalog: Catalog) -> AccountEntry:
    detail = grant.authorization_details[0]
    server = catalog.servers.get(ServerName(str(detail["server"])))
    agent = catalog.agents.get(grant.agent_id)
    until = datetime.fromtimestamp(grant.expires_at, tz=UTC).strftime("%d %B %Y, %H:%M UTC")
    return AccountEntry(
        id=grant.id,
        title=f"{detail['name']} on {detail['server'] if server is None else server.title}",
        facts=(
            f"By {grant.agent_id if agent is None else agent.name}",
            *(("Allows: " + " ".join(grant.scopes),) if grant.scopes else ()),
            f"Until {until}",
        ),
    )
