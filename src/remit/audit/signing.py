"""Who signs what the log has come to: the one step that whoever holds the log's folder cannot take.

A signer never takes a root from the log. It is told the leaves that came since it last signed, grows its own tree by
them and signs what that comes to; so it signs no log that does not continue the one it signed before, whatever becomes
of the process that asks. In production it is another process (`remit.signer`); in tests and in guards inside servers,
the same one.

Source: AUDIT §1.4.
"""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.errors import UnavailableError
from remit_audit_verify.note import Checkpoint, VerifierKey, sign_checkpoint
from remit_audit_verify.tree import Frontier

__all__ = ["CheckpointSigner", "LocalSigner", "LogSetBackError", "SignerUnavailableError"]


class SignerUnavailableError(UnavailableError):
    """Nobody signs at the moment, or what was handed in does not continue what was signed."""

    code: ClassVar[str] = "audit_signer_unavailable"


class LogSetBackError(SignerUnavailableError):
    """The log does not continue what was signed: it was cut, set back or rewritten, and nothing is signed for it."""

    code: ClassVar[str] = "audit_log_set_back"


class CheckpointSigner(Protocol):
    """Signs for one log. Not safe for several threads; every call blocks."""

    @property
    def verifier(self) -> VerifierKey:
        """The key that signatures are checked by; its name is the log's."""
        ...

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        """All keys that sign for the log: `verifier`, those before it, and one that is about to."""
        ...

    def resume(self, before: Frontier, leaves: Sequence[bytes]) -> None:
        """Return if the log, as it is opened, continues what was signed; asked before anything is written.

        `before` is the tree of the last checkpoint that the log has, `leaves` are those after it.

        Raises:
            LogSetBackError: it does not.
            SignerUnavailableError: nobody can tell.
        """
        ...

    def sign(self, before: Frontier, leaves: Sequence[bytes]) -> str:
        """The signed note over `before` grown by `leaves`, or by as many of the first of them as are signed so far.

        `before` is the tree of the last checkpoint that the log has.

        Raises:
            LogSetBackError: what is handed in does not continue what was signed.
            SignerUnavailableError: nothing is signed; the next call may try the same, or more, again.
        """
        ...


class LocalSigner:
    """Signs in this process, with a key that is at hand."""

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.verifier = VerifierKey.of(name, key)

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        return (self.verifier,)

    def resume(self, before: Frontier, leaves: Sequence[bytes]) -> None:
        """Whoever has the key in its own process remembers no more than the log does."""

    def sign(self, before: Frontier, leaves: Sequence[bytes]) -> str:
        tree = before.copy()
        for leaf in leaves:
            tree.append(leaf)
        return sign_checkpoint(Checkpoint(self.verifier.name, tree.size, tree.root()), self._key)
