"""Before a refresh: whoever vouched for the person of its grant is asked again.

Nobody is asked for a token that is of no use to whoever sends it: one that is unknown, spent,
expired, of a grant that has ended, or another client's. No transaction is open meanwhile.

Source: MISSION A7, B3; RFC 6749 §6.
"""

from remit.db import Transaction
from remit.identity.providers import PersonUnconfirmedError, ProviderSilentError
from remit.ids import digest
from remit.oauth import credential_store, grant_store
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError, TemporarilyUnavailableError
from remit.oauth.grant import Grant
from remit.oauth.grant_revocation import about_grant
from remit.oauth.refusal import refusals_in
from remit.oauth.token_request import TokenRequest

__all__ = ["confirm_person"]


async def confirm_person(deps: OAuthDeps, request: TokenRequest) -> None:
    """Let the roles and attributes of the person behind the refresh token be those of now.

    Raises:
        TokenRefusalError: nobody vouches for the person any more (`invalid_grant`), or cannot
            be asked now (`temporarily_unavailable`). The refresh token is not spent.
    """
    grant = await deps.database.read(lambda tx: _grant_of(tx, deps, request))
    if grant is None or grant.user_id is None:
        return
    context = about_grant(request.context, grant)
    with refusals_in(context):
        try:
            await deps.confirm(grant.user_id, context)
        except PersonUnconfirmedError as error:
            raise InvalidGrantError(error.detail, cause=error) from error
        except ProviderSilentError as error:
            raise TemporarilyUnavailableError(error.detail, cause=error) from error


def _grant_of(tx: Transaction, deps: OAuthDeps, request: TokenRequest) -> Grant | None:
    secret, now = request.form.one("refresh_token"), deps.clock.now()
    token = None if secret is None else credential_store.find_refresh_token(tx, digest(secret))
    if token is None or token.used_at is not None or token.expires_at <= now:
        return None
    grant = grant_store.find_grant(tx, token.grant_id)
    if grant is None or not grant.is_live(now):
        return None
    return grant if grant.client_id == request.known_client.client_id else None
