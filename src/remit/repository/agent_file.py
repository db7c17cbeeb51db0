"""`agents/<name>.yaml`: one agent, who answers for it, what it may at most hold, and which clients are it."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from remit.documents import mistake, quoted
from remit.model import AgentClass, Sensitivity
from remit.repository.fields import (
    Line,
    OptionalSecretReference,
    ProofOfPossession,
    Prose,
    ScopeReference,
)
from remit.repository.grant_types import GrantTypeName, short_grant_type
from remit.repository.limits_section import LimitsSection
from remit.repository.public_keys import JwksSection
from remit.repository.section import Section
from remit.repository.web_addresses import HttpsUrl

__all__ = ["AgentFile", "ClientsSection", "StaticClientSection"]

_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def _check_client_id(text: str) -> str:
    # No colon: it would end the user name of HTTP Basic (RFC 7617 §2) and look like a metadata document's URL.
    if not _CLIENT_ID.fullmatch(text):
        raise mistake(
            f"{quoted(text)} is no client identifier", expected="letters, digits, `.`, `_` and `-`"
        )
    return text


def _check_class(given: AgentClass) -> AgentClass:
    if given is AgentClass.UNREGISTERED:
        raise mistake(
            "an agent with a file of its own is registered",
            expected="another class; unregistered agents are described in `remit.yaml`",
        )
    return given


class StaticClientSection(Section):
    """A client that is registered here and nowhere else."""

    client_id: Annotated[str, AfterValidator(_check_client_id)] = Field(
        description="What it calls itself at the token endpoint."
    )
    name: Line = Field(description="What people see on the consent page.")
    redirect_uris: tuple[str, ...] = Field(
        default=(),
        description="Where its codes may go, each to the letter; the port of a loopback URI may vary.",
    )
    grant_types: tuple[GrantTypeName, ...] = Field(
        default=("authorization_code", "refresh_token"),
        min_length=1,
        description="`client_credentials` is for a workload that acts for itself, `token_exchange` for an agent that is handed tokens, `jwt_bearer` for one that shows an assertion (ID-JAG).",
    )
    secret: OptionalSecretReference = Field(
        default=None,
        description="Where its secret is kept: `env:NAME`, `file:/path` or `stored:name`. A client without one, and without keys, is public.",
    )
    jwks: JwksSection | None = Field(
        default=None,
        description="Instead of a secret: the public keys whose private part it signs with (`private_key_jwt`).",
    )
    jwks_uri: HttpsUrl | None = Field(
        default=None, description="Instead of a secret: where it publishes those keys."
    )
    dpop_bound_access_tokens: StrictBool = Field(
        default=False,
        description="Whether it gets tokens only together with a proof of possession (RFC 9449 §5.2).",
    )

    @property
    def proves_itself(self) -> bool:
        """Whether it has something to prove who it is with."""
        return any(one is not None for one in (self.secret, self.jwks, self.jwks_uri))

    @model_validator(mode="after")
    def _proves_itself_in_one_way(self) -> Self:
        # Two ways in are two things to lose, and the weaker one counts.
        if [self.secret, self.jwks, self.jwks_uri].count(None) < 2:
            raise mistake(
                "a client proves itself in one way",
                expected="one of `secret`, `jwks` and `jwks_uri`",
            )
        return self

    @model_validator(mode="after")
    def _has_what_its_grants_take(self) -> Self:
        grants = {short_grant_type(name) for name in self.grant_types}
        if "authorization_code" in grants and not self.redirect_uris:
            raise mistake(
                "a client with `authorization_code` has nowhere to be sent back to",
                expected="`redirect_uris`",
            )
        if "authorization_code" not in grants and self.redirect_uris:
            raise mistake(
                "`redirect_uris` on a client that no code is sent to",
                expected="`authorization_code` among its `grant_types`",
            )
        # A public client may exchange its own token for a narrower one: it has shown that token.
        for grant in ("client_credentials", "jwt_bearer"):
            if grant in grants and not self.proves_itself:
                raise mistake(
                    f"a client with {quoted(grant)} must prove who it is",
                    expected="`secret`, `jwks` or `jwks_uri`",
                )
        if "refresh_token" in grants and "authorization_code" not in grants:
            raise mistake(
                "`refresh_token` without `authorization_code`", expected="both, or neither"
            )
        return self


class ClientsSection(Section):
    """Which OAuth clients are this agent."""

    static: tuple[StaticClientSection, ...] = Field(
        default=(), description="Clients registered here."
    )
    metadata_documents: tuple[str, ...] = Field(
        default=(), description="Client ID metadata documents, each by its exact URL."
    )
    dynamic_redirect_uris: tuple[str, ...] = Field(
        default=(),
        description="A client that registered itself is this agent when every one of its redirect URIs is listed here.",
    )


class AgentFile(Section):
    """`agents/<name>.yaml`."""

    name: Line = Field(description="What people see on the consent page.")
    owner: Line = Field(description="Who answers for it: a person or a team.")
    agent_class: Annotated[AgentClass, AfterValidator(_check_class)] = Field(
        alias="class", description="What sort of software it is."
    )
    purpose: Prose = Field(
        default="", description="What it is for; recorded with each of its tokens."
    )
    scopes: tuple[ScopeReference, ...] = Field(
        description="The most it may ever hold, whoever uses it."
    )
    environments: tuple[str, ...] = Field(min_length=1, description="Where it may act.")
    tenants: tuple[str, ...] = Field(min_length=1, description="For whose people it may act.")
    max_sensitivity: Sensitivity = Field(
        default=Sensitivity.MEDIUM, description="It may use nothing more sensitive."
    )
    regions: tuple[str, ...] = Field(
        default=(),
        description="The only regions whose servers it may use; left out: all. A server without a `region` is in none.",
    )
    delegates: tuple[str, ...] = Field(
        default=(),
        description="The agents that may exchange its tokens for narrower ones of their own.",
    )
    exchange_servers: tuple[str, ...] = Field(
        default=(),
        description="The servers it may exchange a token for, besides the one the token is for.",
    )
    dpop: ProofOfPossession = Field(
        default="optional",
        description="`required`: its tokens are always bound to a key that it has to prove to have.",
    )
    limits: LimitsSection = Field(
        default=LimitsSection(),
        description="How much it may ask in each organisation, whoever it acts for.",
    )
    clients: ClientsSection = Field(
        default=ClientsSection(), description="Which OAuth clients are this agent."
    )

    @model_validator(mode="after")
    def _acts_for_itself_in_one_tenant(self) -> Self:
        alone = any("client_credentials" in client.grant_types for client in self.clients.static)
        if alone and len(self.tenants) != 1:
            raise mistake(
                "an agent with `client_credentials` acts for itself, in one tenant",
                expected="exactly one of `tenants`",
            )
        return self
