"""What a signer does for those who may ask it: tell its keys, sign what continues, change its key.

It makes a key for each log at first, takes one over where a log was signed before there was a signer, and
hands none out. What it signs is on its own disk before the signature leaves it. Refused is whatever does not
continue what was signed (`continuity`), and a log of whose key or tree one is gone: a signer that forgot would sign
whatever it is shown. The tree of a log whose key was taken over is believed once.

Source: AUDIT §1.4 (the signing key lives in a separate process).
"""

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.signer.continuity import continued
from remit.signer.errors import KeyInUseError, SignerStateError, UnknownLogError
from remit.signer.state import Keys, SignerState
from remit_audit_verify.note import Checkpoint, VerifierKey, sign_checkpoint
from remit_audit_verify.tree import Frontier

__all__ = ["SignerDesk"]

_SEPARATOR: Final = "\n\n"


class SignerDesk:
    """Signs for every log that asks. Safe for several threads."""

    def __init__(self, state: SignerState) -> None:
        self._state = state
        self._lock = Lock()
        self._known: dict[str, tuple[Keys, Frontier | None]] = {}

    def verifiers(self, log: str) -> tuple[str, ...]:
        """The verifier keys of `log`: the one in use, those before it, and one that is to follow. The first is made now.

        Raises:
            BadCheckpointError: `log` cannot name one.
            SignerStateError, OSError: what is kept cannot be read, or not be written.
        """
        with self._lock:
            keys, _ = self._of(log, make=True)
            told = (str(VerifierKey.of(log, keys.key)), *reversed(keys.former))
            following = keys.next_key
            if following is None or keys.after is None:
                return told
            return (*told, str(VerifierKey.of(log, following)))

    def adopt(self, log: str, seed: bytes) -> None:
        """Take over the key that `log` was signed with until now. The same key again changes nothing.

        Raises:
            KeyInUseError: the log has another.
            ValueError: it is no key.
        """
        with self._lock:
            kept = self._state.keys(log)
            if kept is not None:
                if kept.seed != seed:
                    raise KeyInUseError(f"`{log}` has a key of its own already")
                return
            VerifierKey.of(log, Ed25519PrivateKey.from_private_bytes(seed))
            self._refuse_lost_key(log)
            keys = Keys(seed=seed)
            self._state.forget_tree(log)
            self._state.keep_keys(log, keys)
            self._known[log] = (keys, None)

    def resume(self, log: str, before: Frontier, leaves: Sequence[bytes]) -> int:
        """Whether `before` and `leaves` continue what was signed; how many records that is.

        Raises:
            NotContinuedError: they do not, and nothing will be signed for such a log.
            UnknownLogError: there is no key.
        """
        with self._lock:
            keys, signed = self._of(log)
            if signed is None:
                self._state.keep_tree(log, before)
                signed = before.copy()
                self._known[log] = (keys, signed)
            continued(signed, before, leaves)
            return signed.size

    def sign(self, log: str, before: Frontier, leaves: Sequence[bytes]) -> str:
        """The signed note over `before` grown by `leaves`.

        A checkpoint over the record that announces a change of keys is signed by both, until the log has one.

        Raises:
            NotContinuedError, UnknownLogError: as `resume`.
            OSError: the tree cannot be kept, and so nothing is signed.
        """
        with self._lock:
            keys, signed = self._of(log)
            tree = continued(before if signed is None else signed, before, leaves)
            checkpoint = Checkpoint(log, tree.size, tree.root())
            self._state.keep_tree(log, tree)
            self._known[log] = (keys, tree)
            after, following = keys.after, keys.next_key
            if following is None or after is None or after >= tree.size:
                return sign_checkpoint(checkpoint, keys.key)
            if before.size <= after:
                # The log may lose this answer, so both sign until it comes with a checkpoint that both have signed.
                second = sign_checkpoint(checkpoint, following).partition(_SEPARATOR)[2]
                return sign_checkpoint(checkpoint, keys.key) + second
            keys = keys.changed(log)
            self._state.keep_keys(log, keys)
            self._known[log] = (keys, tree)
            return sign_checkpoint(checkpoint, following)

    def propose(self, log: str) -> str:
        """The verifier key that is to sign next; the same until it does.

        Raises:
            UnknownLogError: there is no key to be followed.
        """
        with self._lock:
            keys, signed = self._of(log)
            if keys.next_seed is None:
                keys = replace(keys, next_seed=Ed25519PrivateKey.generate().private_bytes_raw())
                self._state.keep_keys(log, keys)
                self._known[log] = (keys, signed)
            following = keys.next_key
            assert following is not None  # noqa: S101  made above
            return str(VerifierKey.of(log, following))

    def change(self, log: str, *, after: int) -> None:
        """Sign by the proposed key from the first checkpoint on that has record `after`.

        Raises:
            UnknownLogError: none was proposed.
        """
        with self._lock:
            keys, signed = self._of(log)
            if keys.next_seed is None:
                raise UnknownLogError(f"no next key is proposed for `{log}`")
            keys = replace(keys, after=after)
            self._state.keep_keys(log, keys)
            self._known[log] = (keys, signed)

    def _refuse_lost_key(self, log: str) -> None:
        """What was signed with a key that is gone is not forgotten for the sake of another key."""
        signed = self._state.tree(log)
        if signed is not None and signed.size:
            raise SignerStateError(f"the key of `{log}` is gone: restore it")

    def _of(self, log: str, *, make: bool = False) -> tuple[Keys, Frontier | None]:
        known = self._known.get(log)
        if known is not None:
            return known
        keys = self._state.keys(log)
        if keys is None:
            if not make:
                raise UnknownLogError(f"there is no key for `{log!a}`")
            self._refuse_lost_key(log)
            key = Ed25519PrivateKey.generate()
            VerifierKey.of(log, key)
            keys = Keys(seed=key.private_bytes_raw())
            # The tree first: with a key and no tree, the log's word would be taken for what it begins with.
            self._state.keep_tree(log, Frontier())
            self._state.keep_keys(log, keys)
        self._known[log] = (keys, self._state.tree(log))
        return self._known[log]
