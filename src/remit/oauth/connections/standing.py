"""Whether a person is connected as a server needs it, and where our page may send them if they are not.

Connected is who has tokens from the very issuer, for every scope that the repository names now, that
are good or can be renewed. Everybody else is asked, on our own page, before they are sent anywhere.

Source: MCP 2026-07-28 security best practices (confused deputy); CSP Level 3 §6.4.2; AS-52 to AS-54.
"""

from remit.clock import EpochSeconds
from remit.ids import UserId
from remit.model import Server, ThirdParty
from remit.oauth import connection_store
from remit.oauth.connection_store import Connection
from remit.oauth.connections.sealed import open_tokens
from remit.oauth.deps import OAuthDeps
from remit.tokens.issuer_metadata import IssuerMetadata, discover_authorization_server
from remit.tokens.published import IssuerUnavailableError
from remit.web import redirect_source
from remit.web.fetch import Reach

__all__ = [
    "callback_url",
    "is_connected",
    "metadata_of",
    "onward_sources",
]


def callback_url(deps: OAuthDeps, server: Server) -> str:
    """Where the third party of that server, and no other, sends the browser back."""
    return f"{deps.site.origin}/connections/{server.name}/callback"


async def is_connected(deps: OAuthDeps, server: Server, user_id: UserId) -> bool:
    """Whether that person needs to be sent nowhere before the server can be used for them."""
    party, access = server.connection, deps.third_parties
    if party is None:
        return True
    if access is None:
        return False
    known = await deps.database.read(
        lambda tx: connection_store.find_connection(tx, user_id=user_id, server=server.name)
    )
    if known is None or not _is_for(known, party):
        return False
    tokens = open_tokens(access.box, known)
    if tokens is None:
        return False
    return tokens.refresh_token is not None or _is_good(known, deps.clock.now())


async def metadata_of(deps: OAuthDeps, party: ThirdParty) -> IssuerMetadata:
    """What the third party publishes of itself.

    Raises:
        IssuerUnavailableError: it cannot be had.
    """
    if deps.third_parties is None:
        raise IssuerUnavailableError("this server knows no way to third parties")
    return await discover_authorization_server(
        deps.third_parties.published, party.issuer, reach=Reach(private=party.private_network)
    )


async def onward_sources(deps: OAuthDeps, server: Server) -> tuple[str, ...]:
    """Where the answer to the consent page may lead besides the client: the third party, if it is needed."""
    if server.connection is None:
        return ()
    try:
        metadata = await metadata_of(deps, server.connection)
    except IssuerUnavailableError:
        return ()  # nobody will be sent there
    return (redirect_source(metadata.authorization_endpoint),)


def _is_for(known: Connection, party: ThirdParty) -> bool:
    return known.issuer == party.issuer and set(party.scopes) <= set(known.scopes)


def _is_good(known: Connection, now: EpochSeconds) -> bool:
    return known.expires_at is None or now < known.expires_at
