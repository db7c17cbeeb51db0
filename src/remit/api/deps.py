"""What the management API needs from the rest of Remit, handed in once by the application."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from remit.approvals.access_desk import AccessDesk
from remit.approvals.desk import Desk
from remit.audit.context import Context
from remit.audit.port import AuditLog
from remit.audit.source import RecordSource
from remit.audit.tiled_logs import TiledLogs
from remit.canonical import Json, JsonObject
from remit.clock import Clock, Seconds
from remit.custody import Custody
from remit.db import Database
from remit.deployment import DeploymentDeps
from remit.engines.inquiry import EngineInquiry
from remit.guard import Guard
from remit.guard.ports import Directory
from remit.identity import Passwords
from remit.model import Server
from remit.policy import PolicySource
from remit.secrets import SecretBox
from remit.sinks.desk import SinkDesk
from remit.trail import Trail
from remit.web import Site

__all__ = ["ApiDeps", "LogKeyChange", "WithdrawConnection"]


class WithdrawConnection(Protocol):
    """How a person's connection is taken away, here and at the third party (`remit.oauth`)."""

    async def __call__(
        self, user_id: str, server: str, *, reason: str, context: Context
    ) -> None: ...


class LogKeyChange(Protocol):
    """How the log comes to be signed by another key."""

    async def __call__(self, context: Context) -> tuple[str, str]:
        """Change it; the former verifier key, and the new one.

        Raises:
            ConflictError: the log is signed inside this process, with a key that is not changed.
            AuditUnavailableError, SignerUnavailableError: it is not changed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDeps:
    """Everything an operation of the management API may reach.

    `data` is the data folder of this process; `source` reads all logs of the installation,
    wherever they are kept, and `tiled` their hashes; `log_key` changes the key that signs this process's. `publish` re-reads who may not act and
    which keys are in force: awaited after a change has committed, so that the answer says that
    this process enforces it. `reload` re-reads the policy repository and returns what to
    answer; it raises and changes nothing when the repository does not check.
    `policies` are the sources of those in force. `list_server` asks a server for all that it offers: the entries of each list by its method.
    `stopping` is set when the process is told to stop: answers that go on and on then end.
    `custody` opens what records hold sealed, so that recorded calls can be decided again, and destroys what opens it.
    `guard_lease` is for how long guards inside servers decide without hearing from this process.
    `engines` asks external engines beforehand, a little at a time.
    `deployment` is what bringing a bundle into force needs.
    `approvals` is where people read what they are asked, and answer it.
    `access` is where access for a while is asked for.
    `trail` is where the log is asked.
    `sinks` is where whoever manages copies of the log sees how far they are.
    """

    database: Database
    box: SecretBox
    audit: AuditLog
    data: Path
    source: RecordSource
    tiled: TiledLogs
    log_key: LogKeyChange
    directory: Directory
    guard: Guard
    passwords: Passwords
    clock: Clock
    site: Site
    publish: Callable[[], Awaitable[None]]
    reload: Callable[[], Awaitable[JsonObject]]
    status: Callable[[], Awaitable[JsonObject]]
    policies: Callable[[], Sequence[PolicySource]]
    withdraw_connection: WithdrawConnection
    list_server: Callable[[Server], Awaitable[Mapping[str, list[Json]]]]
    stopping: asyncio.Event
    guard_lease: Seconds
    custody: Custody
    engines: EngineInquiry
    deployment: DeploymentDeps
    approvals: Desk
    access: AccessDesk
    sinks: SinkDesk
    trail: Trail
