"""What an access token says. Source: RFC 9068 §2.2, RFC 8693 §4.1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from remit.clock import EpochSeconds
from remit.ids import AgentId, ClientId, GrantId, ScopeName, TenantId
from remit.model import Environment, Sensitivity

__all__ = ["AccessToken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """The claims of one token, verified or about to be signed.

    `aud` is exactly one resource. `sub` is a user id, or the agent id for a
    workload that acts for itself. `grant_id` (claim `sid`) is what revocation kills.
    """

    iss: str
    sub: str
    aud: str
    client_id: ClientId
    jti: str
    iat: EpochSeconds
    exp: EpochSeconds
    scopes: tuple[ScopeName, ...]
    grant_id: GrantId
    agent_id: AgentId
    organization_id: TenantId
    environment: Environment
    sensitivity: Sensitivity
    """The agent's clearance: the most sensitive tool it may call."""
    roles: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    purpose: str = ""
    auth_time: EpochSeconds | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
