"""A log-in session: who, how strongly, since when, and until when it holds.

It ends at the absolute limit, after an idle time, at log-out, when another log-in in the
same browser replaces it, and when the account is disabled. Only the digest of its secret
is stored.

How strongly somebody proved who they are is one of three `acr` values, weakest first: a
password alone, two factors, a passkey that verified its person. A value that is none of
them is satisfied by nothing.

Source: O21 §4.3 (secrets as digests); NIST SP 800-63B §7.2 (idle and absolute limits);
RFC 8176 §2 (`amr`); RFC 9470 §3 (`acr_values`).
"""

from dataclasses import dataclass

from remit.clock import EpochSeconds, Seconds
from remit.ids import UserId
from remit.model import (
    ACR_MULTI_FACTOR,
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    ACR_VALUES,
    Issuer,
)

__all__ = [
    "ACR_MULTI_FACTOR",
    "ACR_PASSWORD",
    "ACR_PHISHING_RESISTANT",
    "ACR_VALUES",
    "AMR_PASSWORD",
    "Session",
    "acr_of",
    "expiry_of",
    "holds",
    "is_worth_noting",
    "satisfies",
    "stronger",
]

AMR_PASSWORD = ("pwd",)
"""RFC 8176 §2."""

_AMR_OF_A_KEY = frozenset({"hwk", "swk"})

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
    provider: str | None = None
    """The identity provider that vouched, or `None` where Remit checked by itself."""
    ip: str | None = None
    user_agent: str | None = None


def satisfies(acr: str, wanted: str) -> bool:
    """Whether an authentication of strength `acr` is at least as strong as `wanted`."""
    return acr in ACR_VALUES and wanted in ACR_VALUES and _rank(acr) >= _rank(wanted)


def stronger(one: str, other: str) -> str:
    """The stronger of two of our `acr` values; one that is not ours counts as the weakest."""
    return max(one, other, key=_rank)


def acr_of(amr: tuple[str, ...]) -> str:
    """How strong the methods that Remit itself checked are together.

    Not for what an identity provider says it checked: its key may verify nobody.
    """
    if _AMR_OF_A_KEY & set(amr):
        return ACR_PHISHING_RESISTANT
    return ACR_MULTI_FACTOR if "mfa" in amr else ACR_PASSWORD


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


def _rank(acr: str) -> int:
    return ACR_VALUES.index(acr) if acr in ACR_VALUES else -1
