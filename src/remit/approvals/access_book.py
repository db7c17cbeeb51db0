"""What the authorization server asks of access for a while: `OAuthDeps.temporary`.

Read in the transaction of each ruling, where the repository declares any access at all. One counts that is in force,
at a server for which it was given, through an agent for which it was given, as far as the repository says still what
it said then, and while its holder is still somebody whose it may be.

Source: docs/adr/0025-cures.md; MISSION C4.
"""

from collections.abc import Iterable

from remit.approvals import access_store
from remit.approvals.access import (
    Access,
    AccessKind,
    Holder,
    HolderKind,
    Offered,
    counts_at,
    is_for,
)
from remit.approvals.access_token_store import RestingToken, note_tokens
from remit.clock import Clock, EpochSeconds
from remit.db import Transaction
from remit.guard.ports import Directory
from remit.guard.temporary_access import TemporaryAccess
from remit.identity import find_user
from remit.ids import AgentId, GrantId, UserId
from remit.model import Server
from remit.policy import Subject, SubjectKind

__all__ = ["AccessBook"]


class AccessBook:
    """Who has what for a while, and which tokens rest on it."""

    __slots__ = ("_clock", "_directory")

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    def held(
        self, tx: Transaction, subject: Subject, agent_id: AgentId, server: Server
    ) -> tuple[TemporaryAccess, ...]:
        """What `subject`, with the roles that last, has at `server` now through that agent."""
        approvals = self._directory.catalog.approvals
        if not approvals.access and not approvals.emergency:
            return ()
        is_person = subject.kind is SubjectKind.USER
        kind = HolderKind.USER if is_person else HolderKind.AGENT
        rows = access_store.active_for(
            tx, kind, subject.id, tenant=subject.tenant, now=self._clock.now()
        )
        return tuple(
            TemporaryAccess(id=one.id, role=one.role, scopes=one.scopes, until=one.expires_at)
            for one in rows
            if one.agent_id in {None, agent_id}
            # An agent that acts for another, with what that one got for itself, got nothing.
            and (is_person or subject.id == agent_id)
            and self._counts(tx, one, subject, server)
        )

    def note(
        self,
        tx: Transaction,
        access_ids: Iterable[str],
        *,
        jti: str,
        grant_id: GrantId,
        expires_at: EpochSeconds,
    ) -> bool:
        """Note which of them a token rests on; `False` where one of them has ended: the token must not be."""
        ids = tuple(access_ids)
        if not access_store.hold(tx, ids, now=self._clock.now()):
            return False
        token = RestingToken(jti=jti, grant_id=grant_id, expires_at=expires_at)
        note_tokens(tx, ids, token)
        return True

    def _counts(self, tx: Transaction, access: Access, subject: Subject, server: Server) -> bool:
        offered = self._offered(access)
        if offered is None or not counts_at(access, offered, server):
            return False
        username = ""
        if access.kind is AccessKind.EMERGENCY:
            user = find_user(tx, UserId(subject.id))
            username = "" if user is None else user.username
        holder = Holder(
            kind=access.holder_kind,
            id=subject.id,
            tenant=subject.tenant,
            username=username,
            roles=subject.roles,
            agent_id=access.agent_id,
        )
        return is_for(offered, holder)

    def _offered(self, access: Access) -> Offered | None:
        approvals = self._directory.catalog.approvals
        if access.kind is AccessKind.OFFER:
            return approvals.access.get(access.offer)
        return approvals.emergency.get(access.offer)
