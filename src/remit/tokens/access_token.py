"""What an access token says. Source: RFC 9068 §2.2, RFC 8693 §4.1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.ids import AgentId, ClientId, GrantId, ScopeName, TenantId
from remit.model import Environment, Sensitivity

__all__ = ["AccessToken", "Delegate"]


@dataclass(frozen=True, slots=True)
class Delegate:
    """One actor of a delegation: the agent, and the client it acted through."""

    agent_id: AgentId
    client_id: ClientId


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
    jkt: str | None = None
    """The RFC 7638 thumbprint of the key that its holder must prove to have (`cnf.jkt`, RFC 9449 §6.1)."""
    actors: tuple[Delegate, ...] = ()
    """Who acts for the subject, the one that acts now first (`act`, RFC 8693 §4.1)."""
    may_act: tuple[AgentId, ...] = ()
    """The agents that may exchange it (`may_act`, RFC 8693 §4.4)."""
    authorization_details: tuple[JsonObject, ...] = ()
    """RFC 9396 §9.1; each was checked when it was issued. Empty: nothing narrower than the scopes."""
    temporary: tuple[ScopeName, ...] = ()
    """Those of its scopes that its holder has for a while only; it expires no later than they do."""

    @property
    def token_type(self) -> str:
        """What the token endpoint calls it: `DPoP` when it is bound to a key, else `Bearer`."""
        return "Bearer" if self.jkt is None else "DPoP"
