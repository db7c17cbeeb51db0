"""What a person is shown before an agent may act for them, and when they need not be asked again.

The page names the software and who vouches for it, where the code goes, the agent and
who answers for it, each scope in words with the data it opens, what was asked and
cannot be had, and for how long. The person may allow less than was asked, but not
nothing. `shown_digest` is the SHA-256 of the words shown: they are what was consented to.

Asked again whenever more is asked, authorization details are, the client changed, it asked
to be (`prompt=consent`),
or the code stays on a machine where any program could claim to be the client.

Source: MCP S26 confused deputy, localhost redirects; SBP26 consent; CIMD §8.4, §8.5; RFC 8252 §8.6; RFC 9396 §11.2; AS-48, AS-54.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from remit.clock import EpochSeconds, Seconds
from remit.guard.issuance import Applicant, Ruling, Withheld, WithheldReason, claims_of
from remit.ids import ScopeName
from remit.model import Catalog, ClientKind, ScopeDefinition, Sensitivity
from remit.oauth.authorization_request import AuthorizationRequest, Prompt
from remit.oauth.client import Client, GrantType
from remit.oauth.connections.shown import ThirdPartyShown, third_party_shown
from remit.oauth.details_in_words import DetailInWords, details_in_words
from remit.oauth.redirect_uri import displayed_host
from remit.oauth.request_store import Consent
from remit.scopes import fill
from remit.web import render

__all__ = ["ConsentView", "Option", "Unavailable", "consent_is_needed", "consent_view"]

_TEXT = "oauth/consent_text.html"

_WHY: Mapping[WithheldReason, str] = MappingProxyType(
    {
        WithheldReason.NOT_ON_SERVER: "Nothing on this server needs it.",
        WithheldReason.AGENT: "This agent may not hold it, whoever uses it.",
        WithheldReason.CLIENT: "This application was admitted without it.",
        WithheldReason.PERSON: "Your roles do not include it.",
        WithheldReason.UNFILLED: "Your account lacks the detail it is bound to.",
        WithheldReason.ENVIRONMENT: "It is for another environment than this server's.",
        WithheldReason.FORBIDDEN: "It is forbidden to every agent here.",
        WithheldReason.ELEVATED: "It is given to one call at a time, when you are asked about that call.",
        WithheldReason.TOO_MANY: "It is more than one agent may hold at once.",
        WithheldReason.ON_REQUEST: "This agent has it for a while only, once you asked for it.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One scope that the person may allow."""

    scope: ScopeName
    title: str
    description: str
    data_categories: tuple[str, ...]
    sensitivity: Sensitivity


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """One scope that was asked for and cannot be had, and why."""

    scope: ScopeName
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """All that the page says. Names and hosts of the client are its own words."""

    client_name: str
    client_host: str | None
    client_is_registered: bool
    introduced_itself: bool
    destination: str
    stays_on_device: bool
    agent_name: str
    agent_owner: str
    agent_purpose: str
    server_title: str
    server_environment: str
    organisation: str
    options: tuple[Option, ...]
    unavailable: tuple[Unavailable, ...]
    lasts: str
    idles: str
    renews: bool
    client_owner: str = ""
    """Who answers for the client here, where somebody does."""
    client_environment: str | None = None
    """The only environment the client was admitted to."""
    client_ends: str = ""
    """The day on which the client is removed, and what it was allowed with it."""
    details: tuple[DetailInWords, ...] = ()
    """When there are any, nothing else may be done, whatever is ticked."""
    third_party: ThirdPartyShown | None = None

    @property
    def text(self) -> str:
        """The part of the page that the person says yes or no to, as HTML, everything ticked."""
        return render(_TEXT, {"view": self, "ticked": self.scopes})

    @property
    def scopes(self) -> tuple[ScopeName, ...]:
        """The scopes that may be ticked."""
        return tuple(option.scope for option in self.options)

    @property
    def shown_digest(self) -> str:
        """The SHA-256 of `text`, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def consent_view(
    request: AuthorizationRequest,
    client: Client,
    applicant: Applicant,
    *,
    ruling: Ruling,
    catalog: Catalog,
) -> ConsentView:
    """What to show for `request`, of which `ruling` says what may be had."""
    agent, issuer = applicant.agent, catalog.issuer
    titles = _definitions(applicant, request, catalog)
    return ConsentView(
        client_name=client.name,
        client_host=client.host,
        client_is_registered=agent.id != catalog.unregistered.id,
        introduced_itself=client.kind is ClientKind.DYNAMIC,
        destination=displayed_host(request.back.redirect_uri),
        stays_on_device=_stays_on_device(request),
        agent_name=agent.name,
        agent_owner=agent.owner,
        agent_purpose=agent.purpose,
        server_title=request.server.title,
        server_environment=request.server.environment,
        organisation=catalog.tenants[applicant.subject.tenant].name,
        options=tuple(_option(scope, titles) for scope in ruling.scopes),
        unavailable=tuple(_unavailable(one, titles) for one in ruling.withheld),
        lasts=_in_words(issuer.grant_lifetime),
        idles=_in_words(min(issuer.refresh_token_idle, issuer.grant_lifetime)),
        renews=client.may_use(GrantType.REFRESH_TOKEN),
        client_owner=client.owner,
        client_environment=client.bounds.environment,
        client_ends="" if client.expires_at is None else _day(client.expires_at),
        details=details_in_words(request.details, request.server),
        third_party=third_party_shown(request.server),
    )


def consent_is_needed(
    remembered: Consent | None,
    request: AuthorizationRequest,
    client: Client,
    *,
    offered: tuple[ScopeName, ...],
) -> bool:
    """Whether the person has to be asked, given what they allowed this client on this server before."""
    if remembered is None or Prompt.CONSENT in request.prompt:
        return True
    if request.details:
        # They are for one purpose, and so was whatever was allowed before.
        return True
    if remembered.fingerprint != client.consented:
        return True
    if _stays_on_device(request):
        # RFC 8252 §8.6: on the person's own machine any program can play this client.
        return True
    return not set(offered) <= set(remembered.scopes)


def _stays_on_device(request: AuthorizationRequest) -> bool:
    """Whether the code goes to a program here: by loopback, or by a scheme that any app can claim."""
    return not request.back.redirect_uri.startswith("https://")


def _definitions(
    applicant: Applicant, request: AuthorizationRequest, catalog: Catalog
) -> Mapping[ScopeName, ScopeDefinition]:
    """Each scope as declared, and as it reads for this person."""
    claims = claims_of(applicant, request.server)
    found: dict[ScopeName, ScopeDefinition] = {}
    for name, definition in catalog.scopes.items():
        found[name] = definition
        filled = fill(name, claims)
        if filled is not None:
            found[filled] = definition
    return found


def _option(scope: ScopeName, titles: Mapping[ScopeName, ScopeDefinition]) -> Option:
    definition = titles.get(scope)
    if definition is None:
        return Option(
            scope=scope,
            title=scope,
            description="",
            data_categories=(),
            sensitivity=Sensitivity.LOW,
        )
    return Option(
        scope=scope,
        title=definition.title,
        description=definition.description,
        data_categories=definition.data_categories,
        sensitivity=definition.sensitivity,
    )


def _unavailable(one: Withheld, titles: Mapping[ScopeName, ScopeDefinition]) -> Unavailable:
    definition = titles.get(one.scope)
    title = one.scope if definition is None else definition.title
    return Unavailable(scope=one.scope, title=title, why=_WHY[one.reason])


def _day(at: EpochSeconds) -> str:
    instant = datetime.fromtimestamp(at, tz=UTC)
    return f"{instant.day} {instant:%B %Y}"


def _in_words(length: Seconds) -> str:
    """`length` in the largest unit that fits, rounded down: `30 days`, `1 hour`."""
    for unit, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count = length // seconds
        if count:
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "no time"
