"""How a guard keeps up: it asks, waits for the answer, believes what it can verify, and asks again.

Each question has a nonce of its own. What comes back is believed if its statement is signed by a key of
Remit's, is about this server, answers this very question, and names the bytes beside it. Keys are first
learned from the address that the operator gave, over TLS; then each snapshot brings the next. What is not
believed changes nothing: what is in force stays, and ages. The issuer stays what it first was.
"""

import asyncio
import hmac
import logging
import random
import secrets
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from remit.canonical import JsonObject
from remit.clock import Clock
from remit.embedded.directory import Heard
from remit.embedded.remit_door import RemitDoor
from remit.errors import Error
from remit.guard.snapshot import PublicKey, Snapshot, read_snapshot, version_of
from remit.guard.statement import (
    BadStatementError,
    Statement,
    UnknownKeyError,
    verify_statement,
)

__all__ = ["ForeignSnapshotError", "SnapshotFeed"]

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_BREATH: Final = 0.05
"""Seconds between an answer and the next question: a Remit that does not wait, or lies, is not asked without end."""
_WAIT: Final = 10
"""Seconds for which Remit may wait for news; a lease is some times longer."""

_log = logging.getLogger("remit.guard")


class ForeignSnapshotError(Error):
    """The snapshot is not for this guard."""

    code: ClassVar[str] = "foreign_snapshot"


class SnapshotFeed:
    """Asks for the snapshot of `name`. `take` puts one in force, `renew` hears that nothing has changed."""

    def __init__(
        self,
        door: RemitDoor,
        *,
        name: str,
        instance: str,
        release: str,
        clock: Clock,
    ) -> None:
        self._door = door
        self._name = name
        self._instance = instance
        self._release = release
        self._clock = clock
        self._keys: tuple[PublicKey, ...] = ()
        self._issuer: str | None = None
        self._version = ""
        self._failing = False

    async def run(
        self,
        take: Callable[[Snapshot, Heard], Awaitable[None]],
        renew: Callable[[Heard], None],
    ) -> None:
        """Ask for ever. The root of a task: what fails is said once, and tried again."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._once(take, renew)
            except Exception as error:  # noqa: BLE001  the root of a task: what is known ages, and then denies
                self._failed(error)
                # Not all at once when Remit is back.
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  guards nothing
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self._recovered()
                pause = _FIRST_PAUSE
                await asyncio.sleep(_BREATH)

    async def _once(
        self,
        take: Callable[[Snapshot, Heard], Awaitable[None]],
        renew: Callable[[Heard], None],
    ) -> None:
        """Ask once, and put in force what is believed.

        Raises:
            Error: there was no answer, or it is not to be believed.
        """
        nonce = secrets.token_urlsafe(24)
        question: JsonObject = {
            "nonce": nonce,
            "instance": self._instance,
            "release": self._release,
            "after": self._version,
            "wait": _WAIT if self._version else 0,
        }
        # INVARIANT: taken before the question is sent. Remit answers for no moment before that, but it may
        # answer late, and the answer speaks for the moment it was made: the lease is the shorter for it.
        asked = Heard(self._clock)
        answer = await self._door.snapshot(question, wait=_WAIT)
        line, _, content = answer.partition(b"\n")
        statement = await self._believed(line, nonce)
        heard = asked.less(statement.age)
        if not content:
            if not hmac.compare_digest(statement.version, self._version):
                raise BadStatementError("the statement names a snapshot that is not here")
            renew(heard)
            return
        if not hmac.compare_digest(statement.version, version_of(content)):
            raise BadStatementError("the snapshot is not the one that the statement names")
        snapshot = await asyncio.to_thread(read_snapshot, content)
        self._require_own(snapshot, statement)
        await take(snapshot, heard)
        # INVARIANT: only what is in force has a name here. Else the same question would not bring it again.
        self._keys, self._issuer, self._version = (
            snapshot.keys,
            snapshot.issuer,
            statement.version,
        )

    async def _believed(self, line: bytes, nonce: str) -> Statement:
        try:
            return verify_statement(line, self._keys, nonce=nonce)
        except UnknownKeyError:
            # At the start none is known; later, after a compromise, none of the old ones is good.
            published = _keys_in(await self._door.public_keys())
            return verify_statement(line, published, nonce=nonce)

    def _require_own(self, snapshot: Snapshot, statement: Statement) -> None:
        if snapshot.server != self._name or statement.server != self._name:
            raise ForeignSnapshotError("the snapshot is that of another server")
        if snapshot.issuer != statement.issuer or self._issuer not in {None, snapshot.issuer}:
            raise ForeignSnapshotError("the snapshot is of another issuer")

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            detail = error.detail if isinstance(error, Error) else type(error).__name__
            _log.error("nothing is heard from remit: %s", detail)

    def _recovered(self) -> None:
        if self._failing:
            self._failing = False
            _log.warning("remit is heard again")


def _keys_in(jwks: JsonObject) -> tuple[PublicKey, ...]:
    """The P-256 keys of a JWK set."""
    found = jwks.get("keys")
    keys: list[PublicKey] = []
    for jwk in found if isinstance(found, list) else ():
        if not isinstance(jwk, dict):
            continue
        kid, x, y = jwk.get("kid"), jwk.get("x"), jwk.get("y")
        if isinstance(kid, str) and isinstance(x, str) and isinstance(y, str):
            keys.append(PublicKey(kid=kid, x=x, y=y))
    return tuple(keys)
