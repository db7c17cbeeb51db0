"""The private key of a publisher of bundles, read from a file."""

from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from remit.errors import Error

__all__ = ["UnusableKeyFileError", "private_key"]


class UnusableKeyFileError(Error):
    """The file holds no private key that bundles can be signed with."""

    code: ClassVar[str] = "unusable_key_file"


def private_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a PEM file.

    Raises:
        UnusableKeyFileError: it cannot be read, is encrypted, or is a key of another kind.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKeyFileError(
            f"`{path}` holds no private key in PEM without a password", cause=error
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKeyFileError(f"the key in `{path}` is none of Ed25519")
    return key
