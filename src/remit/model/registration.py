"""Which clients may introduce themselves, on whose account, and for how long.

Source: RFC 7591 §3; CIMD §8.9; MISSION A3.
"""

from dataclasses import dataclass
from enum import StrEnum

from remit.clock import Seconds
from remit.ids import ScopeName
from remit.model.levels import Environment

__all__ = [
    "Admission",
    "AdmissionRule",
    "ClientBounds",
    "DocumentHost",
    "Registration",
    "RegistrationMode",
]


class RegistrationMode(StrEnum):
    """Who may use `/register`."""

    OPEN = "open"
    GATED = "gated"
    """Only who shows an initial access token (RFC 7591 §3)."""
    OFF = "off"


class Admission(StrEnum):
    """What happens to a client that introduces itself."""

    ADMIT = "admit"
    APPROVE = "approve"
    """It is stored, and may do nothing until an administrator says yes."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRule:
    """One rule for dynamic registration; the first that matches decides.

    One that admits matches when every redirect URI fits one of `redirect_uris`; one that
    refuses or asks for approval, when any does. Of the grant types a client wants it gets
    those listed; with an authentication method not listed it is refused. A pattern is a
    redirect URI in which the port of a loopback host may be `*`, a host may begin with `*.`
    (one label), and the path may end in `/*`.
    """

    name: str
    redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    auth_methods: tuple[str, ...] = ()
    """Empty: any."""
    scopes: tuple[ScopeName, ...] = ()
    """The most such a client may be granted, within what its agent may; empty: as its agent."""
    admission: Admission = Admission.ADMIT
    owner: str = ""
    """Who answers for the clients it admits."""
    environment: Environment | None = None
    """The only environment they may act in; `None`: those of their agent."""
    lifetime: Seconds | None = None
    """After so long the client is removed, however busy; `None`: never for this reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentHost:
    """Terms for client metadata documents on one host; `host` may begin with `*.` (any depth)."""

    host: str
    admission: Admission = Admission.ADMIT
    owner: str = ""
    environment: Environment | None = None
    max_fresh: Seconds = Seconds(86_400)
    """Fetched again after so long at the latest, whatever its HTTP headers say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Which clients may introduce themselves."""

    mode: RegistrationMode = RegistrationMode.OPEN
    metadata_documents: bool = True
    document_hosts: tuple[DocumentHost, ...] = ()
    """When not empty, only documents on these hosts are fetched."""
    redirect_uri_schemes: tuple[str, ...] = ()
    """Private-use schemes admitted besides https and loopback, such as `cursor`."""
    rules: tuple[AdmissionRule, ...] = ()
    otherwise: Admission = Admission.ADMIT
    """What becomes of a registration that no rule matches."""
    unused_lifetime: Seconds = Seconds(90 * 86_400)
    """A client that introduced itself and was not used for so long is removed."""
    removal_notice: Seconds = Seconds(14 * 86_400)
    """So long before its removal a client is listed as about to go."""
    per_hour: int = 60
    """Registrations from one network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientBounds:
    """What a client may at most be granted, within what its agent may; it holds at every issuance."""

    scopes: tuple[ScopeName, ...] = ()
    """Empty: as its agent."""
    environment: Environment | None = None
    """`None`: those of its agent."""
