"""Every event Remit records, one frozen class each.

A class is a wire format with a constitution: fields are only ever added, with a
default; a changed meaning is a new `kind`. `kind` reads `noun.past_participle`.
Values keep to the profile of `canonical`: ASCII keys; strings, booleans, nulls and
integers; no floats. Nothing here may hold a secret, a token, a code, a password,
or an argument that has not been through `audit.redact`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from remit.audit.approval_events import (
    AccessEnded,
    AccessGranted,
    AccessRequested,
    ApprovalAnswered,
    ApprovalExpired,
    ApprovalOpened,
    ApprovalRequested,
    DeputyNamed,
    DeputyRemoved,
    ElevationGiven,
    ElevationRevoked,
    ElevationUsed,
    EmergencyReviewed,
    EmergencyTaken,
    NotificationFailed,
)
from remit.audit.call_events import CallCompleted, Decided
from remit.audit.client_events import (
    ClientApproved,
    ClientDisabled,
    ClientEnabled,
    ClientMetadataFetched,
    ClientQueued,
    ClientRegistered,
    ClientRegistrationRefused,
    ClientRejected,
    ClientRemoved,
    ClientUpdated,
    GuardrailViolated,
    InitialAccessTokenCreated,
    InitialAccessTokenRevoked,
)
from remit.audit.event import Durability, Event
from remit.audit.key_events import (
    ConnectionMade,
    ConnectionRefused,
    ConnectionRemoved,
    SigningKeyAdded,
    SigningKeyRetired,
)
from remit.audit.log_events import (
    AuditQueried,
    AuditRecovered,
    AuditStarted,
    AuditStopped,
    EffectFailed,
    RefusalsCounted,
)
from remit.audit.people_events import (
    AccountUpdated,
    ConsentWithdrawn,
    HistoryForgotten,
    IdentityLinked,
    IdentityUnlinked,
    OneTimePasswordsDisabled,
    OneTimePasswordsEnabled,
    PasskeyAdded,
    PasskeyRemoved,
    PasswordChanged,
    ProviderLoginRefused,
    RecoveryCodesIssued,
    RecoveryCodeUsed,
    SecondFactorsReset,
)
from remit.audit.policy_events import (
    BundleActivated,
    BundleApproved,
    BundleProposed,
    BundleRefused,
    BundleRejected,
    BundleTrialEnded,
    BundleTrialStarted,
)
from remit.audit.server_events import (
    DefinitionAdmitted,
    DefinitionPinned,
    DefinitionQuarantined,
    DefinitionRejected,
    GuardSeen,
    SecretRemoved,
    SecretStored,
    SelfTestFinished,
)
from remit.canonical import Json

__all__ = [
    "AccessEnded",
    "AccessGranted",
    "AccessRequested",
    "AccountCreated",
    "AccountDisabled",
    "AccountEnabled",
    "AccountUpdated",
    "AgentResumed",
    "AgentSuspended",
    "ApprovalAnswered",
    "ApprovalExpired",
    "ApprovalOpened",
    "ApprovalRequested",
    "AuditQueried",
    "AuditRecovered",
    "AuditStarted",
    "AuditStopped",
    "AuthorizationCodeIssued",
    "AuthorizationRefused",
    "BundleActivated",
    "BundleApproved",
    "BundleProposed",
    "BundleRefused",
    "BundleRejected",
    "BundleTrialEnded",
    "BundleTrialStarted",
    "CallCompleted",
    "ClientApproved",
    "ClientDisabled",
    "ClientEnabled",
    "ClientMetadataFetched",
    "ClientQueued",
    "ClientRegistered",
    "ClientRegistrationRefused",
    "ClientRejected",
    "ClientRemoved",
    "ClientUpdated",
    "ConnectionMade",
    "ConnectionRefused",
    "ConnectionRemoved",
    "ConsentDenied",
    "ConsentGranted",
    "ConsentWithdrawn",
    "Decided",
    "DefinitionAdmitted",
    "DefinitionPinned",
    "DefinitionQuarantined",
    "DefinitionRejected",
    "DeputyNamed",
    "DeputyRemoved",
    "Durability",
    "EffectFailed",
    "ElevationGiven",
    "ElevationRevoked",
    "ElevationUsed",
    "EmergencyReviewed",
    "EmergencyTaken",
    "Event",
    "GrantRevoked",
    "GuardSeen",
    "GuardrailViolated",
    "HistoryForgotten",
    "IdentityLinked",
    "IdentityUnlinked",
    "InitialAccessTokenCreated",
    "InitialAccessTokenRevoked",
    "LoggedIn",
    "LoggedOut",
    "LoginFailed",
    "NotificationFailed",
    "OneTimePasswordsDisabled",
    "OneTimePasswordsEnabled",
    "PasskeyAdded",
    "PasskeyRemoved",
    "PasswordChanged",
    "PolicyLoaded",
    "ProviderLoginRefused",
    "RecoveryCodeUsed",
    "RecoveryCodesIssued",
    "RefreshTokenReused",
    "RefusalsCounted",
    "SecondFactorsReset",
    "SecretRemoved",
    "SecretStored",
    "SelfTestFinished",
    "SigningKeyAdded",
    "SigningKeyRetired",
    "TokenIssued",
    "TokenRefreshed",
    "TokenRefused",
    "TokenRevoked",
]

_NOTHING: Mapping[str, Json] = MappingProxyType({})


# -- policy ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLoaded(Event):
    """A version of the policy repository came into force in this process: `bundle`, as it holds in `stage`."""

    kind: ClassVar[str] = "policy.loaded"
    catalog_version: str
    policy_version: str
    servers: int
    policies: int
    bundle: str = ""
    stage: str = ""
    observing: tuple[str, ...] = ()
    """What only observes what it would refuse: `policy x`, `server y`, `tenant z`."""


# -- people -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreated(Event):
    kind: ClassVar[str] = "account.created"
    account_id: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDisabled(Event):
    kind: ClassVar[str] = "account.disabled"
    account_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEnabled(Event):
    kind: ClassVar[str] = "account.enabled"
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn(Event):
    kind: ClassVar[str] = "authn.login"
    session_id: str
    acr: str
    amr: tuple[str, ...]
    provider: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut(Event):
    kind: ClassVar[str] = "authn.logout"
    session_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFailed(Event):
    """`account_id` is `null` when nobody has that name; the name itself is not recorded."""

    kind: ClassVar[str] = "authn.failed"
    durability: ClassVar[Durability] = Durability.ANSWER
    account_id: str | None
    reason: str


# -- agents -------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSuspended(Event):
    kind: ClassVar[str] = "agent.suspended"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentResumed(Event):
    kind: ClassVar[str] = "agent.resumed"
    reason: str = ""


# -- authorization server -----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRefused(Event):
    """An authorization request was refused, on a page or by redirect."""

    kind: ClassVar[str] = "authorization.refused"
    durability: ClassVar[Durability] = Durability.ANSWER
    error: str
    detail: str
    resource: str | None = None
    requested: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    policy_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGranted(Event):
    """`shown_digest` is the SHA-256 of the text of the page the person said yes to."""

    kind: ClassVar[str] = "consent.granted"
    resource: str
    requested: tuple[str, ...]
    granted: tuple[str, ...]
    shown_digest: str
    locale: str = "en"
    authorization_details: tuple[Mapping[str, Json], ...] = ()
    withheld: tuple[str, ...] = ()
    """What was asked and could not be had: the scope and, in brackets, why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDenied(Event):
    kind: ClassVar[str] = "consent.denied"
    resource: str
    requested: tuple[str, ...]
    shown_digest: str
    locale: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCodeIssued(Event):
    kind: ClassVar[str] = "code.issued"
    resource: str
    scopes: tuple[str, ...]
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued(Event):
    """An access token was minted. `jti_digest` lets a token be matched without being kept."""

    kind: ClassVar[str] = "token.issued"
    grant_type: str
    jti_digest: str
    resource: str
    requested: tuple[str, ...]
    granted: tuple[str, ...]
    expires: int
    rules: tuple[str, ...] = ()
    policy_version: str | None = None
    claims: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    jkt: str | None = None
    authorization_details: tuple[Mapping[str, Json], ...] = ()
    parent_grant_id: str | None = None
    """The grant whose token was exchanged for this one."""
    actors: tuple[str, ...] = ()
    issuer: str | None = None
    """Who vouched for the subject, when it was not us; `subject_digest` is whom it named."""
    subject_digest: str | None = None
    rule: str | None = None
    """The trust rule that matched."""
    withheld: tuple[str, ...] = ()
    """What was asked and could not be had: the scope and, in brackets, why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefreshed(Event):
    """A refresh token was turned into the next one, and an access token minted with it."""

    kind: ClassVar[str] = "token.refreshed"
    jti_digest: str
    resource: str
    granted: tuple[str, ...]
    expires: int
    rules: tuple[str, ...] = ()
    policy_version: str | None = None
    claims: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    jkt: str | None = None
    authorization_details: tuple[Mapping[str, Json], ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefused(Event):
    """The token endpoint refused: `error` is the standard's code, `detail` what was said."""

    kind: ClassVar[str] = "token.refused"
    durability: ClassVar[Durability] = Durability.ANSWER
    grant_type: str | None
    error: str
    detail: str
    rules: tuple[str, ...] = ()
    policy_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked(Event):
    """One token was revoked by its holder. A refresh token takes its grant with it: `grant.revoked`."""

    kind: ClassVar[str] = "token.revoked"
    token_type: str
    jti_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenReused(Event):
    """A refresh token or code came a second time: stolen, or a client in error. Its grant is revoked."""

    kind: ClassVar[str] = "token.reuse_detected"
    credential: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRevoked(Event):
    """A grant and everything that descends from it ended."""

    kind: ClassVar[str] = "grant.revoked"
    reason: str
