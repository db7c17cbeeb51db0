"""How lately a person must have proved who they are, for the request that waits at an address of ours.

A provider is asked for it when somebody logs in through it: else its own session, days old, would
answer a request that said `prompt=login`. Read from the request as it was stored, so that nobody can
soften it in the address of the log-in page.

Source: OpenID Connect Core §3.1.2.1 (`prompt`, `max_age`); RFC 9470 §4.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from remit.clock import Clock, Seconds
from remit.db import Database
from remit.ids import digest
from remit.oauth import request_store
from remit.oauth.authorization_request import Prompt
from remit.web import MalformedParametersError, parse_query

__all__ = ["login_freshness"]

_ANEW = frozenset({Prompt.LOGIN.value, Prompt.SELECT_ACCOUNT.value})
_LONGEST = 9
"""Digits of a `max_age`; a longer one is refused with its request."""


def login_freshness(database: Database, clock: Clock) -> Callable[[str], Awaitable[Seconds | None]]:
    """For `identity.providers.ProviderDeps.freshness`: seconds, 0 for a log-in anew, `None` for any."""

    async def freshness(return_to: str) -> Seconds | None:
        try:
            name = parse_query(urlsplit(return_to).query.encode()).one("request")
            if name is None:
                return None
            now = clock.now()
            pending = await database.read(
                lambda tx: request_store.find_request(tx, digest(name), now=now)
            )
            if pending is None:
                return None
            params = parse_query(pending.query.encode())
            prompt, max_age = params.one("prompt") or "", params.one("max_age") or ""
        except MalformedParametersError:
            return None
        if _ANEW & set(prompt.split()):
            return Seconds(0)
        is_number = max_age.isascii() and max_age.isdigit() and len(max_age) <= _LONGEST
        return Seconds(int(max_age)) if is_number else None

    return freshness
