"""Names that stand for a server and for a token: the audience of the one, the digest of the other.

Source: RFC 8707 §2 (one canonical resource identifier per server, compared exactly).
"""

from remit.ids import ServerName, digest
from remit.model import MANAGEMENT, MANAGEMENT_PATH, Server

__all__ = ["audience_of", "is_remits_own", "jti_digest", "resource_of"]


def audience_of(public_url: str, server_name: ServerName) -> str:
    """The resource identifier of a server: the URL clients use for it, without a trailing slash."""
    if server_name == MANAGEMENT.name:
        return f"{public_url.rstrip('/')}{MANAGEMENT_PATH}"
    return f"{public_url.rstrip('/')}/mcp/{server_name}"


def resource_of(public_url: str, server: Server) -> str:
    """The resource identifier of `server`: its own if it guards itself at a URL of its own, else the gateway's for it.

    Of Remit's own addresses nobody's file gives one away: else the tokens of another server would be good there.
    """
    own = server.resource_identifier
    if own is None or is_remits_own(public_url, own):
        return audience_of(public_url, server.name)
    return own


def is_remits_own(public_url: str, resource: str) -> bool:
    """Whether `resource` is what the gateway or the management API of this Remit goes by, or below it."""
    places = (audience_of(public_url, ServerName("")), audience_of(public_url, MANAGEMENT.name))
    return resource.startswith(places)


def jti_digest(jti: str) -> str:
    """What the log keeps of a token's `jti`: enough to match a token, not to make one."""
    return digest(jti)
