"""Cosignatures: witnesses elsewhere say that, at a time, a checkpoint was the newest they had seen of a log.

Both sorts of C2SP: Ed25519 (signature type 0x04) and ML-DSA-44 (0x06), the second of which also signs
the witness's name. Refused is a signature by a known key that does not hold, and a time that
no calendar has; a key of another sort is no witness's key. Times are seconds since 1970.

Source: C2SP tlog-cosignature; RFC 8032; FIPS 204.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from remit_audit_verify.note import BadCheckpointError, Checkpoint, can_name

__all__ = ["BadCosignatureError", "Cosigner", "WitnessKey", "cosign"]

Cosigner: TypeAlias = Ed25519PrivateKey | MLDSA44PrivateKey

_ED25519: Final = 4
_ML_DSA_44: Final = 6
_KEY_BYTES: Final = {_ED25519: 32, _ML_DSA_44: 1312}
_SIGNATURE_BYTES: Final = {_ED25519: 64, _ML_DSA_44: 2420}
_LATEST: Final = 253_402_300_799
"""The end of the year 9999, the last second that a record could name."""
_KEY_LINE = re.compile(
    r"(?P<name>[^\s+\x00-\x1f\x7f]{1,200})\+(?P<hash>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]+)"
)


class BadCosignatureError(BadCheckpointError):
    """A witness's key that cannot be read, or its signature that does not hold."""


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The public key of a witness, and the name it signs under."""

    name: str
    algorithm: int
    """4 is Ed25519, 6 is ML-DSA-44."""
    public: bytes

    @classmethod
    def of(cls, name: str, key: Cosigner) -> "WitnessKey":
        """The verifier key of `key`."""
        algorithm = _ED25519 if isinstance(key, Ed25519PrivateKey) else _ML_DSA_44
        return cls(name, algorithm, key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, line: str) -> "WitnessKey":
        """Read `name+hash+key`.

        Raises:
            BadCosignatureError: another form, no witness's key, or a hash that does not belong.
        """
        match = _KEY_LINE.fullmatch(line)
        if match is None or not can_name(match["name"]):
            raise BadCosignatureError("a verifier key reads `name+hash+key`")
        try:
            raw = b64decode(match["key"], validate=True)
        except ValueError as error:
            raise BadCosignatureError("the verifier key is not base64", cause=error) from error
        if not raw or _KEY_BYTES.get(raw[0]) != len(raw) - 1:
            raise BadCosignatureError("the verifier key is not a witness's key")
        key = cls(match["name"], raw[0], raw[1:])
        if key.hash.hex() != match["hash"] or str(key) != line:
            raise BadCosignatureError("the verifier key does not have the hash it names")
        return key

    @property
    def hash(self) -> bytes:
        """Four bytes by which a signature says whose it is."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed()).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{b64encode(self._typed()).decode()}"

    def verify(self, checkpoint: Checkpoint, signature: bytes) -> int:
        """When this witness signed `checkpoint`.

        Raises:
            BadCosignatureError: `signature` is not its signature of that.
        """
        if len(signature) != 8 + _SIGNATURE_BYTES[self.algorithm]:
            raise BadCosignatureError("a cosignature has another length")
        time = int.from_bytes(signature[:8], "big")
        if time > _LATEST:
            raise BadCosignatureError("a cosignature names no time")
        try:
            if self.algorithm == _ED25519:
                ed25519 = Ed25519PublicKey.from_public_bytes(self.public)
                ed25519.verify(signature[8:], _v1_message(checkpoint, time))
            else:
                ml_dsa = MLDSA44PublicKey.from_public_bytes(self.public)
                ml_dsa.verify(signature[8:], _subtree_message(self.name, checkpoint, time))
        except UnsupportedAlgorithm as error:
            raise BadCosignatureError("ML-DSA-44 cannot be checked here", cause=error) from error
        except (InvalidSignature, ValueError) as error:
            raise BadCosignatureError("a cosignature does not hold", cause=error) from error
        return time

    def _typed(self) -> bytes:
        return bytes([self.algorithm]) + self.public


def cosign(checkpoint: Checkpoint, name: str, key: Cosigner, *, time: int) -> str:
    """The signature line, with its newline, by which the witness `name` says that it saw `checkpoint` at `time`."""
    if isinstance(key, Ed25519PrivateKey):
        made = key.sign(_v1_message(checkpoint, time))
    else:
        made = key.sign(_subtree_message(name, checkpoint, time))
    value = WitnessKey.of(name, key).hash + time.to_bytes(8, "big") + made
    return f"— {name} {b64encode(value).decode()}\n"


def _v1_message(checkpoint: Checkpoint, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{checkpoint.body()}".encode()


def _subtree_message(name: str, checkpoint: Checkpoint, time: int) -> bytes:
    origin, cosigner = checkpoint.origin.encode(), name.encode()
    return b"".join((
        b"subtree/v1\n\0",
        bytes([len(cosigner)]), cosigner,
        time.to_bytes(8, "big"),
        bytes([len(origin)]), origin,
        bytes(8), checkpoint.size.to_bytes(8, "big"), checkpoint.root,
    ))  # fmt: skip
