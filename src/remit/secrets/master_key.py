"""The one key under which everything else is sealed.

From `REMIT_MASTER_KEY` (32 bytes in base64) or else from `master.key` in the data folder,
which is made on first use. Refused: a file that others may read, another length, a key
of one repeated byte. Nothing prints it.

Source: RFC 5869 (each purpose gets a key of its own); NIST SP 800-57 §5.2.
"""

import contextlib
import os
import secrets
import stat
from base64 import b64decode, b64encode, urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from remit.errors import Error

__all__ = ["MasterKey", "MasterKeyError"]

_LENGTH = 32
_VARIABLE = "REMIT_MASTER_KEY"
_FILE = "master.key"


class MasterKeyError(Error):
    """There is no usable master key; `detail` says where it was looked for and what to do."""

    code: ClassVar[str] = "master_key"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes, used only to derive other keys."""

    _key: bytes = field(repr=False)

    @classmethod
    def load(cls, data_dir: Path, env: Mapping[str, str]) -> Self:
        """The key of this installation, made in `data_dir` if there is none anywhere.

        Raises:
            MasterKeyError: see the module.
        """
        text = env.get(_VARIABLE)
        if text:
            return cls(_decoded(text, where=f"the environment variable {_VARIABLE}"))
        path = data_dir / _FILE
        if not path.exists():
            _create(path)
        return cls(_decoded(_read_private(path), where=f"`{path}`"))

    def derive(self, purpose: str) -> bytes:
        """32 bytes that depend on the master key and `purpose`, and tell nothing of either."""
        derivation = HKDF(algorithm=SHA256(), length=_LENGTH, salt=None, info=purpose.encode())
        return derivation.derive(self._key)


def _decoded(text: str, *, where: str) -> bytes:
    mend = "make one with `openssl rand -base64 32`"
    stripped = text.strip()
    decode = urlsafe_b64decode if set("-_") & set(stripped) else _strict_b64decode
    try:
        key = decode(stripped)
    except (Base64Error, ValueError):
        raise MasterKeyError(f"{where} is not base64; {mend}") from None
    if len(key) != _LENGTH:
        raise MasterKeyError(f"{where} has {len(key)} bytes instead of {_LENGTH}; {mend}")
    if len(set(key)) == 1:
        raise MasterKeyError(f"{where} is one byte repeated; {mend}")
    return key


def _strict_b64decode(text: str) -> bytes:
    return b64decode(text, validate=True)


def _create(path: Path) -> None:
    """Write a new key so that the file is whole and private from the moment it has its name."""
    unnamed = path.with_name(f"{_FILE}.{secrets.token_hex(8)}")
    text = b64encode(secrets.token_bytes(_LENGTH)) + b"\n"
    try:
        descriptor = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, text)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with contextlib.suppress(FileExistsError):  # another process was first: its key counts
            os.link(unnamed, path)
        unnamed.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise MasterKeyError(f"the master key `{path}` cannot be written", cause=error) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_private(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise MasterKeyError(f"the master key `{path}` cannot be read", cause=error) from error
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise MasterKeyError(
                f"the master key `{path}` may be read by others (mode {mode:04o});"
                f" run `chmod 600 {path}`, and replace the key if they may have read it"
            )
        return file.read(4096)
