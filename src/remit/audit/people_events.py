"""What people are, and how they prove it. Re-exported by `audit.events`, which is where to import them from."""

from dataclasses import dataclass
from typing import ClassVar

from remit.audit.event import Durability, Event

__all__ = [
    "AccountUpdated",
    "ConsentWithdrawn",
    "HistoryForgotten",
    "IdentityLinked",
    "IdentityUnlinked",
    "OneTimePasswordsDisabled",
    "OneTimePasswordsEnabled",
    "PasskeyAdded",
    "PasskeyRemoved",
    "PasswordChanged",
    "ProviderLoginRefused",
    "RecoveryCodeUsed",
    "RecoveryCodesIssued",
    "SecondFactorsReset",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdated(Event):
    """What an account is changed; `changed` names the fields. Roles take effect at the next token."""

    kind: ClassVar[str] = "account.updated"
    account_id: str
    changed: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn(Event):
    """What a person allowed a client on a server is allowed no more; the grants under it ended."""

    kind: ClassVar[str] = "consent.withdrawn"
    reserved: ClassVar[bool] = True
    resource: str
    scopes: tuple[str, ...]
    grants: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """`by`: `person` or `administrator`. Its other sessions ended."""

    kind: ClassVar[str] = "account.password_changed"
    account_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAdded(Event):
    kind: ClassVar[str] = "authn.passkey_added"
    account_id: str
    credential_digest: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRemoved(Event):
    kind: ClassVar[str] = "authn.passkey_removed"
    account_id: str
    credential_digest: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimePasswordsEnabled(Event):
    kind: ClassVar[str] = "authn.totp_enabled"
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimePasswordsDisabled(Event):
    kind: ClassVar[str] = "authn.totp_disabled"
    account_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodesIssued(Event):
    """Those before them are void."""

    kind: ClassVar[str] = "authn.recovery_codes_issued"
    account_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeUsed(Event):
    kind: ClassVar[str] = "authn.recovery_code_used"
    account_id: str
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorsReset(Event):
    """An administrator took every second factor of an account away, so that its person can set up new ones."""

    kind: ClassVar[str] = "authn.factors_reset"
    account_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLinked(Event):
    """An account here is the person that an identity provider knows by a subject."""

    kind: ClassVar[str] = "identity.linked"
    account_id: str
    provider: str
    subject_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityUnlinked(Event):
    kind: ClassVar[str] = "identity.unlinked"
    account_id: str
    provider: str
    subject_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderLoginRefused(Event):
    """A log-in through an identity provider was refused: `reason` is a stable word."""

    kind: ClassVar[str] = "authn.provider_refused"
    durability: ClassVar[Durability] = Durability.ANSWER
    provider: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryForgotten(Event):
    """What was counted of the past of an agent, a person or a grant was deleted, so that they begin anew.

    `facts` are those that were named; none: every fact. `uses` is how many rows there were.
    """

    kind: ClassVar[str] = "history.forgotten"
    tenant_id: str
    agent: str | None = None
    subject: str | None = None
    grant: str | None = None
    facts: tuple[str, ...] = ()
    uses: int = 0
    reason: str = ""
