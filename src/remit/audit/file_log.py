"""The audit log on files: `DurableAuditLog` over a stream in a folder.

Source: AUDIT §1.5.
"""

from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit.disk import Disk, PosixDisk
from remit.audit.durable_log import DurableAuditLog
from remit.audit.entry import Producer
from remit.audit.reserve import Reserve
from remit.audit.signing import CheckpointSigner, LocalSigner
from remit.audit.stream import Stream, StreamSettings
from remit.clock import Clock

__all__ = ["FileAuditLog"]


class FileAuditLog(DurableAuditLog):
    """One stream in a folder."""

    def __init__(
        self,
        settings: StreamSettings,
        key: Ed25519PrivateKey | CheckpointSigner,
        *,
        producer: Producer | None = None,
        clock: Clock | None = None,
        disk: Disk | None = None,
    ) -> None:
        """Open it. A `key` signs in this process; a signer wherever it is.

        Raises:
            As `DurableAuditLog`.
        """
        signer = LocalSigner(settings.origin, key) if isinstance(key, Ed25519PrivateKey) else key
        medium = disk or PosixDisk()
        super().__init__(
            lambda: Stream(settings, signer, disk=medium),
            producer=producer,
            clock=clock,
            reserve=partial(Reserve, settings.folder, medium, size=settings.reserve_bytes)
            if settings.reserve_bytes
            else None,
        )
