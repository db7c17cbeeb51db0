"""The OAuth 2.1 authorization server, and the owner of clients, consents and grants.

Refuses: whatever the standard refuses, and every widening of what a person, an agent,
a server, a guardrail or a policy allows. Source: O21; MCP 2026-07-28 authorization.
"""

from remit.oauth.client import ClientStatus
from remit.oauth.client_approval import approve_client, list_pending, reject_client
from remit.oauth.client_removal import RemovalReason, remove_client, remove_due_clients
from remit.oauth.client_renewal import renew_documents
from remit.oauth.client_standing import (
    ClientListing,
    disable_client,
    enable_client,
    list_clients,
)
from remit.oauth.client_store import StoredClient, disabled_clients
from remit.oauth.connection_store import Connection
from remit.oauth.connections.access import ThirdPartyAccess
from remit.oauth.connections.tokens import (
    ConnectionTokens,
    ConnectionUnavailableError,
    NotConnectedError,
)
from remit.oauth.connections.withdrawal import (
    connection_section,
    list_connections,
    withdraw_connection,
)
from remit.oauth.continuation import login_form_sources, login_requirements
from remit.oauth.deps import Limits, OAuthDeps
from remit.oauth.elevation_grant import (
    ElevationDetail,
    ParentEndedError,
    make_elevation_grant,
    spend_elevation_grant,
)
from remit.oauth.elevation_section import elevation_section
from remit.oauth.grant import Grant, GrantFilter, GrantKind
from remit.oauth.grant_revocation import (
    list_grants,
    revoke_grant,
    revoke_grants,
    revoked,
    revoked_tokens,
)
from remit.oauth.grant_store import find_grant
from remit.oauth.initial_access import (
    InitialAccessWanted,
    UnacceptableTokenError,
    create_initial_access_token,
    list_initial_access_tokens,
    revoke_initial_access_token,
)
from remit.oauth.initial_access_store import InitialAccessToken
from remit.oauth.login_freshness import login_freshness
from remit.oauth.onward_token import NoOnwardTokenError, OnwardToken, issue_onward_token
from remit.oauth.purge import purge_expired
from remit.oauth.remembered_consent import RememberedConsent, list_consents, withdraw_consent
from remit.oauth.request_store import Consent
from remit.oauth.resource_server import server_endpoint
from remit.oauth.routes import routes
from remit.oauth.step_up import StepUps, WaitingRequest

__all__ = [
    "ClientListing",
    "ClientStatus",
    "Connection",
    "ConnectionTokens",
    "ConnectionUnavailableError",
    "Consent",
    "ElevationDetail",
    "Grant",
    "GrantFilter",
    "GrantKind",
    "InitialAccessToken",
    "InitialAccessWanted",
    "Limits",
    "NoOnwardTokenError",
    "NotConnectedError",
    "OAuthDeps",
    "OnwardToken",
    "ParentEndedError",
    "RememberedConsent",
    "RemovalReason",
    "StepUps",
    "StoredClient",
    "ThirdPartyAccess",
    "UnacceptableTokenError",
    "WaitingRequest",
    "approve_client",
    "connection_section",
    "create_initial_access_token",
    "disable_client",
    "disabled_clients",
    "elevation_section",
    "enable_client",
    "find_grant",
    "issue_onward_token",
    "list_clients",
    "list_connections",
    "list_consents",
    "list_grants",
    "list_initial_access_tokens",
    "list_pending",
    "login_form_sources",
    "login_freshness",
    "login_requirements",
    "make_elevation_grant",
    "purge_expired",
    "reject_client",
    "remove_client",
    "remove_due_clients",
    "renew_documents",
    "revoke_grant",
    "revoke_grants",
    "revoke_initial_access_token",
    "revoked",
    "revoked_tokens",
    "routes",
    "server_endpoint",
    "spend_elevation_grant",
    "withdraw_connection",
    "withdraw_consent",
]
