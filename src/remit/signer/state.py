"""What a signer keeps of each log, on its own disk: the keys, and the tree that it signed last.

    <folder>/<log>.key    the key in use, the next one while it is changed, and the public keys of those before
    <folder>/<log>.tree   how many records were signed, and what they hash to; or that the log is believed once

A file is replaced as a whole and is on stable storage when `write` returns: a signature that was handed out is never
forgotten. Files of mode 0600 in a folder of mode 0700. With a seal, keys are sealed under it at rest (AES-256-GCM, the
log's name being bound to it); without one whoever reads the folder has the keys, so it belongs to a user of its own.
"""

import fcntl
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from remit.canonical import Json, JsonObject, MalformedJsonError, canonical_bytes, parse_object
from remit.signer.durable_file import write_durably
from remit.signer.errors import SignerInUseError, SignerStateError
from remit_audit_verify.note import VerifierKey
from remit_audit_verify.tree import Frontier

__all__ = ["Keys", "SignerState"]

_NONCE: Final = 12
_LOCK: Final = "lock"
_BELIEVED: Final[JsonObject] = {"v": 1, "believed": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of one log. Seeds are secrets."""

    seed: bytes
    former: tuple[str, ...] = ()
    """Verifier keys, as text, that signed before; oldest first."""
    next_seed: bytes | None = None
    after: int | None = None
    """The next key signs from the first checkpoint that has this record; `None`: nobody has said so yet."""

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def next_key(self) -> Ed25519PrivateKey | None:
        return (
            None if self.next_seed is None else Ed25519PrivateKey.from_private_bytes(self.next_seed)
        )

    def changed(self, log: str) -> "Keys":
        """These, once the next key is the one in use."""
        if self.next_seed is None:
            return self
        old = str(VerifierKey.of(log, self.key))
        return replace(
            self, seed=self.next_seed, former=(*self.former, old), next_seed=None, after=None
        )


class SignerState:
    """The folder. Not safe for several threads; one process at a time."""

    def __init__(self, folder: Path, *, seal: bytes | None = None) -> None:
        """Open it, made if need be.

        Raises:
            OSError: it cannot be made, or closed to others.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        self._folder = folder
        self._seal = None if seal is None else AESGCM(seal)

    @contextmanager
    def held(self, *, wait: bool = False) -> Iterator[None]:
        """Have the folder for oneself: to sign, or to change what a signer believes. Given up when the process ends.

        With `wait` whoever has it is waited for: the signer of a server that was killed is about to end.

        Raises:
            SignerInUseError: another process has it, and is not waited for.
            OSError: it cannot be locked.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(self._folder / _LOCK, flags, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise SignerInUseError(f"a signer runs on `{self._folder}`", cause=error) from error
            yield
        finally:
            os.close(lock)

    def logs(self) -> tuple[str, ...]:
        """The file names of the logs that have a key, sorted."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.key")))

    def has_key(self, log: str) -> bool:
        """Whether there is a key for `log`, without looking at it."""
        return self._path(log, "key").exists()

    def keys(self, log: str) -> Keys | None:
        """The keys of `log`; `None` before the first.

        Raises:
            SignerStateError: what is there cannot be opened.
            OSError: it cannot be read.
        """
        data = self._read(log, "key")
        if data is None:
            return None
        try:
            after, former = data["after"], data["former"]
            if not (after is None or isinstance(after, int)) or not isinstance(former, list):
                raise SignerStateError(f"the keys of `{log}` are damaged")
            following = data["next"]
            return Keys(
                seed=self._open(log, data["seed"]),
                former=tuple(str(line) for line in former),
                next_seed=None if following is None else self._open(log, following),
                after=after,
            )
        except (KeyError, ValueError, InvalidTag) as error:
            raise SignerStateError(
                f"the keys of `{log}` are damaged, or sealed with another master key", cause=error
            ) from error

    def keep_keys(self, log: str, keys: Keys) -> None:
        """Keep them; on stable storage when it returns.

        Raises:
            OSError: they are not.
        """
        following = None if keys.next_seed is None else self._closed(log, keys.next_seed)
        former: list[Json] = list(keys.former)
        data: JsonObject = {
            "v": 1, "seed": self._closed(log, keys.seed), "former": former,
            "next": following, "after": keys.after,
        }  # fmt: skip
        self._write(log, "key", data)

    def tree(self, log: str) -> Frontier | None:
        """What was signed last; `None` where there is no such log, and where it is believed the next time.

        Raises:
            SignerStateError: what is there is damaged; or is gone, while the key is there: what was signed with it is
                forgotten, which is not for the log to say.
            OSError: it cannot be read.
        """
        data = self._read(log, "tree")
        if data is None:
            if self.has_key(log):
                raise SignerStateError(
                    f"what was signed of `{log}` is gone: restore it, or see `remit signer accept`"
                )
            return None
        if data == _BELIEVED:
            return None
        size, nodes = data.get("size"), data.get("nodes")
        if not isinstance(size, int) or not isinstance(nodes, list):
            raise SignerStateError(f"the tree of `{log}` is damaged")
        try:
            return Frontier(size, [bytes.fromhex(str(node)) for node in nodes])
        except ValueError as error:
            raise SignerStateError(f"the tree of `{log}` is damaged", cause=error) from error

    def keep_tree(self, log: str, tree: Frontier) -> None:
        """Keep it; on stable storage when it returns.

        Raises:
            OSError: it is not.
        """
        nodes: list[Json] = [node.hex() for node in tree.nodes]
        self._write(log, "tree", {"v": 1, "size": tree.size, "nodes": nodes})

    def forget_tree(self, log: str) -> bool:
        """Believe the log the next time, whatever it says; whether there was anything to forget.

        Raises:
            OSError: that cannot be kept.
        """
        path = self._path(log, "tree")
        known = path.exists() and path.read_bytes() != canonical_bytes(_BELIEVED)
        self._write(log, "tree", _BELIEVED)
        return known

    def _path(self, log: str, kind: str) -> Path:
        return self._folder / f"{quote(log, safe='')}.{kind}"

    def _read(self, log: str, kind: str) -> JsonObject | None:
        try:
            return parse_object(self._path(log, kind).read_bytes())
        except FileNotFoundError:
            return None
        except MalformedJsonError as error:
            raise SignerStateError(f"the {kind} of `{log}` is damaged", cause=error) from error

    def _write(self, log: str, kind: str, data: JsonObject) -> None:
        write_durably(self._path(log, kind), canonical_bytes(data))

    def _closed(self, log: str, seed: bytes) -> str:
        if self._seal is None:
            return "plain:" + b64encode(seed).decode()
        nonce = os.urandom(_NONCE)
        return "sealed:" + b64encode(nonce + self._seal.encrypt(nonce, seed, log.encode())).decode()

    def _open(self, log: str, kept: Json) -> bytes:
        form, _, text = str(kept).partition(":")
        raw = b64decode(text, validate=True)
        if form == "sealed" and self._seal is not None:
            raw = self._seal.decrypt(raw[:_NONCE], raw[_NONCE:], log.encode())
        elif form != "plain":
            raise ValueError("sealed, and there is no key to open it with")
        if len(raw) != 32:
            raise ValueError("not a seed")
        return raw
