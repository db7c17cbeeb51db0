"""MCP in front of the servers of the catalog, every call decided.

Two eras of the protocol, two transports to the servers behind. The caller's token
ends here; what goes on is canonical JSON under the gateway's own credential.
"""

from remit.gateway.definition_listing import Listing, list_everything
from remit.gateway.definitions import DefinitionWatch
from remit.gateway.endpoint import GatewayApp
from remit.gateway.ports import Enforcement, GatewayDeps, HandleKeys
from remit.gateway.settings import GatewaySettings
from remit.gateway.upstream.roster import Roster, Upstreams

__all__ = [
    "DefinitionWatch",
    "Enforcement",
    "GatewayApp",
    "GatewayDeps",
    "GatewaySettings",
    "HandleKeys",
    "Listing",
    "Roster",
    "Upstreams",
    "list_everything",
]
