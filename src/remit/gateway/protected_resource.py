"""Protected resource metadata: where a client learns which authorization server to ask.

One document per server, at the path that RFC 9728 derives from the server's URL. It
asks for the least scopes that are of use. Public, and the same for everybody.

Source: RFC 9728 §2, §3; MCP 2026-07-28 authorization (discovery, scope minimisation).
"""

from urllib.parse import urlsplit

from remit.canonical import JsonObject
from remit.gateway.http import Exchange
from remit.gateway.origin import preflight_headers
from remit.gateway.rejection import RejectedError
from remit.model import Server
from remit.tokens.audience import resource_of
from remit.tokens.dpop import DPOP_ALGORITHMS

__all__ = ["METADATA_PREFIX", "answer_metadata", "metadata_document", "metadata_url"]

_WELL_KNOWN = "/.well-known/oauth-protected-resource"
METADATA_PREFIX = f"{_WELL_KNOWN}/mcp/"
_ANYONE = ((b"access-control-allow-origin", b"*"),)
_CACHED = (b"cache-control", b"public, max-age=300")


def metadata_url(public_url: str, server: Server) -> str:
    """Where the document of `server` stands; what a challenge points to."""
    own = resource_of(public_url, server)
    if own == server.resource_identifier:
        # RFC 9728 §3.1: before the path of the identifier.
        parts = urlsplit(own)
        return f"{parts.scheme}://{parts.netloc}{_WELL_KNOWN}{parts.path}"
    return f"{public_url.rstrip('/')}{METADATA_PREFIX}{server.name}"


def metadata_document(server: Server, *, public_url: str, issuer: str) -> JsonObject:
    """The metadata of `server`. `resource` is, to the byte, the URL that clients use."""
    document: JsonObject = {
        "resource": resource_of(public_url, server),
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": [*DPOP_ALGORITHMS],
        "resource_name": server.title,
    }
    if server.dpop_required:
        document["dpop_bound_access_tokens_required"] = True
    if server.baseline_scopes:
        document["scopes_supported"] = [*server.baseline_scopes]
    return document


async def answer_metadata(exchange: Exchange, document: JsonObject) -> None:
    """Answer a request for the document; any page may read it."""
    exchange.extra = _ANYONE
    match exchange.method:
        case "GET" | "HEAD":
            await exchange.answer_json(200, document, (_CACHED,))
        case "OPTIONS":
            await exchange.answer(204, headers=preflight_headers(b"GET"))
        case _:
            raise RejectedError(405, "only GET is answered here").with_header(
                b"allow", b"GET, HEAD, OPTIONS"
            )
