"""What the authorization server needs from the rest of Remit, handed in once by the application.

It decides nothing. Every endpoint is a closure over one `OAuthDeps`; nothing is
looked up from a module.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from remit.audit.context import Context
from remit.audit.port import AuditLog
from remit.clock import Clock, Seconds
from remit.db import Database
from remit.guard.ports import Directory
from remit.identity import ReadSession
from remit.ids import UserId
from remit.oauth.connections.access import ThirdPartyAccess
from remit.oauth.step_up import NO_STEP_UPS, StepUps
from remit.oauth.temporary_access import NOTHING_FOR_A_WHILE, TemporaryAccesses
from remit.policy import DecisionPoint
from remit.tokens import KeySet, TokenVerifier
from remit.tokens.dpop_nonce import DpopNonces
from remit.tokens.published_keys import PublishedKeys
from remit.web import Site
from remit.web.fetch import FetchDocument

__all__ = ["ConfirmPerson", "Limits", "OAuthDeps", "Publish", "ResolveSecret"]


Publish = Callable[[], Awaitable[None]]
"""Re-reads who may not act and publishes it; awaited right after a revocation has committed."""

ResolveSecret = Callable[[str], str]
"""The secret that `env:NAME` or `file:PATH` names (`remit.secrets.resolve_secret`)."""


async def _publish_nothing() -> None:
    """Rely on the half-second poll: right only where nobody enforces in this process."""


ConfirmPerson = Callable[[UserId, Context], Awaitable[None]]
"""Sees to it that the roles of a person are as young as they have to be (`providers.AskedAnew`)."""


async def _nobody_to_ask(_user_id: UserId, _context: Context) -> None:
    """Right only where nobody logs in through another provider."""


def _own_nonces() -> DpopNonces:
    """Nonces that no other process knows."""
    return DpopNonces(secrets.token_bytes(32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of anything one request may be, and how long one may stay open."""

    request_lifetime: Seconds = Seconds(600)
    """How long a person has between the request and the answer on the consent page."""
    waiting_per_browser: int = 16
    """Unanswered requests of one browser; one more takes the place of the oldest."""
    requests_per_lifetime: int = 600
    """Requests from one address in the time that one may wait."""
    attempts_per_minute: int = 30
    """Failed client authentications of one client from one address before it has to wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthDeps:
    """Everything an endpoint of the authorization server may reach.

    `fetch` reads a document from a stranger's address under the guard of `remit.web.fetch`.
    `client_keys` are the keys that clients publish, `issuer_keys` those of the issuers that the
    repository trusts: apart, so that no client can hold up what is asked of an issuer.
    """

    database: Database
    audit: AuditLog
    directory: Directory
    keys: KeySet
    verifier: TokenVerifier
    decisions: DecisionPoint
    clock: Clock
    site: Site
    read_session: ReadSession
    resolve_secret: ResolveSecret
    fetch: FetchDocument
    client_keys: PublishedKeys
    issuer_keys: PublishedKeys
    publish: Publish = _publish_nothing
    limits: Limits = Limits()
    nonces: DpopNonces = field(default_factory=_own_nonces)
    """Good in every process of this Remit where the application gives them one key."""
    third_parties: ThirdPartyAccess | None = None
    confirm: ConfirmPerson = _nobody_to_ask
    step_ups: StepUps = NO_STEP_UPS
    """The calls that wait for a person (`remit.approvals`)."""
    temporary: TemporaryAccesses = NOTHING_FOR_A_WHILE
    """What people and workloads have for a while (`remit.approvals`)."""

    @property
    def public_url(self) -> str:
        """The issuer identifier: what clients compare byte for byte (RFC 9207 §2.4)."""
        return self.site.public_url
