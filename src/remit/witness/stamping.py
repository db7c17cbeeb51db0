"""Has an authority of time sign what the log has come to, once in a while, and keeps its tokens beside it.

A token says that the checkpoint, with the log's own signature, existed at a time, in the word of somebody who has to do with
neither log nor witness. It is taken only if it holds: over this very note, with the nonce that was sent, by a certificate
that descends from the ones that are configured. Needs the package `remit[timestamps]`; without it nothing is stamped, and that is said.

    <folder>/timestamps/<size>.note   the signed note, byte for byte what was stamped
    <folder>/timestamps/<size>.tsr    the token's response, DER

Source: RFC 3161 §2.4; AUDIT §1.4.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Final

import structlog
from cryptography import x509

from remit.audit.source import RecordSource
from remit.clock import Clock
from remit.errors import Error
from remit.model import TimestampAuthority
from remit.signer.durable_file import write_durably
from remit.witness.asking import WitnessSilentError
from remit.witness.posting import Sender
from remit_audit_verify.note import parse_checkpoint

try:
    import rfc3161_client
except ImportError:  # an extra
    _CLIENT: ModuleType | None = None
else:
    _CLIENT = rfc3161_client

__all__ = ["Stamping", "StampingUnavailableError", "stamped"]

_log = structlog.stdlib.get_logger("remit.timestamps")

_FOLDER: Final = "timestamps"
_PAUSE: Final = 60.0
"""Seconds after which an authority that failed is asked again."""


class StampingUnavailableError(Error):
    """Nothing can be stamped here, or not by this authority."""

    code: ClassVar[str] = "timestamps_unavailable"


async def stamped(note: bytes, *, send: Sender, roots: bytes) -> bytes:
    """The authority's response, in DER, with a token over `note` that holds. `roots` are certificates in PEM.

    Raises:
        StampingUnavailableError: the extra is not installed, `roots` hold no certificate, or the token does not hold.
        WitnessSilentError: the authority did not answer.
    """
    if _CLIENT is None:
        raise StampingUnavailableError("install remit[timestamps] to have checkpoints stamped")
    builder = _CLIENT.TimestampRequestBuilder().data(note)
    request = builder.hash_algorithm(_CLIENT.HashAlgorithm.SHA256).build()
    status, answer = await send(request.as_bytes())
    if status != 200:
        raise WitnessSilentError(f"it answers {status}")
    try:
        certificates = x509.load_pem_x509_certificates(roots)
        verifier = _CLIENT.VerifierBuilder.from_request(request)
        for certificate in certificates:
            verifier = verifier.add_root_certificate(certificate)
        verifier.build().verify_message(_CLIENT.decode_timestamp_response(answer), note)
    except (ValueError, _CLIENT.VerificationError) as error:
        raise StampingUnavailableError("its token does not hold", cause=error) from error
    return answer


@dataclass(slots=True)
class _Due:
    at: float | None = None
    size: int = 0
    failing: bool = False


class Stamping:
    """Stamps one log by the authority that is configured at the moment."""

    def __init__(
        self,
        source: RecordSource,
        log: str,
        *,
        folder: Path,
        authority: Callable[[], TimestampAuthority | None],
        sender: Callable[[str], Sender],
        clock: Clock,
    ) -> None:
        self._source = source
        self._log = log
        self._folder = folder / _FOLDER
        self._authority = authority
        self._sender = sender
        self._clock = clock
        self._due = _Due()

    async def look(self) -> None:
        """Have the newest checkpoint stamped, if it is time for that and the log has grown. A failure is said once.

        Raises:
            NotFoundError, OSError: the log cannot be read, or a token not be kept.
        """
        authority, due, now = self._authority(), self._due, self._clock.monotonic()
        if authority is None or (due.at is not None and now < due.at):
            return
        note = await asyncio.to_thread(self._source.checkpoint, self._log)
        if note is None or parse_checkpoint(note).checkpoint.size <= due.size:
            return
        size = parse_checkpoint(note).checkpoint.size
        try:
            roots = await asyncio.to_thread(Path(authority.roots).read_bytes)
            token = await stamped(note.encode(), send=self._sender(authority.url), roots=roots)
        except (Error, OSError) as error:
            if not due.failing:
                told = error.detail if isinstance(error, Error) else type(error).__name__
                _log.warning("not_stamped", error=told, authority=authority.url)
            due.failing, due.at = True, now + min(_PAUSE, authority.every)
            return
        await asyncio.to_thread(self._keep, size, note.encode(), token)
        if due.failing:
            _log.warning("stamped_again", authority=authority.url)
        self._due = _Due(at=now + authority.every, size=size)

    def _keep(self, size: int, note: bytes, token: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(self._folder / f"{size:020d}.note", note)
        write_durably(self._folder / f"{size:020d}.tsr", token)
