"""`servers/<name>.yaml`: one MCP server, what it can do, and what doing it takes."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator

from remit.clock import Seconds
from remit.documents import Duration, duration_field, mistake, quoted
from remit.model import ArgumentType, AuditTreatment, Operation, Sensitivity
from remit.repository.fields import (
    ArgumentName,
    Currency,
    Line,
    Name,
    OptionalSecretReference,
    Pointer,
    ProofOfPossession,
    Prose,
    ResourceUri,
    ScopeReference,
    ThingName,
    UpstreamUrl,
)
from remit.repository.section import Section
from remit.repository.web_addresses import IssuerUrl, WebUrl
from remit.scopes import is_scope_token

__all__ = [
    "ArgumentSection",
    "HttpSection",
    "PromptSection",
    "ResourceSection",
    "ServerFile",
    "StdioSection",
    "Things",
    "ThirdPartySection",
    "ToolSection",
    "UpstreamSection",
]

_LONGEST_TIMEOUT = 3_600


def _check_timeout(value: Seconds) -> Seconds:
    if value > _LONGEST_TIMEOUT:
        raise mistake("the timeout is out of bounds", expected="at most `1h`")
    return value


def _check_text(text: str) -> str:
    if not text or "\0" in text:
        raise mistake("an empty text, or one with a null character", expected="text")
    return text


def _check_variable(text: str) -> str:
    if not text or not text.replace("_", "a").isalnum() or not text.isascii() or text[0].isdigit():
        raise mistake(
            f"{quoted(text)} is no name of an environment variable",
            expected="such as `LEDGER_FILE`",
        )
    return text


_Timeout = Annotated[Duration, AfterValidator(_check_timeout)]
_Text = Annotated[str, AfterValidator(_check_text)]
_Variable = Annotated[str, AfterValidator(_check_variable)]


class HttpSection(Section):
    """A server reached by streamable HTTP."""

    url: UpstreamUrl = Field(description="Its MCP endpoint. `https`, or `http` on loopback.")
    bearer_secret: OptionalSecretReference = Field(
        default=None,
        description="The credential that Remit itself presents: `env:NAME` or `file:/path`. The caller's token never goes further.",
    )
    timeout: _Timeout = duration_field(
        "60s", "How long to wait for an answer to begin. At most `1h`."
    )


class StdioSection(Section):
    """A server that Remit starts as a child process."""

    command: tuple[_Text, ...] = Field(
        min_length=1,
        description="The program and its arguments, without a shell. A first word `python` is the interpreter that Remit runs on.",
    )
    environment: dict[_Variable, str] = Field(
        default={},
        description="Variables for the child. A value `env:NAME` or `file:/path` is looked up; other values stand for themselves.",
    )
    working_directory: _Text | None = Field(default=None, description="Where the child starts.")
    timeout: _Timeout = duration_field("60s", "How long to wait for an answer. At most `1h`.")


class UpstreamSection(Section):
    """How Remit reaches the server: exactly one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [one], "properties": {one: {"type": "object"}}}
                for one in ("http", "stdio")
            ]
        }
    )

    http: HttpSection | None = Field(default=None, description="By streamable HTTP.")
    stdio: StdioSection | None = Field(
        default=None, description="As a child process, over its standard streams."
    )

    @model_validator(mode="after")
    def _is_exactly_one(self) -> Self:
        if (self.http is None) == (self.stdio is None):
            raise mistake("an upstream is one thing", expected="either `http` or `stdio`")
        return self


def _check_foreign_scope(text: str) -> str:
    if not is_scope_token(text):
        raise mistake(
            f"{quoted(text)} is no scope", expected="a scope in the words of the third party"
        )
    return text


class ThirdPartySection(Section):
    """The authorization server of an API that the server needs on each person's behalf.

    Remit is one client there for everybody, so each person consents here before any is sent
    on; what comes back is kept sealed, and given to this server alone.
    """

    title: Line = Field(description="What people see before they connect their account.")
    issuer: IssuerUrl = Field(description="Its issuer, to the letter.")
    client_id: Line = Field(description="What Remit is called there.")
    secret: OptionalSecretReference = Field(
        default=None,
        description="Where Remit's secret there is kept: `env:NAME` or `file:/path`. Without one, Remit is a public client there.",
    )
    scopes: tuple[Annotated[str, AfterValidator(_check_foreign_scope)], ...] = Field(
        default=(), description="What is asked for there, in its own words."
    )
    resource: WebUrl | None = Field(
        default=None, description="The API the tokens are for, where it has to be said (RFC 8707)."
    )
    private_network: StrictBool = Field(
        default=False,
        description="Whether its addresses may be private; on loopback it may be `http` then, too.",
    )


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
        description="Where the secret is kept with which this server may ask whether a token is good: `env:NAME` or `file:/path`.",
    )
    connection: ThirdPartySection | None = Field(
        default=None,
        description="The third party whose API it needs on each person's behalf.",
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
