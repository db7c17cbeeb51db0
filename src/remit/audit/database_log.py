"""The audit log in the database: `DurableAuditLog` over a log there.

Source: AUDIT §1.5.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit.database_stream import DatabaseStream
from remit.audit.durable_log import DurableAuditLog
from remit.audit.entry import Producer
from remit.audit.signing import CheckpointSigner, LocalSigner
from remit.audit.source import Record
from remit.clock import Clock
from remit.db.link import DatabaseLink

__all__ = ["DatabaseAuditLog"]


class DatabaseAuditLog(DurableAuditLog):
    """One log in the database `url`, called `origin`, which `holder` holds: the name of a place that is one process's alone.

    `left`: the calls that were under way when the process before ended (`audit.reconcile`).
    `syncs`: whether the database waits for its disk; one that does not (`fsync = off`) keeps no promise.
    """

    def __init__(
        self,
        url: str,
        key: Ed25519PrivateKey | CheckpointSigner,
        *,
        origin: str,
        holder: str,
        producer: Producer | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Open it. A `key` signs in this process; a signer wherever it is.

        Raises:
            As `DurableAuditLog`.
        """
        signer = LocalSigner(origin, key) if isinstance(key, Ed25519PrivateKey) else key
        left: tuple[Record, ...] = ()
        syncs = True

        def open_stream() -> DatabaseStream:
            nonlocal left, syncs
            link = DatabaseLink(url)
            stream = DatabaseStream(link, signer, holder=holder)
            left, syncs = stream.left, link.syncs
            return stream

        super().__init__(open_stream, producer=producer, clock=clock)
        self.left = left
        self.syncs = syncs
