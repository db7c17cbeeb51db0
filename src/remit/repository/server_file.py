"""`servers/<name>.yaml`: one MCP server, what it can do, and what doing it takes."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from remit.documents import mistake
from remit.model import ArgumentType, AuditTreatment, Mode, Operation, Pinning, Sensitivity
from remit.repository.allowed_section import AllowedExtensions, AllowedMethods
from remit.repository.fields import (
    ArgumentName,
    Currency,
    Line,
    Name,
    OptionalSecretReference,
    Pointer,
    ProofOfPossession,
    Prose,
    ResourceIdentifier,
    ResourceUri,
    ScopeReference,
    ThingName,
)
from remit.repository.limits_section import LimitsSection, OptionalSize
from remit.repository.section import Section
from remit.repository.upstream_section import ThirdPartySection, UpstreamSection

__all__ = [
    "ArgumentSection",
    "PromptSection",
    "ResourceSection",
    "ServerFile",
    "Things",
    "ToolSection",
]


class ArgumentSection(Section):
    """An argument of a tool that policies may read."""

    type: ArgumentType = Field(description="How it reaches a policy.")
    pointer: Pointer | None = Field(
        default=None,
        description="Where it stands in the call's arguments; `/<name>` when left out.",
    )
    required: StrictBool = Field(default=False, description="Whether a call without it is refused.")
    currency: Currency | None = Field(
        default=None, description="For `money`: the currency, when the tool knows only one."
    )
    currency_from: Pointer | None = Field(
        default=None, description="For `money`: where the call names the currency."
    )
    audit: AuditTreatment = Field(
        default=AuditTreatment.TOKEN,
        description="What the audit log keeps: `token` a keyed pseudonym, `keep` the value, `last4` its last characters, `drop` nothing.",
    )

    @model_validator(mode="after")
    def _has_a_currency_exactly_when_it_is_money(self) -> Self:
        named = [self.currency, self.currency_from].count(None)
        if self.type is ArgumentType.MONEY and named == 2:
            raise mistake(
                "an amount of money without a currency", expected="`currency` or `currency_from`"
            )
        if named == 0:
            raise mistake(
                "the currency is both fixed and read from the call",
                expected="`currency` or `currency_from`, not both",
            )
        if self.type is not ArgumentType.MONEY and named < 2:
            raise mistake("a currency on what is no money", expected="`type: money`")
        return self


class _Thing(Section):
    """What tools, resources and prompts have in common."""

    scopes: tuple[ScopeReference, ...] = Field(
        min_length=1, description="The caller's token must cover all of these."
    )
    sensitivity: Sensitivity = Field(description="How much harm one use can do.")
    description: Prose = Field(default="", description="For people; what it does.")
    data_categories: tuple[Name, ...] = Field(
        default=(), description="Which kinds of data it opens."
    )


class ToolSection(_Thing):
    """A tool."""

    operation: Operation = Field(description="What it does to the world.")
    arguments: dict[ArgumentName, ArgumentSection] = Field(
        default={},
        description="The arguments that policies may read, by the name they read them under.",
    )


class ResourceSection(_Thing):
    """A resource, or a family of resources."""

    operation: Operation = Field(
        default=Operation.READ, description="What using it does to the world."
    )


class PromptSection(_Thing):
    """A prompt."""


_Tools = dict[ThingName, ToolSection]
_Resources = dict[ResourceUri, ResourceSection]
_Prompts = dict[ThingName, PromptSection]


class Things(BaseModel):
    """What policies need of `servers/<name>.yaml`; whatever else stands there does not matter to them."""

    model_config = ConfigDict(**Section.model_config | {"extra": "ignore"})

    tools: _Tools = {}
    resources: _Resources = {}
    prompts: _Prompts = {}


class ServerFile(Section):
    """`servers/<name>.yaml`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["tenant"], "properties": {"tenant": {"type": "string"}}},
                {"required": ["shared"], "properties": {"shared": {"const": True}}},
            ]
        }
    )

    title: Line = Field(description="What people see on the consent page.")
    description: Prose = Field(default="", description="For people; what the server is for.")
    owner: Line = Field(description="Who answers for it: a person or a team.")
    tenant: str | None = Field(default=None, description="The tenant whose server it is.")
    shared: StrictBool = Field(
        default=False, description="`true` when people of every tenant use it."
    )
    environment: str = Field(description="Where it runs, as declared in `remit.yaml`.")
    region: Name | None = Field(
        default=None,
        description="Where its data lives, such as `eu`; agents can be kept to regions.",
    )
    dpop: ProofOfPossession = Field(
        default="optional",
        description="`required`: only tokens that are bound to a key are good here (RFC 9449).",
    )
    upstream: UpstreamSection = Field(description="How Remit reaches it.")
    introspection_secret: OptionalSecretReference = Field(
        default=None,
        description="Where the secret is kept with which this server may ask whether a token is good: `env:NAME`, `file:/path` or `stored:name`.",
    )
    guard_secret: OptionalSecretReference = Field(
        default=None,
        description="Where the secret is kept with which a guard inside this server fetches snapshots and delivers its records: `env:NAME`, `file:/path` or `stored:name`.",
    )
    resource_identifier: ResourceIdentifier | None = Field(
        default=None,
        description="The URL at which clients reach a server that guards itself. Tokens for it are for that URL; without it, for the gateway's.",
    )
    connection: ThirdPartySection | None = Field(
        default=None,
        description="The third party whose API it needs on each person's behalf.",
    )
    pinning: Pinning = Field(
        default=Pinning.FIRST_USE,
        description="When the definition of a tool, resource or prompt counts as admitted: `first_use` as it was first seen, `reviewed` once an administrator has admitted it, `off` whatever the server says.",
    )
    limits: LimitsSection = Field(
        default=LimitsSection(),
        description="How much the callers of one organisation together may ask of it.",
    )
    max_request: OptionalSize = Field(
        default=None,
        description="The largest message that may be sent to it; left out, what Remit takes from anybody.",
    )
    max_response: OptionalSize = Field(
        default=None,
        description="The largest message it may answer with; left out, what Remit takes from any server.",
    )
    allowed_methods: AllowedMethods = Field(
        default=(),
        description="Methods beyond those of the protocol that whoever may use the server may send it, by their exact names. No policy is asked; each is recorded.",
    )
    allowed_extensions: AllowedExtensions = Field(
        default=(),
        description="Extensions of the protocol beyond tasks that the server may offer and clients may ask for, by their exact names.",
    )
    mode: Mode = Field(
        default=Mode.ENFORCE,
        description="`observe`: what policies refuse here goes on, and the log says what would have refused it.",
    )
    justification: Literal["token", "keep"] = Field(
        default="token",
        description="What the audit log keeps of the justification that a call brings: `token` a keyed pseudonym, `keep` the words.",
    )
    engine: str | None = Field(
        default=None,
        description="The engine under `engines` of `remit.yaml` that permits calls of it; left out, the one of the caller's tenant, or else `policies/`.",
    )
    baseline_scopes: tuple[ScopeReference, ...] = Field(
        default=(),
        description="What a client is told to ask for first: the least that makes the server useful.",
    )
    tools: _Tools = Field(
        default={}, description="Its tools. One that is not listed does not exist for any agent."
    )
    resources: _Resources = Field(
        default={},
        description="Its resources, by URI or by template such as `crm://accounts/{account_id}`.",
    )
    prompts: _Prompts = Field(default={}, description="Its prompts.")

    @model_validator(mode="after")
    def _belongs_to_one_tenant_or_to_all(self) -> Self:
        if (self.tenant is None) == (not self.shared):
            raise mistake(
                "whose server this is must be said",
                expected="either `tenant: <name>` or `shared: true`",
            )
        return self

    @property
    def things(self) -> Mapping[tuple[str, str], ToolSection | ResourceSection | PromptSection]:
        """Everything on the server, by the key it stands under and its name."""
        return {
            **{("tools", name): tool for name, tool in self.tools.items()},
            **{("resources", uri): resource for uri, resource in self.resources.items()},
            **{("prompts", name): prompt for name, prompt in self.prompts.items()},
        }
