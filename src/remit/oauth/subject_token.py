"""A token of ours that is exchanged or that proves an actor: whether it is good, and for what.

Refuses one that is not ours, has expired or was revoked, whose grant, agent, person or
client has ended, whose server is not in the catalog, or that is bound to a key which
whoever sends it did not prove.

Source: RFC 8693 §2.1, §2.2.2; RFC 9449 §7.
"""

from remit.db import Transaction
from remit.guard.limits import is_workload
from remit.guard.standing import agent_of, is_backed
from remit.identity import find_user, subject_of
from remit.model import Server
from remit.oauth import credential_store, grant_store
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidRequestError
from remit.oauth.grant import Grant
from remit.oauth.presented_token import access_token_shown
from remit.oauth.resource_indicators import server_at
from remit.policy import Subject, SubjectKind
from remit.tokens import AccessToken

__all__ = ["live_parent", "require_good", "server_of_token", "subject_of_token", "token_of_ours"]


def token_of_ours(deps: OAuthDeps, raw: str, *, jkt: str | None) -> AccessToken | None:
    """The token, good by all that is in memory; `None` if it is not one that we signed and that lasts.

    Raises:
        InvalidRequestError: it is ours, and not good any more or not for who sends it.
    """
    token = access_token_shown(deps, raw)
    if token is not None:
        require_good(deps, token, jkt=jkt)
    return token


def require_good(deps: OAuthDeps, token: AccessToken, *, jkt: str | None) -> None:
    """Pass when everything that `token` rests on still stands, and its key was proved if it has one.

    Raises:
        InvalidRequestError: see the module.
    """
    catalog, standing = deps.directory.catalog, deps.directory.standing
    if agent_of(token, catalog) is None or not is_backed(token, standing, catalog):
        raise InvalidRequestError("the token is no longer good")
    if token.jkt is not None and token.jkt != jkt:
        raise InvalidRequestError("the token is bound to a key that was not proved")


def server_of_token(deps: OAuthDeps, token: AccessToken) -> Server:
    """The server that `token` is for.

    Raises:
        InvalidRequestError: it is gone, or elsewhere.
    """
    catalog = deps.directory.catalog
    server = server_at(token.aud, catalog=catalog, public_url=deps.public_url)
    if server is None or server.environment != token.environment:
        raise InvalidRequestError("the token is for a server that is no longer there")
    return server


def live_parent(tx: Transaction, deps: OAuthDeps, token: AccessToken) -> Grant:
    """The grant of `token`, held for this transaction: what ends it waits, and ends what is made of it.

    Raises:
        InvalidRequestError: grant or token was revoked.
    """
    now = deps.clock.now()
    grant = grant_store.use_grant(tx, token.grant_id, now=now)
    if grant is None or token.jti in credential_store.revoked_tokens(tx, now):
        raise InvalidRequestError("the token is no longer good")
    return grant


def subject_of_token(
    tx: Transaction, deps: OAuthDeps, token: AccessToken, parent: Grant
) -> Subject:
    """Whom `token` is about, as they are now.

    Raises:
        InvalidRequestError: they may not act any more, or are elsewhere.
    """
    subject: Subject | None = None
    if is_workload(token):
        subject = Subject(kind=SubjectKind.WORKLOAD, id=token.sub, tenant=token.organization_id)
    elif parent.user_id is not None:
        user = find_user(tx, parent.user_id)
        if user is not None and user.disabled_at is None:
            subject = subject_of(user, deps.directory.catalog)
    if subject is None or (subject.id, subject.tenant) != (token.sub, token.organization_id):
        raise InvalidRequestError("whoever the token is about may no longer act")
    return subject
