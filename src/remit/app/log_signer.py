"""Who signs the audit log of this process: a child of it, a signer that runs by itself, or the process.

The key that a log was signed with before it had a signer is handed over once, and removed from the database when the
signer has it on its disk. Refused: to sign inside the process again when the key is with a signer, for that
would be another key.

Source: docs/adr/0026-audit-trail.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from remit.app.keys import forget_signing_key, handed_over_key, open_signing_key
from remit.audit.signing import CheckpointSigner, LocalSigner
from remit.clock import Clock
from remit.errors import Error
from remit.secrets import MasterKey
from remit.settings import Settings
from remit.signer.channel import Channel, ChildChannel, SocketChannel
from remit.signer.remote import RemoteSigner
from remit.signer.state import SignerState

__all__ = ["SignerMovedError", "SignerPlace", "open_log_signer"]

_SEAL: Final = "remit:signer:v1"
_FOLDER: Final = "signer"
_AUTO: Final = "auto"
_INSIDE: Final = "inside"
_PROCESS: Final = "process"


class SignerMovedError(Error):
    """The key of the log is somewhere else than the settings say."""

    code: ClassVar[str] = "audit_signer_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerPlace:
    """Where the key of the log is looked for, and made. `folder` is the data folder, `url` the database's."""

    settings: Settings
    folder: Path
    master: MasterKey
    url: str
    clock: Clock
    in_database: bool = False
    """Whether the log itself is in the database."""

    @property
    def state(self) -> Path:
        """What a child keeps."""
        return self.folder / _FOLDER

    @property
    def log(self) -> str:
        return f"remit/{self.settings.instance}"

    @property
    def who(self) -> str:
        """`process`, `inside` or the path of a socket."""
        asked = self.settings.audit_signer
        if asked != _AUTO:
            return asked
        return _INSIDE if self.in_database and not self.has_key() else _PROCESS

    def has_key(self) -> bool:
        """Whether a child signs, or has signed, for this log."""
        return self.state.is_dir() and SignerState(self.state).has_key(self.log)


@contextmanager
def open_log_signer(place: SignerPlace) -> Iterator[CheckpointSigner]:
    """The signer that `audit_signer` names; a child ends with the context.

    Raises:
        SignerUnavailableError: it does not answer.
        SignerMovedError: the key is with a signer, and is to be here.
        SealBrokenError, DatabaseUnavailableError: a key that is kept in the database cannot be read.
    """
    instance, url, who = place.settings.instance, place.url, place.who
    if who == _INSIDE:
        if place.has_key():
            raise SignerMovedError(
                f"the key of `{place.log}` is with its signer; set audit_signer to `{_PROCESS}`"
            )
        key = open_signing_key(url, place.master, instance=instance, clock=place.clock)
        yield LocalSigner(place.log, key)
        return
    channel: Channel
    if who == _PROCESS:
        channel = ChildChannel(place.state, seal=place.master.derive(_SEAL))
    else:
        channel = SocketChannel(Path(who))
    kept = handed_over_key(url, place.master, instance=instance)
    signer = RemoteSigner(place.log, channel, adopt=kept)
    try:
        if kept is not None:
            forget_signing_key(url, instance=instance)
        yield signer
    finally:
        signer.close()
