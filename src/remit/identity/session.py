"""A log-in session: who, how strongly, since when, and until when it holds.

It ends at the absolute limit, after an idle time, at log-out, when another log-in in the
same browser replaces it, and when the account is disabled. Only the digest of its secret
is stored.

Source: O21 §4.3 (secrets as digests); NIST SP 800-63B §7.2 (idle and absolute limits).
"""

from dataclasses import dataclass

from remit.clock import EpochSeconds, Seconds
from remit.ids import UserId
from remit.model import Issuer

__all__ = ["ACR_PASSWORD", "AMR_PASSWORD", "Session", "expiry_of", "holds", "is_worth_noting"]

ACR_PASSWORD = "urn:remit:acr:pwd"  # noqa: S105  how strongly, not a password
AMR_PASSWORD = ("pwd",)
"""RFC 8176 §2."""

_NOTED_EVERY = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`auth_time` is when the person last proved who they are; `acr` and `amr` say how."""

    id: str
    user_id: UserId
    auth_time: EpochSeconds
    acr: str
    amr: tuple[str, ...]
    created_at: EpochSeconds
    last_seen_at: EpochSeconds
    expires_at: EpochSeconds
    ended_at: EpochSeconds | None = None


def expiry_of(issuer: Issuer, now: EpochSeconds) -> EpochSeconds:
    """When a session that begins now ends at the latest."""
    return EpochSeconds(now + issuer.session_lifetime)


def holds(session: Session, *, now: EpochSeconds, idle: Seconds) -> bool:
    """Whether `session` may still be used after at most `idle` without a request."""
    if session.ended_at is not None:
        return False
    return now < session.expires_at and now < session.last_seen_at + idle


def is_worth_noting(session: Session, *, now: EpochSeconds, idle: Seconds) -> bool:
    """Whether this use should move `last_seen_at`: not at every request, for each is a write."""
    return now - session.last_seen_at >= min(_NOTED_EVERY, idle // 4)
