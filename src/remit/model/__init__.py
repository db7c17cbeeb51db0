"""The nouns of a policy repository, as everything else sees them: parsed, checked, frozen."""

from remit.model.agents import (
    Agent,
    AgentClients,
    StaticClient,
)
from remit.model.authentication import (
    ACR_MULTI_FACTOR,
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    ACR_VALUES,
)
from remit.model.catalog import (
    Catalog,
    Guardrails,
    Issuer,
    Tenant,
)
from remit.model.credentials import (
    ConnectionCredential,
    Credential,
    ExchangedCredential,
    SecretCredential,
)
from remit.model.deployment import DeploymentRules, SecondPerson
from remit.model.engines import EngineKind, ExternalEngine, Mode
from remit.model.history import LONGEST_HISTORY, HistoryFact, HistoryMeasure, HistoryOf
from remit.model.levels import (
    AgentClass,
    ArgumentType,
    AuditTreatment,
    ClientKind,
    Environment,
    Operation,
    Pinning,
    Sensitivity,
)
from remit.model.limits import NO_LIMITS, CallLimits
from remit.model.management import (
    ALL_TENANTS,
    MANAGEMENT,
    MANAGEMENT_ENVIRONMENT,
    MANAGEMENT_OPERATIONS,
    MANAGEMENT_PATH,
    MANAGEMENT_SCOPES,
    MANAGEMENT_SYSTEM,
    ManagementOperation,
)
from remit.model.people import (
    AttributeRule,
    ClaimMapping,
    IdentityProvider,
    Role,
    SecondFactor,
    SignIn,
)
from remit.model.registration import (
    Admission,
    AdmissionRule,
    ClientBounds,
    DocumentHost,
    Registration,
    RegistrationMode,
)
from remit.model.scope_definition import ScopeDefinition
from remit.model.servers import (
    Argument,
    HttpUpstream,
    Prompt,
    Resource,
    Server,
    StdioUpstream,
    ThirdParty,
    Tool,
    Upstream,
)
from remit.model.trust import (
    PersonTrust,
    Trust,
    TrustedIssuer,
    WorkloadRule,
)

__all__ = [  # noqa: RUF022  by code point, as every room
    "ACR_MULTI_FACTOR",
    "ACR_PASSWORD",
    "ACR_PHISHING_RESISTANT",
    "ACR_VALUES",
    "ALL_TENANTS",
    "LONGEST_HISTORY",
    "Admission",
    "AdmissionRule",
    "Agent",
    "AgentClass",
    "AgentClients",
    "Argument",
    "ArgumentType",
    "AttributeRule",
    "AuditTreatment",
    "CallLimits",
    "Catalog",
    "ClaimMapping",
    "ClientBounds",
    "ClientKind",
    "ConnectionCredential",
    "Credential",
    "DeploymentRules",
    "DocumentHost",
    "EngineKind",
    "Environment",
    "ExchangedCredential",
    "ExternalEngine",
    "Guardrails",
    "HistoryFact",
    "HistoryMeasure",
    "HistoryOf",
    "HttpUpstream",
    "IdentityProvider",
    "Issuer",
    "MANAGEMENT",
    "MANAGEMENT_ENVIRONMENT",
    "MANAGEMENT_OPERATIONS",
    "MANAGEMENT_PATH",
    "MANAGEMENT_SCOPES",
    "MANAGEMENT_SYSTEM",
    "ManagementOperation",
    "Mode",
    "NO_LIMITS",
    "Operation",
    "PersonTrust",
    "Pinning",
    "Prompt",
    "Registration",
    "RegistrationMode",
    "Resource",
    "Role",
    "ScopeDefinition",
    "SecondFactor",
    "SecondPerson",
    "SecretCredential",
    "Sensitivity",
    "Server",
    "SignIn",
    "StaticClient",
    "StdioUpstream",
    "Tenant",
    "ThirdParty",
    "Tool",
    "Trust",
    "TrustedIssuer",
    "Upstream",
    "WorkloadRule",
]
