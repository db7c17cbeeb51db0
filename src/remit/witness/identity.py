"""Who a witness is: its name, and the keys it signs with, made at its first start.

    <folder>/name          what its keys are called
    <folder>/ed25519.key   a seed of 32 bytes in base64, mode 0600
    <folder>/ml-dsa-44.key the same, where the machine has ML-DSA-44

Refused: another name than the one its keys were made under, and a key that others may read.
"""

import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from remit.errors import Error
from remit.signer.durable_file import write_durably
from remit_audit_verify.cosignature import Cosigner

__all__ = ["WitnessIdentityError", "open_identity"]


class WitnessIdentityError(Error):
    """The witness cannot be who it is said to be."""

    code: ClassVar[str] = "witness_identity"


def open_identity(folder: Path, name: str) -> tuple[Cosigner, ...]:
    """The keys of the witness `name`, made in `folder` if there are none.

    Raises:
        WitnessIdentityError: see the module.
        OSError: they cannot be read or made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "name"
    if not path.exists():
        write_durably(path, f"{name}\n".encode())
    kept = path.read_text(encoding="utf-8").strip()
    if kept != name:
        raise WitnessIdentityError(f"the keys in `{folder}` are those of `{kept}`")
    signers: list[Cosigner] = [Ed25519PrivateKey.from_private_bytes(_seed(folder / "ed25519.key"))]
    if _has_ml_dsa_44():
        signers.append(MLDSA44PrivateKey.from_seed_bytes(_seed(folder / "ml-dsa-44.key")))
    return tuple(signers)


def _has_ml_dsa_44() -> bool:
    """Not with an older OpenSSL: Ed25519 alone is a witness, too, and a key that was made elsewhere stays for later."""
    try:
        MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    except UnsupportedAlgorithm:
        return False
    return True


def _seed(path: Path) -> bytes:
    if not path.exists():
        write_durably(path, b64encode(os.urandom(32)) + b"\n")
    if path.stat().st_mode & 0o077:
        raise WitnessIdentityError(f"others may read `{path}`; make it mode 0600, or a new key")
    try:
        seed = b64decode(path.read_bytes().strip(), validate=True)
    except ValueError as error:
        raise WitnessIdentityError(f"`{path}` holds no key", cause=error) from error
    if len(seed) != 32:
        raise WitnessIdentityError(f"`{path}` holds no key")
    return seed
