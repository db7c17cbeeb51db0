"""Who stands behind the identifiers of a request, in the words that a person knows them by.

Read for showing alone. A client that is gone is shown by its identifier.
"""

from urllib.parse import urlsplit

from remit.approvals.page_call import Parties
from remit.approvals.request import Request
from remit.db import Transaction
from remit.identity import find_user
from remit.ids import ClientId
from remit.model import Catalog, ClientKind
from remit.oauth.client_lookup import static_client
from remit.oauth.client_store import select_client

__all__ = ["parties_of"]


def parties_of(tx: Transaction, request: Request, catalog: Catalog) -> Parties:
    """The person, and the software that speaks for the agent."""
    user = None if request.user_id is None else find_user(tx, request.user_id)
    static = static_client(catalog, request.client_id)
    name, host = (static.name, None) if static else _client(tx, request.client_id)
    return Parties(
        person=None if user is None else user.display_name,
        username=None if user is None else user.username,
        client=name,
        client_host=host,
        client_is_registered=static is not None,
    )


def _client(tx: Transaction, client_id: ClientId) -> tuple[str | None, str | None]:
    """What it calls itself, and the host that vouches for that."""
    row = select_client(tx, client_id)
    if row is None:
        return None, None
    is_document = row.kind is ClientKind.METADATA_DOCUMENT
    return row.name, urlsplit(client_id).hostname if is_document else None
