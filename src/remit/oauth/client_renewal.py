"""Metadata documents of clients in use, looked at again by the clock.

The token endpoint never fetches a document, so a client that only refreshes would live on what
its document said when a person last came by. Those that are stale and in use are fetched here,
so that a key or a redirect URI its host has withdrawn ends what was granted before (CIMD §8.4). A
document that cannot be had changes nothing: no authorization begins with it, and the next
hour asks again.

Source: CIMD §5.2, §8.4; AS-50.
"""

import structlog

from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.errors import Error
from remit.oauth import client_store
from remit.oauth.client_id_metadata import fetch_client
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import SlowDownError

__all__ = ["renew_documents"]

_AT_ONCE = 500

_log = structlog.stdlib.get_logger("remit.oauth")


async def renew_documents(deps: OAuthDeps) -> int:
    """Fetch the stale documents of clients that may hold grants; how many could be had."""
    now = deps.clock.now()
    since = EpochSeconds(now - deps.directory.catalog.issuer.grant_lifetime)
    stale = await deps.database.read(
        lambda tx: client_store.select_stale_documents(
            tx, now=now, used_since=since, limit=_AT_ONCE
        )
    )
    renewed = 0
    for client in stale:
        try:
            await fetch_client(deps, client.client_id, known=client, context=Context())
        except SlowDownError:
            break
        except Error as error:
            _log.info("document_not_renewed", client_id=client.client_id, detail=error.detail)
        else:
            renewed += 1
    return renewed
