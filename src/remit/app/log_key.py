"""Has the log of this process signed by another key: announced in the log itself, under the key of before.

The signer makes the key and keeps it. The record that names both is under a checkpoint that both have signed; `log.pub`
names both from then on. Refused where the log is signed inside this process: there is no signer that would keep a key back.
"""

import asyncio

from remit.audit.context import Context
from remit.audit.events import LogKeyChanged
from remit.audit.port import AuditLog
from remit.audit.signing import CheckpointSigner
from remit.errors import ConflictError
from remit.signer.remote import RemoteSigner

__all__ = ["LogKey"]


class LogKey:
    """The key of the log that `audit` is, and `signer` signs."""

    def __init__(self, signer: CheckpointSigner, audit: AuditLog) -> None:
        self._signer = signer
        self._audit = audit
        self._changing = asyncio.Lock()

    async def change(self, context: Context) -> tuple[str, str]:
        """Change it; the former verifier key, and the new one.

        Raises:
            ConflictError: there is no signer.
            AuditUnavailableError, SignerUnavailableError: it is not changed; asked again, it goes on where it was.
        """
        signer = self._signer
        if not isinstance(signer, RemoteSigner):
            raise ConflictError("the log is signed inside this process; see `audit_signer`")
        async with self._changing:
            former = str(signer.verifier)
            verifier = str(await asyncio.to_thread(signer.propose))
            event = LogKeyChanged(context=context, former=former, verifier=verifier)
            receipt = await self._audit.append(event)
            await asyncio.to_thread(lambda: signer.change(after=receipt.sequence))
        return former, verifier
