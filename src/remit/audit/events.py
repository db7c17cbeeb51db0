"""Every event Remit records, one frozen class each.

A class is a wire format with a constitution: fields are only ever added, with a
default; a changed meaning is a new `kind`. `kind` reads `noun.past_participle`.
Values keep to the profile of `canonical`: ASCII keys; strings, booleans, nulls and
integers; no floats. Nothing here may hold a secret, a token, a code, a password,
or an argument that has not been through `audit.redact`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from remit.audit.approval_events import (
    AccessEnded,
    AccessGranted,
    AccessRequested,
    ApprovalAnswered,
    ApprovalEscalated,
    ApprovalExpired,
    ApprovalMoved,
    ApprovalOpened,
    ApprovalRequested,
    DeputyNamed,
    DeputyRemoved,
    ElevationGiven,
    ElevationRevoked,
    ElevationUsed,
    EmergencyOverdue,
    EmergencyReviewed,
    EmergencyTaken,
    NotificationFailed,
)
from remit.audit.call_events import CallCompleted, Decided, ServerDiscovered
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
from remit.audit.custody_events import (
    AuditErased,
    AuditExported,
    AuditGapFound,
    AuditPruned,
    ClockJumped,
    HoldLifted,
    HoldLiftRequested,
    HoldRequested,
    HoldSet,
    LogKeyChanged,
    LogsJoined,
    SignerLost,
    SignerRecovered,
    SinkLagging,
    SinkRecovered,
    SinkReset,
    SinkTested,
    WitnessLost,
    WitnessRecovered,
)
from remit.audit.event import Durability, Event
from remit.audit.grant_events import (
    AuthorizationCodeIssued,
    AuthorizationRefused,
    ConsentDenied,
    ConsentGranted,
    ConsentPresented,
    GrantRevoked,
    RefreshTokenReused,
    TokenIssued,
    TokenRefreshed,
    TokenRefused,
    TokenRevoked,
)
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
    AuditRulesChanged,
    AuditStarted,
    AuditStopped,
    DiskFilling,
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
    PolicyDisabled,
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
from remit.audit.step_up_events import (
    StepUpCompleted,
    StepUpExpired,
    StepUpFailed,
    StepUpRequired,
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
    "ApprovalEscalated",
    "ApprovalExpired",
    "ApprovalMoved",
    "ApprovalOpened",
    "ApprovalRequested",
    "AuditErased",
    "AuditExported",
    "AuditGapFound",
    "AuditPruned",
    "AuditQueried",
    "AuditRecovered",
    "AuditRulesChanged",
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
    "ClockJumped",
    "ConnectionMade",
    "ConnectionRefused",
    "ConnectionRemoved",
    "ConsentDenied",
    "ConsentGranted",
    "ConsentPresented",
    "ConsentWithdrawn",
    "Decided",
    "DefinitionAdmitted",
    "DefinitionPinned",
    "DefinitionQuarantined",
    "DefinitionRejected",
    "DeputyNamed",
    "DeputyRemoved",
    "DiskFilling",
    "Durability",
    "EffectFailed",
    "ElevationGiven",
    "ElevationRevoked",
    "ElevationUsed",
    "EmergencyOverdue",
    "EmergencyReviewed",
    "EmergencyTaken",
    "Event",
    "GrantRevoked",
    "GuardSeen",
    "GuardrailViolated",
    "HistoryForgotten",
    "HoldLiftRequested",
    "HoldLifted",
    "HoldRequested",
    "HoldSet",
    "IdentityLinked",
    "IdentityUnlinked",
    "InitialAccessTokenCreated",
    "InitialAccessTokenRevoked",
    "LogKeyChanged",
    "LoggedIn",
    "LoggedOut",
    "LoginFailed",
    "LogsJoined",
    "NotificationFailed",
    "OneTimePasswordsDisabled",
    "OneTimePasswordsEnabled",
    "PasskeyAdded",
    "PasskeyRemoved",
    "PasswordChanged",
    "PolicyDisabled",
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
    "ServerDiscovered",
    "SignerLost",
    "SignerRecovered",
    "SigningKeyAdded",
    "SigningKeyRetired",
    "SinkLagging",
    "SinkRecovered",
    "SinkReset",
    "SinkTested",
    "StepUpCompleted",
    "StepUpExpired",
    "StepUpFailed",
    "StepUpRequired",
    "TokenIssued",
    "TokenRefreshed",
    "TokenRefused",
    "TokenRevoked",
    "WitnessLost",
    "WitnessRecovered",
]

_NOTHING: Mapping[str, Json] = MappingProxyType({})


# -- policy ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLoaded(Event):
    """A version of the policy repository came into force in this process: `bundle`, as it holds in `stage`."""

    kind: ClassVar[str] = "policy.loaded"
    reserved: ClassVar[bool] = True
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
    reserved: ClassVar[bool] = True
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
    reserved: ClassVar[bool] = True
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
    reserved: ClassVar[bool] = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentResumed(Event):
    kind: ClassVar[str] = "agent.resumed"
    reason: str = ""
