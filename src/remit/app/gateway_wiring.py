"""The gateway, and what it needs of the other rooms."""

from collections.abc import Awaitable, Callable

from remit.api.access_tools import OWN_URL, AccessTools
from remit.app.parts import Parts
from remit.app.seal import Seal, SealedRoster
from remit.approvals.answered import DatabaseAnswers
from remit.clock import Seconds
from remit.embedded.in_process import InProcess
from remit.errors import UnavailableError
from remit.gateway import (
    CallerCredentials,
    DefinitionWatch,
    GatewayApp,
    GatewayDeps,
    GatewaySettings,
    Listing,
    authorization_extensions,
)
from remit.model import Server

__all__ = ["listing_of", "open_gateway"]


def open_gateway(parts: Parts, seal: Seal, credentials: CallerCredentials) -> GatewayApp:
    """The gateway, ready to be started. While `seal` is closed no call leaves it; `credentials` are those of callers."""
    settings = parts.settings
    own = InProcess(AccessTools(parts.access, parts.verifier, parts.clock), "/mcp")
    upstreams = SealedRoster(
        parts.stores.resolve_secret,
        seal,
        credentials=credentials,
        requests_to=lambda url: own if url == OWN_URL else None,
    )
    return GatewayApp(
        GatewayDeps(
            guard=parts.guard,
            directory=parts.directory,
            upstreams=upstreams,
            settings=GatewaySettings(
                public_url=settings.issuer,
                allowed_origins=settings.allowed_origins,
                trusted_proxies=settings.trusted_proxies,
                max_request_bytes=settings.max_request_body,
                drain=settings.grace,
            ),
            clock=parts.clock,
            issuer=settings.issuer,
            keys=parts.stores.handle_keys,
            authorization_extensions=lambda: authorization_extensions(parts.directory.catalog),
            definitions=DefinitionWatch(
                upstreams,
                parts.directory,
                parts.definitions.take,
                interval=Seconds(settings.definitions_interval),
                clock=parts.clock,
            ),
            answers=DatabaseAnswers(parts.stores.database, parts.clock),
        )
    )


def listing_of(gateway: GatewayApp) -> Callable[[Server], Awaitable[Listing]]:
    """What asks a server for all that it offers."""

    async def listing(server: Server) -> Listing:
        if gateway.definitions is None:
            raise UnavailableError("this process asks no servers")
        return await gateway.definitions.listing(server)

    return listing
