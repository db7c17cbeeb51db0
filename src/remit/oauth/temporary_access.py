"""Tokens that rest on what somebody has for a while: they end with it, and the log and the store know which they are.

Whoever keeps it (`remit.approvals`) is asked in the transaction of each ruling. Such a token expires no later than what
it rests on, and is noted under it, so that what ends early ends these tokens and no others. Nothing of it is in a grant.

Source: docs/adr/0025-cures.md; RFC 7009 §2.1; RFC 9068 §2.2.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Protocol

from remit.audit.context import Context
from remit.audit.events import TokenRevoked
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.guard.issuance import Applicant, claims_of
from remit.guard.temporary_access import TemporaryAccess, resting_on, with_roles
from remit.ids import AgentId, GrantId, ScopeName
from remit.model import Catalog, Server
from remit.oauth import credential_store, grant_store
from remit.oauth.grant_revocation import about_grant
from remit.policy import Subject
from remit.scopes import fill, fill_hierarchy
from remit.tokens import jti_digest

__all__ = [
    "NOTHING_FOR_A_WHILE",
    "NothingForAWhile",
    "TemporaryAccesses",
    "end_token",
    "rests_on",
    "with_temporary_access",
]


class TemporaryAccesses(Protocol):
    """What `approvals` is to issuance."""

    def held(
        self, tx: Transaction, subject: Subject, agent_id: AgentId, server: Server
    ) -> tuple[TemporaryAccess, ...]:
        """What `subject`, with the roles that last, has at `server` now through that agent."""
        ...

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
        ...


class NothingForAWhile:
    """Where nobody has anything for a while."""

    def held(
        self, tx: Transaction, subject: Subject, agent_id: AgentId, server: Server
    ) -> tuple[TemporaryAccess, ...]:
        """Nothing."""
        return ()

    def note(
        self,
        tx: Transaction,
        access_ids: Iterable[str],
        *,
        jti: str,
        grant_id: GrantId,
        expires_at: EpochSeconds,
    ) -> bool:
        """Nothing to note: no token rests on anything."""
        return False


NOTHING_FOR_A_WHILE: Final[TemporaryAccesses] = NothingForAWhile()


def with_temporary_access(
    tx: Transaction,
    applicant: Applicant,
    server: Server,
    *,
    accesses: TemporaryAccesses,
    catalog: Catalog,
) -> Applicant:
    """`applicant` with what they have at `server` for a while, whose roles count as theirs."""
    held = accesses.held(tx, applicant.subject, applicant.agent.id, server)
    if not held:
        return applicant
    claims = claims_of(applicant, server)
    filled = tuple(
        replace(one, scopes=tuple(s for scope in one.scopes if (s := fill(scope, claims))))
        for one in held
    )
    subject = with_roles(applicant.subject, filled, catalog)
    return replace(applicant, subject=subject, temporary=filled)


def rests_on(
    applicant: Applicant, scopes: tuple[ScopeName, ...], server: Server, catalog: Catalog
) -> tuple[TemporaryAccess, ...]:
    """What a token of `scopes` for `applicant` says something by, and ends with."""
    hierarchy = fill_hierarchy(catalog.hierarchy, claims_of(applicant, server))
    return resting_on(applicant.temporary, scopes, hierarchy)


def end_token(
    tx: Transaction, jti: str, *, grant_id: GrantId, expires_at: EpochSeconds, context: Context
) -> bool:
    """Revoke one access token of ours, and leave its grant as it is; `False` when it was revoked already.

    The grant's row is held until `tx` ends, so that whoever exchanges the token now finds it revoked.
    """
    grant = grant_store.find_grant(tx, grant_id)
    if not credential_store.revoke_token(tx, jti, expires_at=expires_at):
        return False
    tx.record(
        TokenRevoked(
            context=context if grant is None else about_grant(context, grant),
            token_type="access_token",  # noqa: S106  the standard's name of a kind of token
            jti_digest=jti_digest(jti),
        )
    )
    return True
