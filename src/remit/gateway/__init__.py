"""MCP in front of the servers of the catalog, every call decided.

Two eras of the protocol, two transports to the servers behind. The caller's token
ends here; what goes on is canonical JSON under the gateway's own credential.
"""

from remit.gateway.definition_listing import Listing, list_everything
from remit.gateway.definitions import DefinitionWatch
from remit.gateway.endpoint import GatewayApp
from remit.gateway.extensions import authorization_extensions
from remit.gateway.ports import Enforcement, GatewayDeps, HandleKeys
from remit.gateway.settings import GatewaySettings
from remit.gateway.upstream.equipment import bearer
from remit.gateway.upstream.presented import CallerCredentials, ConnectionNeededError
from remit.gateway.upstream.roster import Roster, Upstreams

__all__ = [
    "CallerCredentials",
    "ConnectionNeededError",
    "DefinitionWatch",
    "Enforcement",
    "GatewayApp",
    "GatewayDeps",
    "GatewaySettings",
    "HandleKeys",
    "Listing",
    "Roster",
    "Upstreams",
    "authorization_extensions",
    "bearer",
    "list_everything",
]
