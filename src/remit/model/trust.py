"""Whose assertions are believed, about whom, and what they are good for.

Three purposes, each declared by itself, for an issuer trusted to name a pipeline is not
thereby trusted to name a person: workloads (jwt-bearer), enterprise-managed authorization
(ID-JAG), and the exchange of an upstream token.

Source: RFC 7523 §3; RFC 8693 §2.1; draft-ietf-oauth-identity-assertion-authz-grant §4.4; AS-61 … AS-71.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from remit.canonical import JsonObject
from remit.clock import Seconds
from remit.ids import AgentId, ScopeName, ServerName

__all__ = ["PersonTrust", "Trust", "TrustedIssuer", "WorkloadRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadRule:
    """Which workload of an issuer is which agent. The first rule that matches decides.

    It matches when each named claim equals one of the values given for it, exactly; a value
    that ends in `*` matches what begins with the rest. Dotted names reach into objects
    (`kubernetes.io.namespace` is tried whole first).
    """

    name: str
    claims: Mapping[str, tuple[str, ...]]
    agent: AgentId
    servers: tuple[ServerName, ...]
    scopes: tuple[ScopeName, ...] = ()
    """The most such a workload may be granted, within what its agent may; empty: as its agent."""
    lifetime: Seconds | None = None
    """The longest its tokens live; `None`: as every access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonTrust:
    """That an issuer may say on behalf of which person a client acts.

    The person is who logged in through identity provider `provider` with that `sub`; nobody is
    made an account of here. `clients` are the only ones that may present such an assertion;
    empty: every client that authenticates.
    """

    provider: str
    clients: tuple[str, ...] = ()
    servers: tuple[ServerName, ...] = ()
    """The only servers a token may be had for; empty: all."""
    audiences: tuple[str, ...] = ()
    """Accepted `aud` of an upstream access token (exchange only); an ID-JAG has our issuer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """An issuer whose signatures are believed. Keys: `jwks`, else `jwks_uri`, else its discovery document."""

    name: str
    issuer: str
    jwks: JsonObject | None = None
    jwks_uri: str | None = None
    ca_file: str | None = None
    """PEM file of the authority that its https certificates descend from (a cluster's own CA)."""
    private_network: bool = False
    """Whether its addresses may be private or loopback; http then, too, for loopback alone."""
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    audiences: tuple[str, ...] = ()
    """Accepted `aud` of a workload's assertion, besides our issuer and token endpoint."""
    max_lifetime: Seconds = Seconds(3_600)
    """An assertion that says it lives longer is refused."""
    require_jti: bool = True
    workloads: tuple[WorkloadRule, ...] = ()
    id_jag: PersonTrust | None = None
    exchange: PersonTrust | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Every issuer that is believed, by its `iss`."""

    issuers: Mapping[str, TrustedIssuer] = field(default_factory=lambda: MappingProxyType({}))
