"""`registration` of `remit.yaml`: which clients may introduce themselves, and on whose account.

Source: RFC 7591 §3; CIMD §8.9; O21 §4.2 (`client_credentials` is for clients registered beforehand).
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, model_validator

from remit.documents import Duration, duration_field, mistake, quoted
from remit.ids import ScopeName
from remit.model import (
    Admission,
    AdmissionRule,
    DocumentHost,
    Environment,
    Registration,
    RegistrationMode,
)
from remit.repository.fields import Line, Name, ScopeReference, is_loopback_host
from remit.repository.grant_types import GrantTypeName, grant_type_values
from remit.repository.lengths import DAY, HOUR, MINUTE, OptionalDuration, within
from remit.repository.section import Section
from remit.repository.web_addresses import shared_suffix_fault

__all__ = ["AdmissionRuleSection", "DocumentHostSection", "RegistrationSection", "registration_of"]

# Schemes that a browser itself acts upon: a code sent there is a code given away or code run.
_NEVER_PRIVATE = frozenset({
    "about", "blob", "chrome", "chrome-extension", "content", "data", "file", "filesystem", "ftp",
    "http", "https", "intent", "jar", "javascript", "mailto", "moz-extension", "ms-appx", "resource",
    "sms", "tel", "urn", "vbscript", "view-source", "ws", "wss",
})  # fmt: skip
_LONGEST = 3_660 * DAY


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
    name = text.removeprefix("*.")
    labels = name.split(".")
    valid = all(label and label.replace("-", "").isalnum() for label in labels)
    if (
        not text.isascii()
        or text != text.lower()
        or not valid
        or len(labels) < 2
        or labels[-1].isdigit()
        or is_loopback_host(name)
    ):
        raise mistake(
            f"{quoted(text)} is no host name",
            expected="a host name in lower case, such as `claude.ai` or `*.acme.example`",
        )
    fault = shared_suffix_fault(name) if name != text else None
    if fault:
        raise mistake(f"anybody may have a name like {quoted(text)}", expected=fault)
    return text


def _named_by_host(given: object) -> object:
    return {"host": given} if isinstance(given, str) else given


def _check_grant_type(name: str) -> str:
    if name == "client_credentials":
        raise mistake(
            "a client that registered itself cannot act for itself",
            expected="a static client in the file of its agent",
        )
    return name


class DocumentHostSection(Section):
    """Terms for the clients whose metadata documents are on one host. The name of the host alone will do."""

    host: Annotated[str, AfterValidator(_check_host)] = Field(
        description="The host, in lower case; `*.acme.example` means every host below it."
    )
    admission: Admission = Field(
        default=Admission.ADMIT,
        description="`approve`: an administrator has to say yes first. `refuse`: never.",
    )
    owner: Line = Field(default="", description="Who answers for these clients.")
    environment: str | None = Field(
        default=None, description="The only environment they may act in."
    )
    max_fresh: Annotated[Duration, within(MINUTE, 30 * DAY, "between `1m` and `30d`")] = (
        duration_field(
            "1d", "A document is fetched again after so long at the latest. `1m` to `30d`."
        )
    )


class AdmissionRuleSection(Section):
    """A rule for clients that register themselves. The first that matches decides.

    A rule that admits matches when every redirect URI of the client fits one of `redirect_uris`;
    a rule that refuses or asks for approval, when any does.
    """

    name: Name = Field(description="What the audit log and the approval queue call it.")
    redirect_uris: tuple[str, ...] = Field(
        min_length=1,
        description="Patterns: the port of a loopback host may be `*`, a host may begin with `*.` (one label), the path may end in `/*`.",
    )
    grant_types: tuple[Annotated[GrantTypeName, AfterValidator(_check_grant_type)], ...] = Field(
        default=("authorization_code", "refresh_token"),
        min_length=1,
        description="What such a client may have; what it wants beyond is left out, and where nothing remains it is refused.",
    )
    auth_methods: tuple[
        Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"], ...
    ] = Field(
        default=(),
        description="How such a client may prove itself, or it is refused; left out: in any way.",
    )
    scopes: tuple[ScopeReference, ...] = Field(
        default=(),
        description="The most it may be granted, within what its agent may; left out: as its agent.",
    )
    admission: Admission = Field(
        default=Admission.ADMIT,
        description="`approve`: it may do nothing until an administrator says yes. `refuse`: never.",
    )
    owner: Line = Field(default="", description="Who answers for these clients.")
    environment: str | None = Field(
        default=None, description="The only environment they may act in."
    )
    lifetime: Annotated[OptionalDuration, within(HOUR, _LONGEST, "between `1h` and `3660d`")] = (
        Field(default=None, description="After so long such a client is removed, however busy.")
    )


class RegistrationSection(Section):
    """Which clients may introduce themselves."""

    mode: RegistrationMode = Field(
        default=RegistrationMode.OPEN,
        description="Who may register at `/register` (RFC 7591): everybody, who shows an initial access token, nobody.",
    )
    metadata_documents: StrictBool = Field(
        default=True, description="Whether a client may be the URL of its metadata document."
    )
    document_hosts: tuple[
        Annotated[
            DocumentHostSection,
            BeforeValidator(_named_by_host, json_schema_input_type=str | DocumentHostSection),
        ],
        ...,
    ] = Field(default=(), description="When not empty, only documents on these hosts are fetched.")
    redirect_uri_schemes: tuple[Annotated[str, AfterValidator(_check_scheme)], ...] = Field(
        default=(),
        description="Private-use schemes admitted in redirect URIs, besides https and loopback.",
    )
    rules: tuple[AdmissionRuleSection, ...] = Field(
        default=(), description="Rules for registration; the first that matches decides."
    )
    otherwise: Admission = Field(
        default=Admission.ADMIT, description="What becomes of a registration that no rule matches."
    )
    unused_lifetime: Annotated[Duration, within(HOUR, _LONGEST, "between `1h` and `3660d`")] = (
        duration_field(
            "90d", "A client that introduced itself and was not used for so long is removed."
        )
    )
    removal_notice: Annotated[Duration, within(MINUTE, _LONGEST, "between `1m` and `3660d`")] = (
        duration_field(
            "14d",
            "So long before its removal a client is listed as about to go. At most `unused_lifetime`.",
        )
    )
    per_hour: Annotated[StrictInt, Field(ge=1, le=100_000)] = Field(
        default=60, description="How many registrations are taken from one network in an hour."
    )

    @model_validator(mode="after")
    def _is_told_before_the_end(self) -> Self:
        if self.removal_notice > self.unused_lifetime:
            raise mistake(
                "`removal_notice` is longer than `unused_lifetime`",
                expected="a notice within the time a client may be unused",
            )
        return self


def registration_of(section: RegistrationSection) -> Registration:
    """What `section` declares."""
    return Registration(
        mode=section.mode,
        metadata_documents=section.metadata_documents,
        document_hosts=tuple(_document_host(one) for one in section.document_hosts),
        redirect_uri_schemes=section.redirect_uri_schemes,
        rules=tuple(_rule(one) for one in section.rules),
        otherwise=section.otherwise,
        unused_lifetime=section.unused_lifetime,
        removal_notice=section.removal_notice,
        per_hour=section.per_hour,
    )


def _document_host(section: DocumentHostSection) -> DocumentHost:
    return DocumentHost(
        host=section.host,
        admission=section.admission,
        owner=section.owner,
        environment=_environment(section.environment),
        max_fresh=section.max_fresh,
    )


def _rule(section: AdmissionRuleSection) -> AdmissionRule:
    return AdmissionRule(
        name=section.name,
        redirect_uris=section.redirect_uris,
        grant_types=grant_type_values(section.grant_types),
        auth_methods=section.auth_methods,
        scopes=tuple(ScopeName(one) for one in section.scopes),
        admission=section.admission,
        owner=section.owner,
        environment=_environment(section.environment),
        lifetime=section.lifetime,
    )


def _environment(name: str | None) -> Environment | None:
    return None if name is None else Environment(name)
