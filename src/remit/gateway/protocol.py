"""The two eras of the protocol, and the words that tell them apart.

Modern requests stand alone: version and capabilities travel in `params._meta`, and
there is no session. Legacy requests belong to a session that `initialize` opened.
The body decides which it is; a header that disagrees is refused, never believed.

Source: MCP 2026-07-28 versioning, transports; MCP 2025-11-25 lifecycle, transports.
"""

from enum import StrEnum

from remit.gateway.jsonrpc import Message, Notification, Request

__all__ = [
    "CAPABILITIES_KEY",
    "CLIENT_INFO_KEY",
    "DEFAULT_LEGACY_VERSION",
    "LATEST_LEGACY_VERSION",
    "LEGACY_VERSIONS",
    "LOG_LEVEL_KEY",
    "MODERN_VERSIONS",
    "SERVER_INFO_KEY",
    "SUBSCRIPTION_KEY",
    "VERSION_KEY",
    "Era",
    "era_of",
]

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
CLIENT_INFO_KEY = "io.modelcontextprotocol/clientInfo"
LOG_LEVEL_KEY = "io.modelcontextprotocol/logLevel"
SERVER_INFO_KEY = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION_KEY = "io.modelcontextprotocol/subscriptionId"

MODERN_VERSIONS = ("2026-07-28",)
LEGACY_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
LATEST_LEGACY_VERSION = "2025-11-25"
DEFAULT_LEGACY_VERSION = "2025-03-26"
"""What a legacy request without a version header speaks, unless its session negotiated another."""


class Era(StrEnum):
    MODERN = "modern"
    LEGACY = "legacy"


def era_of(message: Message, version_header: str | None) -> Era:
    """Which rules judge `message`.

    Modern, if the body carries a version in `params._meta` or the header names
    anything but a legacy version: what is unknown meets the stricter rules.
    """
    if isinstance(message, Request | Notification):
        meta = message.params.get("_meta") if message.params else None
        if isinstance(meta, dict) and VERSION_KEY in meta:
            return Era.MODERN
    if version_header is None or version_header in LEGACY_VERSIONS:
        return Era.LEGACY
    return Era.MODERN
