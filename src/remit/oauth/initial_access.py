"""Initial access tokens: who may register a client where not everybody may.

An administrator makes one for somebody who answers for the clients registered with it; so
many times, for so long, perhaps for one environment. Refuses one that is unknown, spent,
expired or revoked, all in the same words. A use is spent in the transaction that
stores the client, so a registration that is refused costs none. The secret is shown once.

Source: RFC 7591 §3, §3.1; RFC 6750 §2.1, §3.1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from remit.audit.context import Context
from remit.audit.events import InitialAccessTokenCreated, InitialAccessTokenRevoked
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.errors import ConflictError, Error, NotFoundError
from remit.ids import digest, new_id, new_secret
from remit.model import Catalog, Environment
from remit.oauth import initial_access_store
from remit.oauth.errors import InvalidInitialAccessTokenError, InvalidRequestError
from remit.oauth.initial_access_store import InitialAccessToken

__all__ = [
    "InitialAccessWanted",
    "UnacceptableTokenError",
    "create_initial_access_token",
    "find_initial_access_token",
    "list_initial_access_tokens",
    "presented_token",
    "revoke_initial_access_token",
    "spend_initial_access_token",
]

_PREFIX: Final = "rmt_iat_"
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]+=*) *")
_MAX_HEADER = 1_024
_MAX_USES = 10_000
_MIN_LIFETIME = Seconds(60)
_MAX_LIFETIME = Seconds(366 * 86_400)
_MAX_TEXT = 200
_UNUSABLE = "the initial access token is unknown, expired, revoked or used up"


class UnacceptableTokenError(Error):
    """No such token is made: `detail` says what is wrong with it."""

    code = "invalid_initial_access_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialAccessWanted:
    """A token that an administrator wants made."""

    owner: str
    """Who answers for the clients: a person's or a team's address."""
    environment: Environment | None = None
    note: str = ""
    uses: int = 1
    lifetime: Seconds = Seconds(86_400)


def create_initial_access_token(
    tx: Transaction,
    wanted: InitialAccessWanted,
    *,
    catalog: Catalog,
    now: EpochSeconds,
    context: Context,
) -> tuple[InitialAccessToken, str]:
    """The token, and its secret, which is nowhere else.

    Raises:
        UnacceptableTokenError: no owner, an environment nobody declared, or out of bounds.
    """
    _check(wanted, catalog)
    secret = new_secret(_PREFIX)
    token = InitialAccessToken(
        id=new_id("iat"),
        owner=wanted.owner.strip(),
        environment=wanted.environment,
        note=wanted.note.strip(),
        created_by=context.actor.id or context.actor.type.value,
        created_at=now,
        expires_at=EpochSeconds(now + wanted.lifetime),
        uses_left=wanted.uses,
    )
    initial_access_store.add_token(tx, token, secret_digest=digest(secret))
    tx.record(
        InitialAccessTokenCreated(
            context=context,
            token_id=token.id,
            owner=token.owner,
            environment=token.environment,
            uses=token.uses_left,
            expires=token.expires_at,
        )
    )
    return token, secret


def list_initial_access_tokens(tx: Transaction) -> tuple[InitialAccessToken, ...]:
    """Every token, good or not, newest first; never a secret."""
    return initial_access_store.select_tokens(tx)


def revoke_initial_access_token(
    tx: Transaction, token_id: str, *, reason: str, now: EpochSeconds, context: Context
) -> InitialAccessToken:
    """End a token before its time. The clients it registered stay.

    Raises:
        NotFoundError: there is no such token.
        ConflictError: it was revoked before.
    """
    ended = initial_access_store.mark_revoked(tx, token_id, at=now)
    if ended is None:
        if initial_access_store.select_token(tx, token_id) is None:
            raise NotFoundError("there is no such initial access token")
        raise ConflictError("the initial access token is revoked already")
    tx.record(InitialAccessTokenRevoked(context=context, token_id=token_id, reason=reason))
    return ended


def presented_token(authorization: Sequence[str], *, required: bool) -> str | None:
    """The initial access token that a registration shows.

    Where none is `required`, anything that is no token of ours is passed over: clients
    send headers of their own to a door that is open.

    Raises:
        InvalidRequestError: there is more than one header.
        InvalidInitialAccessTokenError: one is required, and none or something else is shown.
    """
    if len(authorization) > 1:
        raise InvalidRequestError("more than one authorization header")
    header = authorization[0] if authorization else ""
    bearer = _BEARER.fullmatch(header) if len(header) <= _MAX_HEADER else None
    if bearer is not None and (required or bearer[1].startswith(_PREFIX)):
        return bearer[1]
    if required:
        is_bearer = header[:6].lower() == "bearer"
        words = _UNUSABLE if is_bearer else "an initial access token is required to register here"
        raise InvalidInitialAccessTokenError(words, presented=is_bearer)
    return None


def find_initial_access_token(
    tx: Transaction, secret: str, *, now: EpochSeconds
) -> InitialAccessToken:
    """The token that `secret` is, if a client could be registered with it now; no use is spent.

    Raises:
        InvalidInitialAccessTokenError: it could not.
    """
    token = initial_access_store.find_usable_token(tx, digest(secret), now=now)
    if token is None:
        raise InvalidInitialAccessTokenError(_UNUSABLE)
    return token


def spend_initial_access_token(
    tx: Transaction, secret: str, *, now: EpochSeconds
) -> InitialAccessToken:
    """The token that `secret` is, one use less left on it.

    Raises:
        InvalidInitialAccessTokenError: it has none left, or ended meanwhile.
    """
    token = initial_access_store.spend_use(tx, digest(secret), now=now)
    if token is None:
        raise InvalidInitialAccessTokenError(_UNUSABLE)
    return token


def _check(wanted: InitialAccessWanted, catalog: Catalog) -> None:
    for name, text in (("owner", wanted.owner), ("note", wanted.note)):
        if len(text) > _MAX_TEXT or not text.isprintable():
            raise UnacceptableTokenError(
                f"`{name}` is a line of at most {_MAX_TEXT} printable characters"
            )
    if not wanted.owner.strip():
        raise UnacceptableTokenError("somebody has to answer for the clients: `owner` is empty")
    if wanted.environment is not None and wanted.environment not in catalog.environments:
        raise UnacceptableTokenError(f"there is no environment `{wanted.environment[:64]}`")
    if not 1 <= wanted.uses <= _MAX_USES:
        raise UnacceptableTokenError(f"`uses` is a number from 1 to {_MAX_USES}")
    if not _MIN_LIFETIME <= wanted.lifetime <= _MAX_LIFETIME:
        raise UnacceptableTokenError("`lifetime` is from a minute to 366 days")
