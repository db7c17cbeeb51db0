"""What becomes of a client that introduces itself, and on which terms: the rules of the repository.

The first rule that matches decides; what no rule matches is left to `otherwise`. A rule that
refuses or asks for approval speaks of any client with one redirect URI that fits it, a rule
that admits of one whose redirect URIs all do; nothing else that a client asks for takes it out
of the reach of a rule. For a metadata document the host that vouches for it decides; where
hosts are declared, the others are refused. A grant type beyond the code flow is had only where
a rule lists it.
Nothing here reads a name or anything else that a client merely says of itself. A refusal
names the rule, so that whoever runs the client knows whom to ask for what.

Source: RFC 7591 §3, §5; CIMD §8.9; MISSION A3.
"""

from dataclasses import dataclass

from remit.clock import Seconds
from remit.ids import ScopeName
from remit.model import Admission, AdmissionRule, DocumentHost, Environment, Registration
from remit.oauth.client import GrantType
from remit.oauth.client_metadata import ClientMetadata
from remit.oauth.errors import InvalidClientMetadataError, InvalidRedirectUriError
from remit.oauth.redirect_uri_pattern import fits_pattern

__all__ = ["ORDINARY_GRANTS", "Terms", "terms_of_document", "terms_of_registration"]

ORDINARY_GRANTS = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
"""What a client may have without a rule that lists it."""

_MAX_FRESH = Seconds(86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms a client comes in, or why it does not. `rule` names who says so."""

    admission: Admission
    rule: str | None = None
    owner: str = ""
    environment: Environment | None = None
    scopes: tuple[ScopeName, ...] = ()
    lifetime: Seconds | None = None
    grant_types: tuple[GrantType, ...] = ORDINARY_GRANTS
    """The grants it may have; what it asks for beyond is left out."""
    max_fresh: Seconds = _MAX_FRESH


def terms_of_registration(registration: Registration, metadata: ClientMetadata) -> Terms:
    """The terms for a client that registers with `metadata`.

    Raises:
        InvalidRedirectUriError: no rule speaks of one of its redirect URIs, and one would have to.
        InvalidClientMetadataError: a rule refuses it, or how it would prove itself, or every
            grant type it wants; or none admits it.
    """
    for rule in registration.rules:
        if _matches(rule, metadata):
            return _terms_of_rule(rule, metadata)
    if registration.otherwise is Admission.REFUSE:
        _refuse_without_rule(registration, metadata)
    grants = tuple(grant for grant in metadata.grant_types if grant in ORDINARY_GRANTS)
    return Terms(admission=registration.otherwise, grant_types=grants)


def terms_of_document(registration: Registration, host: str) -> Terms:
    """The terms for a metadata document on `host`; its `admission` may be a refusal."""
    if not registration.metadata_documents:
        return Terms(admission=Admission.REFUSE)
    declared = _declared_host(registration, host)
    if declared is None:
        unlisted = Admission.REFUSE if registration.document_hosts else Admission.ADMIT
        return Terms(admission=unlisted)
    return Terms(
        admission=declared.admission,
        rule=declared.host,
        owner=declared.owner,
        environment=declared.environment,
        max_fresh=declared.max_fresh,
    )


def _matches(rule: AdmissionRule, metadata: ClientMetadata) -> bool:
    """Whether `rule` decides about this client."""
    fitting = [
        any(fits_pattern(uri, pattern) for pattern in rule.redirect_uris)
        for uri in metadata.redirect_uris
    ]
    # Attack: one more redirect URI, or a grant type, by which a client escapes the rule against it.
    return all(fitting) if rule.admission is Admission.ADMIT else any(fitting)


def _terms_of_rule(rule: AdmissionRule, metadata: ClientMetadata) -> Terms:
    """The terms of the rule that decides.

    Raises:
        InvalidClientMetadataError: it refuses the client, its method, or all its grant types.
    """
    if rule.admission is Admission.REFUSE:
        raise InvalidClientMetadataError(f"the rule `{rule.name}` refuses this client")
    method = metadata.token_endpoint_auth_method.value
    if rule.auth_methods and method not in rule.auth_methods:
        raise InvalidClientMetadataError(
            f"the rule `{rule.name}` does not take `token_endpoint_auth_method` `{method}`"
        )
    grants = tuple(grant for grant in metadata.grant_types if grant.value in rule.grant_types)
    if not set(grants) - {GrantType.REFRESH_TOKEN}:
        raise InvalidClientMetadataError(
            f"the rule `{rule.name}` lists no grant type that this client wants"
        )
    return Terms(
        admission=rule.admission,
        rule=rule.name,
        owner=rule.owner,
        environment=rule.environment,
        scopes=rule.scopes,
        lifetime=rule.lifetime,
        grant_types=grants,
    )


def _declared_host(registration: Registration, host: str) -> DocumentHost | None:
    """The host itself before any wildcard; then the wildcard that says most."""
    fitting = [one for one in registration.document_hosts if _covers_host(one.host, host)]
    return max(fitting, key=lambda one: (one.host == host, len(one.host)), default=None)


def _covers_host(declared: str, host: str) -> bool:
    if declared.startswith("*."):
        return host.endswith(declared.removeprefix("*")) and len(host) >= len(declared)
    return declared == host


def _refuse_without_rule(registration: Registration, metadata: ClientMetadata) -> None:
    patterns = [pattern for rule in registration.rules for pattern in rule.redirect_uris]
    for uri in metadata.redirect_uris:
        if not any(fits_pattern(uri, pattern) for pattern in patterns):
            raise InvalidRedirectUriError(f"no rule admits redirect URI `{uri[:120]}`")
    raise InvalidClientMetadataError("no rule admits this client")
