"""`trust.yaml`: whose assertions are believed, about whom, and what they are good for.

Source: RFC 7523 §3; RFC 8693 §2.1; draft-ietf-oauth-identity-assertion-authz-grant §4.4; RFC 8725 §3.1.
"""

import re
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from remit.documents import Duration, duration_field, mistake, quoted
from remit.ids import AgentId, ScopeName, ServerName
from remit.model import PersonTrust, Trust, TrustedIssuer, WorkloadRule
from remit.repository.fields import Line, Name, ScopeReference
from remit.repository.lengths import DAY, HOUR, MINUTE, OptionalDuration, within
from remit.repository.people_file import ClaimName, ClaimValues
from remit.repository.public_keys import JwksSection, jwks_of
from remit.repository.section import Section
from remit.repository.web_addresses import IssuerUrl, WebUrl

__all__ = [
    "ExchangeSection",
    "IdJagSection",
    "TrustFile",
    "TrustedIssuerSection",
    "WorkloadRuleSection",
    "trust_of",
]

_FILE = re.compile(r"/[^\x00-\x1f\x7f]+")


def _check_file(text: str) -> str:
    if not _FILE.fullmatch(text):
        raise mistake(
            f"{quoted(text)} is no path of a file", expected="a path that begins with `/`"
        )
    return text


class WorkloadRuleSection(Section):
    """Which workload of the issuer is which agent. The first rule that matches decides."""

    name: Name = Field(description="What the audit log calls it.")
    claims: dict[ClaimName, ClaimValues] = Field(
        min_length=1,
        description="Each claim named has to be one of the values given for it, to the letter; a value that ends in `*` is a beginning. `kubernetes.io.namespace` reaches into objects.",
    )
    agent: str = Field(description="The agent that such a workload is: of class `workload`.")
    servers: tuple[str, ...] = Field(
        min_length=1, description="The servers that it may have tokens for."
    )
    scopes: tuple[ScopeReference, ...] = Field(
        default=(),
        description="The most it may be granted, within what its agent may; left out: as its agent.",
    )
    lifetime: Annotated[OptionalDuration, within(MINUTE, HOUR, "between `1m` and `60m`")] = Field(
        default=None, description="The longest its tokens live; left out: as every access token."
    )


class _PersonTrustSection(Section):
    provider: str = Field(
        description="The provider of `people.yaml` through which the person logged in, with that `sub`."
    )
    clients: tuple[str, ...] = Field(
        default=(),
        description="The only clients that may show one; left out: every client that proves itself.",
    )
    servers: tuple[str, ...] = Field(
        default=(), description="The only servers a token may be had for; left out: all."
    )


class IdJagSection(_PersonTrustSection):
    """Enterprise-managed authorization: the issuer says on whose behalf a client acts (ID-JAG)."""


class ExchangeSection(_PersonTrustSection):
    """Token exchange: a person's token of the issuer is exchanged for a narrower one of ours."""

    audiences: tuple[Line, ...] = Field(
        min_length=1,
        description="The `aud` of tokens that may be exchanged. Tokens for others are none of our business.",
    )


class TrustedIssuerSection(Section):
    """An issuer whose signatures are believed: about workloads, about people, or both.

    Its keys: `jwks`, else what `jwks_uri` gives, else what its discovery document names.
    """

    issuer: IssuerUrl = Field(description="Its `iss`, to the letter.")
    jwks: JwksSection | None = Field(
        default=None, description="Its public keys, where they stand still or cannot be fetched."
    )
    jwks_uri: WebUrl | None = Field(default=None, description="Where its keys are.")
    ca_file: Annotated[str, AfterValidator(_check_file)] | None = Field(
        default=None,
        description="PEM file of the authority that its certificates descend from, such as a cluster's own.",
    )
    private_network: StrictBool = Field(
        default=False,
        description="Whether its addresses may be private; on loopback it may be `http` then, too.",
    )
    algorithms: tuple[Literal["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"], ...] = Field(
        default=("RS256", "ES256"),
        min_length=1,
        description="The algorithms it signs with; never one with a shared secret.",
    )
    audiences: tuple[Line, ...] = Field(
        default=(),
        description="What a workload's assertion may be addressed to, besides our issuer and token endpoint.",
    )
    max_lifetime: Annotated[Duration, within(MINUTE, DAY, "between `1m` and `1d`")] = (
        duration_field("1h", "An assertion that says it lives longer is refused. `1m` to `1d`.")
    )
    require_jti: StrictBool = Field(
        default=True,
        description="Whether each assertion has to carry a `jti`, by which it is good only once. Without, it may live ten minutes at most.",
    )
    workloads: tuple[WorkloadRuleSection, ...] = Field(
        default=(), description="Which of its workloads is which agent."
    )
    id_jag: IdJagSection | None = Field(
        default=None, description="That it may say on whose behalf a client acts."
    )
    exchange: ExchangeSection | None = Field(
        default=None, description="That people's tokens of its may be exchanged."
    )

    @model_validator(mode="after")
    def _is_good_for_something(self) -> Self:
        if not self.workloads and self.id_jag is None and self.exchange is None:
            raise mistake(
                "an issuer that is believed about nothing",
                expected="`workloads`, `id_jag` or `exchange`",
            )
        if self.jwks is not None and self.jwks_uri is not None:
            raise mistake("the keys stand here and elsewhere", expected="`jwks` or `jwks_uri`")
        if self.jwks is not None and self.ca_file is not None:
            raise mistake(
                "a `ca_file` for what is never fetched", expected="`jwks` or `ca_file`, not both"
            )
        if self.audiences and not self.workloads:
            raise mistake(
                "`audiences` are for the assertions of workloads",
                expected="`workloads`, or `audiences` under `exchange`",
            )
        return self


class TrustFile(Section):
    """`trust.yaml`."""

    issuers: dict[Name, TrustedIssuerSection] = Field(
        default={}, description="The issuers that are believed, by a name of our own."
    )


def trust_of(file: TrustFile) -> Trust:
    """What `file` declares."""
    return Trust(
        issuers=MappingProxyType(
            {one.issuer: _issuer(name, one) for name, one in file.issuers.items()}
        )
    )


def _issuer(name: str, section: TrustedIssuerSection) -> TrustedIssuer:
    return TrustedIssuer(
        name=name,
        issuer=section.issuer,
        jwks=None if section.jwks is None else jwks_of(section.jwks),
        jwks_uri=section.jwks_uri,
        ca_file=section.ca_file,
        private_network=section.private_network,
        algorithms=section.algorithms,
        audiences=section.audiences,
        max_lifetime=section.max_lifetime,
        require_jti=section.require_jti,
        workloads=tuple(_workload(one) for one in section.workloads),
        id_jag=_person(section.id_jag),
        exchange=_person(section.exchange),
    )


def _workload(section: WorkloadRuleSection) -> WorkloadRule:
    return WorkloadRule(
        name=section.name,
        claims=MappingProxyType(dict(section.claims)),
        agent=AgentId(section.agent),
        servers=tuple(ServerName(one) for one in section.servers),
        scopes=tuple(ScopeName(one) for one in section.scopes),
        lifetime=section.lifetime,
    )


def _person(section: IdJagSection | ExchangeSection | None) -> PersonTrust | None:
    if section is None:
        return None
    return PersonTrust(
        provider=section.provider,
        clients=section.clients,
        servers=tuple(ServerName(one) for one in section.servers),
        audiences=section.audiences if isinstance(section, ExchangeSection) else (),
    )
