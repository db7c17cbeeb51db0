"""The nouns of a policy repository, as everything else sees them: parsed, checked, frozen."""

from remit.model.agents import (
    Agent,
    AgentClients,
    StaticClient,
)
from remit.model.catalog import (
    Catalog,
    Guardrails,
    Issuer,
    ScopeDefinition,
    Tenant,
)
from remit.model.levels import (
    AgentClass,
    ArgumentType,
    AuditTreatment,
    ClientKind,
    Environment,
    Operation,
    Sensitivity,
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
    DocumentHost,
    Registration,
    RegistrationMode,
)
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

__all__ = [
    "Admission",
    "AdmissionRule",
    "Agent",
    "AgentClass",
    "AgentClients",
    "Argument",
    "ArgumentType",
    "AttributeRule",
    "AuditTreatment",
    "Catalog",
    "ClaimMapping",
    "ClientKind",
    "DocumentHost",
    "Environment",
    "Guardrails",
    "HttpUpstream",
    "IdentityProvider",
    "Issuer",
    "Operation",
    "PersonTrust",
    "Prompt",
    "Registration",
    "RegistrationMode",
    "Resource",
    "Role",
    "ScopeDefinition",
    "SecondFactor",
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
