"""Has witnesses sign what the log has come to, every few seconds, and keeps their signatures beside it.

Nothing waits for it: a witness that is gone, slow or wrong delays and refuses no call. That one is gone, or contradicts
the log, is an event, once; and so is that it is back. A checkpoint of a log that does not grow is signed
anew after a while, so that whoever checks knows that nothing was hidden since.

Source: AUDIT §1.4, §1.8 (checkpoint to witness within 5 s).
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import WitnessLost, WitnessRecovered
from remit.audit.port import AuditLog, AuditUnavailableError
from remit.audit.source import RecordSource
from remit.audit.tiled_logs import TiledLogs
from remit.clock import Clock
from remit.errors import Error
from remit.model import AuditRules, Witness
from remit.witness.asking import ContradictedError, Post, cosigned
from remit_audit_verify.cosignature import WitnessKey
from remit_audit_verify.note import parse_checkpoint

__all__ = ["INTERVAL", "WitnessState", "Witnessing", "WitnessingDeps"]

_log = structlog.stdlib.get_logger("remit.witness")

INTERVAL: Final = 2.0
"""Seconds between two looks at what the logs have come to."""
_ANEW: Final = 300.0
"""Seconds after which a checkpoint is signed again, though the log has not grown."""
_PATIENCE: Final = 3
"""So many times in a row a witness may fail before that is an event."""
_PAUSES: Final = (0.0, 2.0, 5.0, 15.0, 30.0, 60.0)


@dataclass(slots=True)
class WitnessState:
    """What is known of one witness about one log."""

    seen: int = 0
    at: float | None = None
    failures: int = 0
    since: float = 0.0
    not_before: float = 0.0
    lost: str | None = None
    """Why it is lost, while it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessingDeps:
    """What it stands on. `keep` stores a note with cosignatures for a log; `post` leads to a witness's URL."""

    source: RecordSource
    tiled: TiledLogs
    logs: Callable[[], Iterable[str]]
    """The logs that this process answers for."""
    rules: Callable[[], AuditRules]
    keep: Callable[[str, str], None]
    post: Callable[[str], Post]
    audit: AuditLog
    clock: Clock


class Witnessing:
    """Asks the witnesses that are declared about the logs of this process."""

    def __init__(self, deps: WitnessingDeps) -> None:
        self._deps = deps
        self._states: dict[tuple[str, str], WitnessState] = {}
        self._signatures: dict[str, tuple[str, dict[str, str]]] = {}

    def states(self) -> dict[tuple[str, str], WitnessState]:
        """By log and witness; of those that are declared and were asked."""
        return dict(self._states)

    def lost(self) -> int:
        """How many witnesses are lost, over all logs."""
        return sum(state.lost is not None for state in self._states.values())

    async def look(self) -> None:
        """Ask every witness that is due about every log, all at once.

        Raises:
            NotFoundError, OSError: the logs cannot be read.
        """
        witnesses = self._deps.rules().witnesses
        declared = {(log, one.name) for log in self._deps.logs() for one in witnesses}
        for gone in self._states.keys() - declared:
            del self._states[gone]
        for log in sorted({log for log, _ in declared}):
            await self._about(log, witnesses)

    async def _about(self, log: str, witnesses: tuple[Witness, ...]) -> None:
        note = await asyncio.to_thread(self._deps.source.checkpoint, log)
        if note is None:
            return
        signed = parse_checkpoint(note)
        body = signed.checkpoint.body()
        bare = f"{body}\n" + "".join(
            f"{line}\n" for line in note.partition("\n\n")[2].splitlines() if f"— {log} " in line
        )
        due = [one for one in witnesses if self._is_due(log, one.name, signed.checkpoint.size)]
        answers = await asyncio.gather(*(self._ask(log, bare, one) for one in due))
        fresh = {one.name: lines for one, lines in zip(due, answers, strict=True) if lines}
        if not fresh:
            return
        known, kept = self._signatures.get(log, ("", {}))
        lines = {**(kept if known == body else {}), **fresh}
        self._signatures[log] = (body, lines)
        await asyncio.to_thread(
            self._deps.keep, log, bare + "".join(lines[name] for name in sorted(lines))
        )

    def _is_due(self, log: str, name: str, size: int) -> bool:
        state = self._states.setdefault((log, name), WitnessState())
        now = self._deps.clock.monotonic()
        if now < state.not_before:
            return False
        return state.at is None or state.seen != size or now - state.at >= _ANEW

    async def _ask(self, log: str, note: str, witness: Witness) -> str | None:
        """The lines of `witness`; `None` when there are none, which is noted."""
        state = self._states[log, witness.name]
        try:
            lines = await cosigned(
                note,
                keys=tuple(WitnessKey.parse(line) for line in witness.key.split()),
                seen=state.seen,
                prove=partial(self._prove, log),
                post=self._deps.post(witness.url),
            )
        except (Error, OSError) as error:
            self._failed(state, witness.name, error)
            return None
        state.seen = parse_checkpoint(note).checkpoint.size
        self._succeeded(state, witness.name)
        return lines

    async def _prove(self, log: str, earlier: int, later: int) -> list[bytes]:
        return await asyncio.to_thread(self._deps.tiled.tiles(log).consistency, earlier, later)

    def _failed(self, state: WitnessState, name: str, error: Error | OSError) -> None:
        now = self._deps.clock.monotonic()
        if not state.failures:
            state.since = now
        state.failures += 1
        pause = _PAUSES[min(state.failures, len(_PAUSES)) - 1]
        state.not_before = now + pause
        told = error.detail if isinstance(error, Error) else type(error).__name__
        contradicted = isinstance(error, ContradictedError)
        if state.lost is None and (contradicted or state.failures >= _PATIENCE):
            state.lost = told
            tell = _log.error if contradicted else _log.warning
            tell("witness_lost", witness=name, error=told)
            self._record(WitnessLost(context=_SYSTEM, witness=name, error=told))

    def _succeeded(self, state: WitnessState, name: str) -> None:
        now = self._deps.clock.monotonic()
        if state.lost is not None:
            seconds = int(now - state.since)
            _log.warning("witness_recovered", witness=name, seconds=seconds)
            self._record(WitnessRecovered(context=_SYSTEM, witness=name, seconds=seconds))
        state.lost, state.failures, state.not_before, state.at = None, 0, 0.0, now

    def _record(self, event: WitnessLost | WitnessRecovered) -> None:
        with suppress(AuditUnavailableError):
            self._deps.audit.append_soon(event)


_SYSTEM: Final = Context(actor=Actor(ActorType.SYSTEM))
