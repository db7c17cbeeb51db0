"""Names that stand for a server and for a token: the audience of the one, the digest of the other.

Source: RFC 8707 §2 (one canonical resource identifier per server, compared exactly).
"""

from remit.ids import ServerName, digest
from remit.model import MANAGEMENT, MANAGEMENT_PATH, Server

__all__ = ["audience_of", "jti_digest", "resource_of"]


def audience_of(public_url: str, server_name: ServerName) -> str:
    """The resource identifier of a server: the URL clients use for it, without a trailing slash."""
    if server_name == MANAGEMENT.name:
        return f"{public_url.rstrip('/')}{MANAGEMENT_PATH}"
    return f"{public_url.rstrip('/')}/mcp/{server_name}"


def resource_of(public_url: str, server: Server) -> str:
    """The resource identifier of `server`: its own if it guards itself at a URL of its own, else the gateway's for it."""
    return server.resource_identifier or audience_of(public_url, server.name)


def jti_digest(jti: str) -> str:
    """What the log keeps of a token's `jti`: enough to match a token, not to make one."""
    return digest(jti)
