"""What people allowed, kept in the database, as the guard finds, spends and asks for it.

Refused when the database does not answer in time: what may have been spent is spent.

Source: docs/adr/0025-cures.md, "Spent before it is used".
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from remit.approvals.asking import ask
from remit.approvals.deps import ApprovalDeps
from remit.approvals.elevation import Elevation
from remit.approvals.elevation_store import (
    Use,
    find_elevation,
    live_elevation,
    spend,
    spend_again,
    spent_for,
)
from remit.approvals.very_call import digest_of_call
from remit.audit.approval_events import ElevationUsed
from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.db import DatabaseUnavailableError, Transaction
from remit.errors import Error
from remit.guard.elevations import Asked, Elevated, ElevationsUnavailableError, Wanted
from remit.guard.records import context_of
from remit.oauth import spend_elevation_grant
from remit.secrets import SealBrokenError

__all__ = ["DatabaseElevations"]

_T = TypeVar("_T")

_PATIENCE = 10.0
"""Seconds; by then a call that waits for what people said is refused."""


class _EndedError(Error):
    """The elevation was revoked, or what it hangs below: nothing of its transaction is kept."""

    code = "elevation_ended"


class DatabaseElevations:
    """`guard.elevations.Elevations`, over the tables of this room."""

    __slots__ = ("_deps", "_patience")

    def __init__(self, deps: ApprovalDeps, *, patience: float = _PATIENCE) -> None:
        self._deps = deps
        self._patience = patience

    async def found(self, wanted: Wanted) -> Elevated | None:
        """The elevation for this very call that can still be spent; of a use of a task, what that was spent for.

        Raises:
            ElevationsUnavailableError: it cannot be told.
        """
        digest, now = digest_of_call(self._deps.key, wanted), self._deps.clock.now()
        found = await self._in_time(
            self._deps.database.glance(lambda tx: _found(tx, wanted, digest, now=now))
        )
        return None if found is None else _elevated(found)

    async def spend(self, elevated: Elevated, wanted: Wanted) -> bool:
        """Spend it for `wanted.decision_id`; whether this was the one that could.

        Raises:
            ElevationsUnavailableError: it may be spent, and is not to be relied upon.
            AuditUnavailableError: it is not spent, for that could not be recorded.
        """
        use = Use(
            digest=digest_of_call(self._deps.key, wanted),
            grant_id=wanted.token.grant_id,
            decision_id=wanted.decision_id,
            earlier=wanted.earlier,
        )
        context, now = context_of(Context(), wanted.token), self._deps.clock.now()

        def work(tx: Transaction) -> bool:
            return _spend(tx, elevated, use, context=context, now=now)

        try:
            return await self._in_time(self._deps.database.run(work))
        except _EndedError:
            return False

    async def ask(self, wanted: Wanted) -> Asked | None:
        """The request for this very call, made if there is none; `None` where nobody could meet the needs.

        Raises:
            ElevationsUnavailableError: nobody can be asked at present.
        """
        return await self._in_time(self._deps.database.run(lambda tx: ask(tx, self._deps, wanted)))

    async def _in_time(self, work: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._patience):
                return await work
        except TimeoutError as error:
            raise ElevationsUnavailableError(
                "what people said was not told in time", cause=error
            ) from error
        except (DatabaseUnavailableError, SealBrokenError) as error:
            raise ElevationsUnavailableError(error.detail, cause=error) from error


def _found(tx: Transaction, wanted: Wanted, digest: str, *, now: EpochSeconds) -> Elevation | None:
    grant_id = wanted.token.grant_id
    if wanted.task_of is not None:
        # Of a task's arguments only some are kept: what was spent for it is known by its decision.
        return spent_for(tx, wanted.task_of, grant_id)
    if wanted.earlier is not None:
        spent = spent_for(tx, wanted.earlier, grant_id)
        if spent is not None and spent.digest == digest and now < spent.expires_at:
            return spent
    return live_elevation(tx, digest, grant_id, now=now)


def _spend(
    tx: Transaction, elevated: Elevated, use: Use, *, context: Context, now: EpochSeconds
) -> bool:
    if use.earlier is not None and spend_again(tx, elevated.id, use, now=now):
        given_back = True
    elif spend(tx, elevated.id, use, now=now):
        given_back = False
        found = find_elevation(tx, elevated.id)
        if found is None or not spend_elevation_grant(tx, found.grant, at=now):
            raise _EndedError("the elevation has ended")
    else:
        return False
    tx.record(
        ElevationUsed(
            context=context,
            elevation=elevated.id,
            decision_id=use.decision_id,
            given_back=given_back,
        )
    )
    return True


def _elevated(found: Elevation) -> Elevated:
    return Elevated(
        id=found.id,
        grant_id=found.grant,
        roles=found.roles,
        acr=found.acr,
        confirmed_at=found.confirmed_at,
        scopes=found.scopes,
    )
