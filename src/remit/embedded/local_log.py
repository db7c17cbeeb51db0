"""The guard's own log: on this machine's disk before anything happens, in Remit's log soon after.

A folder holds the log, the key that signs it, the name of this instance, and how far Remit has taken it
over. One process writes one folder; the next process of the same server takes the next. Refused, and with
it every call: an event that the disk does not take, and any event while more waits for Remit than is allowed.
"""

import json
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit.context import Context
from remit.audit.entry import Producer
from remit.audit.events import Event
from remit.audit.file_log import FileAuditLog
from remit.audit.port import AuditUnavailableError, Receipt
from remit.audit.stream import AuditLogLockedError, StreamSettings

__all__ = ["LocalLog", "WaitingLog", "network_of", "open_local_log"]

_PLACES: Final = 64
_KEY: Final = "log.key"
_INSTANCE: Final = "instance"
_CURSOR: Final = "delivered.json"


class LocalLog:
    """An open log in its folder. `instance` names it for ever, `delivered` says what Remit has of it."""

    def __init__(self, folder: Path, instance: str, log: FileAuditLog) -> None:
        self.folder = folder
        self.instance = instance
        self.log = log

    @property
    def log_name(self) -> str:
        """What its checkpoints, and receipts, call it."""
        return _name(self.instance)

    @property
    def stream(self) -> Path:
        """Where the records are."""
        return self.folder / "log"

    def delivered(self) -> int:
        """The sequence number up to which Remit has everything; 0 when nothing is known of that.

        Remit knows it, too, and passes by what it has: too small a number costs a delivery, and no record.
        """
        try:
            known = json.loads((self.folder / _CURSOR).read_bytes())
        except (OSError, ValueError):
            return 0
        return known if type(known) is int and known > 0 else 0

    def note_delivered(self, sequence: int) -> None:
        """Remember that Remit has everything up to `sequence`.

        Raises:
            OSError: the disk refuses.
        """
        unnamed = self.folder / f"{_CURSOR}.new"
        unnamed.write_text(str(sequence))
        unnamed.replace(self.folder / _CURSOR)


class WaitingLog:
    """The log as the guard writes it: shut while too much waits for Remit. Implements `AuditLog`."""

    def __init__(self, log: FileAuditLog) -> None:
        self._log = log
        self.is_full = False

    async def append(self, event: Event) -> Receipt:
        self._require_room()
        return await self._log.append(event)

    def append_soon(self, event: Event) -> None:
        self._require_room()
        self._log.append_soon(event)

    def count_refusal(
        self, context: Context, *, where: str, error: str, about: str = "", token: str | None = None
    ) -> bool:
        return self._log.count_refusal(context, where=where, error=error, about=about, token=token)

    def record(self, events: Sequence[object]) -> None:
        self._require_room()
        self._log.record(events)

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        self._log.abandon(events, cause)

    def _require_room(self) -> None:
        if self.is_full:
            raise AuditUnavailableError("more records wait for remit than may")


def open_local_log(folder: Path, *, release: str, server: str) -> LocalLog:
    """The log in the first place under `folder` that no other process has.

    Raises:
        AuditLogDamagedError: what is there is not what was written.
        AuditUnavailableError: the disk refuses, or every place is taken.
    """
    try:
        for number in range(_PLACES):
            place = folder / str(number)
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            instance = _kept(place / _INSTANCE, f"{server}-{secrets.token_hex(8)}".encode)
            key = _kept(place / _KEY, lambda: Ed25519PrivateKey.generate().private_bytes_raw())
            try:
                log = _open(place, instance.decode(), key, release)
            except AuditLogLockedError:
                continue
            return LocalLog(place, instance.decode(), log)
    except (OSError, ValueError) as error:
        raise AuditUnavailableError("the guard's folder cannot be used", cause=error) from error
    raise AuditUnavailableError("every place in the guard's folder is taken")


def _open(place: Path, instance: str, key: bytes, release: str) -> FileAuditLog:
    settings = StreamSettings(folder=place / "log", origin=_name(instance))
    producer = Producer(service="remit-guard", instance=instance, version=release)
    return FileAuditLog(settings, Ed25519PrivateKey.from_private_bytes(key), producer=producer)


def _name(instance: str) -> str:
    return f"remit-guard/{instance}"


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """What stands in `path`; made, whole and private, if nothing does."""
    if not path.exists():
        unnamed = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, make())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with suppress(FileExistsError):  # another process was first: what it made counts
            os.link(unnamed, path)
        unnamed.unlink()
    return path.read_bytes()


def network_of(ip: str | None) -> str:
    """The address as a limit counts it: IPv6 by its /64, since one host has all of that."""
    try:
        address = ip_address(ip or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
