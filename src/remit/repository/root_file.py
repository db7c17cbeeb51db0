"""`remit.yaml`: the issuer, the tenants, the environments, and the limits that hold for everybody."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, model_validator

from remit.clock import Seconds
from remit.documents import Duration, duration_field, mistake, quoted
from remit.model import Sensitivity
from remit.repository.fields import Line, Name, Prose, ScopeReference, TimeZone, is_loopback_host
from remit.repository.section import Section

__all__ = [
    "FORMAT_VERSION",
    "GuardrailsSection",
    "IssuerSection",
    "RegistrationSection",
    "RootFile",
    "TenantSection",
    "UnregisteredSection",
]

FORMAT_VERSION = 1

_MINUTE = 60
_DAY = 86_400
# Schemes that a browser itself acts upon: a code sent there is a code given away or code run.
_NEVER_PRIVATE = frozenset({
    "about", "blob", "data", "file", "ftp", "http", "https", "javascript", "mailto", "vbscript", "ws", "wss",
})  # fmt: skip


def _check_scheme(text: str) -> str:
    valid = text[:1].isalpha() and text == text.lower() and text.isascii()
    if (
        not valid
        or not all(one.isalnum() or one in "+.-" for one in text)
        or text in _NEVER_PRIVATE
    ):
        raise mistake(
            f"{quoted(text)} is no private-use URI scheme",
            expected="a name such as `cursor` or `com.example.app`",
        )
    return text


def _check_host(text: str) -> str:
    labels = text.split(".")
    valid = all(label and label.replace("-", "").isalnum() for label in labels)
    if (
        not text.isascii()
        or text != text.lower()
        or not valid
        or len(labels) < 2
        or is_loopback_host(text)
    ):
        raise mistake(
            f"{quoted(text)} is no host name",
            expected="a host name in lower case, such as `claude.ai`",
        )
    return text


def _within(low: int, high: int, words: str) -> AfterValidator:
    def check(value: Seconds) -> Seconds:
        if not low <= value <= high:
            raise mistake("the length of time is out of bounds", expected=words)
        return value

    return AfterValidator(check)


class IssuerSection(Section):
    """The authorization server, and how long what it issues may live."""

    name: Line = Field(
        default="Remit", description="What people see on the login and consent pages."
    )
    access_token_lifetime: Annotated[
        Duration, _within(_MINUTE, 60 * _MINUTE, "between `1m` and `60m`")
    ] = duration_field(
        "10m",
        "How long an access token is good for. `1m` to `60m`; five to fifteen minutes is right for most.",
    )
    refresh_token_idle: Annotated[
        Duration, _within(_MINUTE, 366 * _DAY, "between `1m` and `366d`")
    ] = duration_field(
        "7d", "A refresh token that is not used for so long expires. At most `grant_lifetime`."
    )
    grant_lifetime: Annotated[Duration, _within(_MINUTE, 366 * _DAY, "between `1m` and `366d`")] = (
        duration_field(
            "30d",
            "After so long the person is asked again, however busy the agent is. At most `366d`.",
        )
    )
    code_lifetime: Annotated[Duration, _within(10, 10 * _MINUTE, "between `10s` and `10m`")] = (
        duration_field(
            "60s", "How long an authorization code waits to be redeemed. `10s` to `10m`."
        )
    )
    session_idle: Annotated[Duration, _within(_MINUTE, 30 * _DAY, "between `1m` and `30d`")] = (
        duration_field(
            "1h", "A person who does nothing for so long logs in again. At most `session_lifetime`."
        )
    )
    session_lifetime: Annotated[Duration, _within(_MINUTE, 30 * _DAY, "between `1m` and `30d`")] = (
        duration_field("12h", "After so long everybody logs in again. At most `30d`.")
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


class RegistrationSection(Section):
    """Which clients may introduce themselves."""

    dynamic: StrictBool = Field(
        default=True, description="Whether clients may register at `/register` (RFC 7591)."
    )
    metadata_documents: StrictBool = Field(
        default=True, description="Whether a client may be the URL of its metadata document."
    )
    metadata_document_hosts: tuple[Annotated[str, AfterValidator(_check_host)], ...] = Field(
        default=(), description="When not empty, only documents on these hosts are fetched."
    )
    redirect_uri_schemes: tuple[Annotated[str, AfterValidator(_check_scheme)], ...] = Field(
        default=(),
        description="Private-use schemes admitted in redirect URIs, besides https and loopback.",
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
