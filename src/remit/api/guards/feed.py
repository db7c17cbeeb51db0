"""What is in force, said to a guard the moment it changes, and otherwise every so often that it is still so.

A guard names the version it has and waits. It is answered when there is another, or when it has waited as
long as it asked for; either way with a statement that is signed for its very question, and with the
snapshot itself where that is another. So a revocation is known to every guard as soon as to this process.

Source: docs/adr/0017-guard-in-process.md.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from remit.api.guards.excerpt import ExcerptDeps, Ingredients, ingredients, snapshot_of
from remit.audit.redact import Redactor
from remit.clock import Clock, Seconds
from remit.guard.ports import Directory
from remit.guard.snapshot import snapshot_bytes, version_of
from remit.guard.statement import Statement, sign_statement
from remit.ids import ServerName
from remit.model import Server
from remit.policy import DecisionPoint
from remit.tokens import KeySet

__all__ = ["Feed", "Question"]

_LOOKS_EVERY = 0.5
"""Seconds: what changes without being told is seen by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A guard asks: `after` is the version that it has, `wait` for how many seconds it would wait."""

    nonce: str
    instance: str
    release: str
    after: str
    wait: float


@dataclass(frozen=True, slots=True)
class _Made:
    """The snapshot of one server, as bytes, and what it was made of."""

    server: Server
    made_of: Ingredients
    content: bytes
    version: str


class Feed:
    """Makes snapshots of what is in force, and keeps the last of each server. Lives in one event loop."""

    def __init__(
        self,
        directory: Directory,
        decisions: DecisionPoint,
        keys: KeySet,
        *,
        deps: ExcerptDeps,
        redactor: Redactor,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._decisions = decisions
        self._keys = keys
        self._deps = deps
        self._redactor = redactor
        self._clock = clock
        self._made: dict[ServerName, _Made] = {}
        self._news = asyncio.Event()

    def tell(self) -> None:
        """Let everybody who waits look again; to be called, in the loop's thread, when something changed."""
        self._news.set()
        self._news = asyncio.Event()

    async def answer(
        self, server: Server, question: Question, *, until: Callable[[], bool]
    ) -> bytes:
        """The answer to a guard inside `server`, at the latest when `until` says so.

        Raises:
            NoSigningKeyError: nothing can be signed at present.
        """
        ends = self._clock.monotonic() + question.wait
        while True:
            made = self._current(server)
            left = ends - self._clock.monotonic()
            if made.version != question.after or left <= 0 or until():
                break
            try:
                async with asyncio.timeout(min(left, _LOOKS_EVERY)):
                    await self._news.wait()
            except TimeoutError:
                continue
        statement = self._signed(made, question.nonce)
        return statement if made.version == question.after else statement + b"\n" + made.content

    def _signed(self, made: _Made, nonce: str) -> bytes:
        now = self._clock.now()
        age = max(0, now - self._directory.standing.as_of)
        statement = Statement(
            issuer=self._deps.issuer,
            server=made.server.name,
            nonce=nonce,
            version=made.version,
            age=Seconds(age),
        )
        return sign_statement(statement, self._keys.signing_at(now))

    def _current(self, server: Server) -> _Made:
        made_of = ingredients(self._directory, self._decisions.engine, self._keys)
        known = self._made.get(server.name)
        # The catalog's own word, not the one that was read when the guard began to wait.
        declared = made_of.catalog.servers.get(server.name, server)
        if known is not None and known.made_of.is_same(made_of):
            return known
        # A key of its own for each server: who has it can test guesses against this server's records alone.
        key = self._redactor.digest("guard", tenant=f"server:{server.name}")
        seal = self._redactor.record_seal
        snapshot = snapshot_of(
            declared,
            made_of,
            self._deps,
            redaction_key=key,
            seal_key="" if seal is None else seal.key_for(server.name).hex(),
        )
        content = snapshot_bytes(snapshot)
        made = _Made(declared, made_of, content, version_of(content))
        self._made[server.name] = made
        return made
