"""The gateway, and what it needs of the other rooms."""

from remit.app.parts import Parts
from remit.gateway import GatewayApp, GatewayDeps, GatewaySettings, Roster

__all__ = ["open_gateway"]


def open_gateway(parts: Parts) -> GatewayApp:
    """The gateway, ready to be started."""
    settings = parts.settings
    return GatewayApp(
        GatewayDeps(
            guard=parts.guard,
            directory=parts.directory,
            upstreams=Roster(parts.stores.resolve_secret),
            settings=GatewaySettings(
                public_url=settings.issuer,
                allowed_origins=settings.allowed_origins,
                trusted_proxies=settings.trusted_proxies,
                max_request_bytes=settings.max_request_body,
                drain=settings.grace,
            ),
            clock=parts.clock,
            issuer=settings.issuer,
        )
    )
