"""Log-in through OpenID providers: Remit as a relying party, several providers at once.

Refuses: every answer that is not, byte for byte, the answer of the provider that was asked, to the
log-in that this browser began, about the person who sits there.
Source: OpenID Connect Core §3.1; RFC 9207; RFC 9700.
"""

from remit.identity.provider_store import ExternalIdentity, purge_provider_logins
from remit.identity.providers.asked_anew import (
    AskedAnew,
    PersonUnconfirmedError,
    ProviderSilentError,
)
from remit.identity.providers.deps import Freshness, PostForm, ProviderDeps
from remit.identity.providers.linking import (
    LINK_FORM,
    identity_section,
    link_identity,
    list_identities,
    unlink_identity,
)
from remit.identity.providers.pages import routes
from remit.identity.providers.refusal_page import provider_path
from remit.identity.providers.token_endpoint import (
    ForeignTokens,
    OwnCredentials,
    TokenRequestError,
    authorized,
    request_tokens,
    secret_of,
)

__all__ = [
    "LINK_FORM",
    "AskedAnew",
    "ExternalIdentity",
    "ForeignTokens",
    "Freshness",
    "OwnCredentials",
    "PersonUnconfirmedError",
    "PostForm",
    "ProviderDeps",
    "ProviderSilentError",
    "TokenRequestError",
    "authorized",
    "identity_section",
    "link_identity",
    "list_identities",
    "provider_path",
    "purge_provider_logins",
    "request_tokens",
    "routes",
    "secret_of",
    "unlink_identity",
]
