"""`remit.yaml`: the issuer, the tenants, the environments, and the limits that hold for everybody."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, model_validator

from remit.documents import Duration, duration_field, mistake, quoted
from remit.model import Mode, Sensitivity
from remit.repository.deployment_section import DeploymentSection
from remit.repository.engines_section import EngineSection
from remit.repository.fields import Line, Name, Prose, ScopeReference, TimeZone
from remit.repository.history_section import HistoryFacts
from remit.repository.lengths import DAY, MINUTE, DurationOrNever, within
from remit.repository.limits_section import UNREGISTERED_LIMITS, LimitsSection
from remit.repository.lint_section import LintSection
from remit.repository.networks_section import Networks
from remit.repository.registration_section import RegistrationSection
from remit.repository.section import Section

__all__ = [
    "FORMAT_VERSION",
    "GuardrailsSection",
    "IssuerSection",
    "RootFile",
    "TenantSection",
    "UnregisteredSection",
]

FORMAT_VERSION = 1


class IssuerSection(Section):
    """The authorization server, and how long what it issues may live."""

    name: Line = Field(
        default="Remit", description="What people see on the login and consent pages."
    )
    access_token_lifetime: Annotated[
        Duration, within(MINUTE, 60 * MINUTE, "between `1m` and `60m`")
    ] = duration_field(
        "10m",
        "How long an access token is good for. `1m` to `60m`; five to fifteen minutes is right for most.",
    )
    refresh_token_idle: Annotated[
        Duration, within(MINUTE, 366 * DAY, "between `1m` and `366d`")
    ] = duration_field(
        "7d", "A refresh token that is not used for so long expires. At most `grant_lifetime`."
    )
    grant_lifetime: Annotated[Duration, within(MINUTE, 366 * DAY, "between `1m` and `366d`")] = (
        duration_field(
            "30d",
            "After so long the person is asked again, however busy the agent is. At most `366d`.",
        )
    )
    code_lifetime: Annotated[Duration, within(10, 10 * MINUTE, "between `10s` and `10m`")] = (
        duration_field(
            "60s", "How long an authorization code waits to be redeemed. `10s` to `10m`."
        )
    )
    session_idle: Annotated[Duration, within(MINUTE, 30 * DAY, "between `1m` and `30d`")] = (
        duration_field(
            "1h", "A person who does nothing for so long logs in again. At most `session_lifetime`."
        )
    )
    session_lifetime: Annotated[Duration, within(MINUTE, 30 * DAY, "between `1m` and `30d`")] = (
        duration_field("12h", "After so long everybody logs in again. At most `30d`.")
    )
    signing_key_lifetime: Annotated[
        DurationOrNever, within(DAY, 366 * DAY, "between `1d` and `366d`, or `0s`")
    ] = duration_field(
        "90d",
        "After so long a new key signs access tokens. `1d` to `366d`; `0s`: only when an administrator says so.",
    )
    default_scopes: tuple[ScopeReference, ...] = Field(
        default=(),
        description="Asked for on behalf of a client that names no scope, where the server has no baseline.",
    )

    @model_validator(mode="after")
    def _idle_ends_before_the_end(self) -> Self:
        if self.session_idle > self.session_lifetime:
            raise mistake(
                "`session_idle` is longer than `session_lifetime`",
                expected="an idle limit within the absolute one",
            )
        if self.refresh_token_idle > self.grant_lifetime:
            raise mistake(
                "`refresh_token_idle` is longer than `grant_lifetime`",
                expected="an idle limit within the absolute one",
            )
        return self


class TenantSection(Section):
    """An organisation whose people, data and log are its own."""

    name: Line = Field(description="What people call it.")
    time_zone: TimeZone = Field(
        description="The IANA time zone in which policies read the clock for its people."
    )
    mode: Mode = Field(
        default=Mode.ENFORCE,
        description="`observe`: what policies refuse its people goes on, and the log says what would have refused it.",
    )
    engine: str | None = Field(
        default=None,
        description="The engine under `engines` that permits calls for its people, where a server's file names none.",
    )


class GuardrailsSection(Section):
    """Limits that hold for every agent, whatever its own file or a policy says."""

    max_scopes_per_agent: Annotated[StrictInt, Field(ge=1, le=1_000)] = Field(
        default=20, description="An agent whose file lists more is refused."
    )
    max_scopes_per_token: Annotated[StrictInt, Field(ge=1, le=1_000)] = Field(
        default=20, description="A token carries no more; what is asked beyond is withheld."
    )
    forbidden_scopes: tuple[ScopeReference, ...] = Field(
        default=(), description="No agent may hold these, nor a scope that covers one of them."
    )
    max_delegation_depth: Annotated[StrictInt, Field(ge=0, le=10)] = Field(
        default=3,
        description="How many agents may stand behind each other in a token that was exchanged. `0`: no token is ever exchanged.",
    )
    limits_per_agent: LimitsSection = Field(
        default=LimitsSection(),
        description="What each agent may ask, whose own file does not say otherwise.",
    )
    limits_per_user: LimitsSection = Field(
        default=LimitsSection(),
        description="What may be asked on behalf of one person, by all agents together.",
    )


class UnregisteredSection(Section):
    """The agent that a client nobody has claimed is. Left out, it may do nothing."""

    name: Line = Field(
        default="Unregistered agent", description="What people see on the consent page."
    )
    owner: Line = Field(
        default="nobody", description="Who answers for what unregistered agents may do."
    )
    purpose: Prose = Field(default="", description="Why unregistered agents are let in at all.")
    scopes: tuple[ScopeReference, ...] = Field(
        default=(), description="The most it may be granted."
    )
    environments: tuple[str, ...] = Field(default=(), description="Where it may act.")
    tenants: tuple[str, ...] = Field(default=(), description="For whose people it may act.")
    max_sensitivity: Sensitivity = Field(
        default=Sensitivity.LOW, description="It may use nothing more sensitive."
    )
    limits: LimitsSection = Field(
        default=UNREGISTERED_LIMITS,
        description="What all unregistered clients of an organisation together may ask; 60 calls a minute and 5 at one time when left out.",
    )


class RootFile(Section):
    """`remit.yaml`."""

    version: Annotated[
        Literal[1], Field(description="The version of this format. There is one so far: `1`.")
    ]
    issuer: IssuerSection = Field(default=IssuerSection(), description="The authorization server.")
    tenants: dict[Name, TenantSection] = Field(
        min_length=1,
        description="The organisations, by the name that their tokens carry as `organization_id`.",
    )
    environments: tuple[Name, ...] = Field(min_length=1, description="Such as `dev` and `prod`.")
    lint: LintSection = Field(
        default={},
        description="What a kind of remark is worth here: `error`, `warning`, `note` or `off`, by its code; see [Lint](lint.md).",
    )
    stages: tuple[Name, ...] = Field(
        default=(),
        description="The installations of Remit that changes go through, in their order, such as `[dev, staging, prod]`; each may have files in `stages/<stage>/`.",
    )
    guardrails: GuardrailsSection = Field(
        default=GuardrailsSection(), description="Limits for every agent."
    )
    registration: RegistrationSection = Field(
        default=RegistrationSection(), description="Which clients may introduce themselves."
    )
    unregistered: UnregisteredSection = Field(
        default=UnregisteredSection(),
        description="What a client may do that no agent's file claims.",
    )
    networks: Networks = Field(
        default={},
        description="Ranges of addresses, by the name that policies know them by: `context.networks`.",
    )
    engines: dict[Name, EngineSection] = Field(
        default={},
        description="Engines in other processes that decide instead of the permits in `policies/`, where a server or a tenant names them.",
    )
    history: HistoryFacts = Field(
        default={},
        description="What Remit remembers of calls, by the names that policies read it by: `context.history.<name>`.",
    )
    deployment: DeploymentSection = Field(
        default=DeploymentSection(),
        description="What has to hold before other policies come into force where these are.",
    )

    @model_validator(mode="after")
    def _bundles_come_from_stages_that_there_are(self) -> Self:
        strange = [one for one in self.deployment.from_stages if one not in self.stages]
        if strange:
            raise mistake(
                f"`from_stages` of `deployment` names {quoted(strange[0])}, which is no stage",
                expected="names that stand in `stages`",
            )
        strange = [one for one in self.deployment.stage_keys if one not in self.stages]
        if strange:
            raise mistake(
                f"`stage_keys` of `deployment` names {quoted(strange[0])}, which is no stage",
                expected="names that stand in `stages`",
            )
        return self
