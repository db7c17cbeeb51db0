"""Signed checkpoints: one line of origin, one of size, one of root, and signatures below.

A checkpoint commits its signer to every record before `size`. Refused are a
note that is not exactly as this module writes it, a signature by a key of another
name or hash, and a key that is not Ed25519. Signatures by keys that the reader
does not know are passed over, as the format demands; one that is known must hold.

Source: C2SP signed-note; C2SP tlog-checkpoint; RFC 8032.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remit_audit_verify.errors import VerifyError

__all__ = [
    "BadCheckpointError",
    "Checkpoint",
    "SignedCheckpoint",
    "VerifierKey",
    "can_name",
    "open_checkpoint",
    "open_signed",
    "parse_checkpoint",
    "sign_checkpoint",
]

_ED25519 = b"\x01"
_KEY_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_SIGNATURE_LINE = re.compile(
    r"— (?P<name>[^\s+\x00-\x1f\x7f]{1,200}) (?P<value>[A-Za-z0-9+/]+={0,2})"
)
_KEY_LINE = re.compile(
    r"(?P<name>[^\s+\x00-\x1f\x7f]{1,200})\+(?P<hash>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]+)"
)
_MAX_NAME = 255
"""Bytes of UTF-8: as many as a cosignature has room for."""
_MAX_SIGNATURES = 64


class BadCheckpointError(VerifyError):
    """A note that is not a checkpoint, or not one signed by the key that it must be signed by."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first `size` records of the log `origin` hash to `root`."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed, with its final newline."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint, and its signatures as `(name, key hash, signature)`, none of them checked yet."""

    checkpoint: Checkpoint
    signatures: tuple[tuple[str, bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public key of a log, with the log's name: what an auditor keeps in a safe place."""

    name: str
    public: bytes

    @classmethod
    def of(cls, name: str, key: Ed25519PrivateKey | Ed25519PublicKey) -> "VerifierKey":
        """The verifier key of `key` for the log `name`.

        Raises:
            BadCheckpointError: `name` is empty, too long, or holds white space or a plus.
        """
        if _KEY_NAME.fullmatch(name) is None or not can_name(name):
            raise BadCheckpointError(f"`{name!a}` cannot name a log")
        public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
        return cls(name, public.public_bytes_raw())

    @classmethod
    def parse(cls, line: str) -> "VerifierKey":
        """Read `name+hash+key`, as `str()` writes it.

        Raises:
            BadCheckpointError: another form, another sort of key, or a hash that does not belong.
        """
        match = _KEY_LINE.fullmatch(line)
        if match is None or not can_name(match["name"]):
            raise BadCheckpointError("a verifier key reads `name+hash+key`")
        raw = _decode(match["key"])
        if raw[:1] != _ED25519 or len(raw) != 33:
            raise BadCheckpointError("the verifier key is not an Ed25519 key")
        key = cls(match["name"], raw[1:])
        if key.hash.hex() != match["hash"]:
            raise BadCheckpointError("the verifier key does not have the hash it names")
        return key

    @property
    def hash(self) -> bytes:
        """Four bytes by which a signature says whose it is."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{b64encode(_ED25519 + self.public).decode()}"


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The signed note of `checkpoint`; the log's origin is also the name of its key."""
    name = VerifierKey.of(checkpoint.origin, key)
    body = checkpoint.body()
    value = b64encode(name.hash + key.sign(body.encode())).decode()
    return f"{body}\n— {checkpoint.origin} {value}\n"


def parse_checkpoint(note: str) -> SignedCheckpoint:
    """Read a note without trusting it.

    Raises:
        BadCheckpointError: not a checkpoint, or not spelt the one way there is.
    """
    body, separator, signed = note.partition("\n\n")
    lines = body.split("\n")
    if not separator or len(lines) != 3 or not signed.endswith("\n"):
        raise BadCheckpointError("not a signed checkpoint")
    origin, size, root = lines
    named = _KEY_NAME.fullmatch(origin) is not None and can_name(origin)
    if not named or _SIZE.fullmatch(size) is None:
        raise BadCheckpointError("a checkpoint has a line of origin and a line of size")
    digest = _decode(root)
    if len(digest) != 32:
        raise BadCheckpointError("a checkpoint's root has 32 bytes")
    if signed.count("\n") > _MAX_SIGNATURES:
        raise BadCheckpointError(f"has more than {_MAX_SIGNATURES} signatures")
    signatures = tuple(_signature(line) for line in signed[:-1].split("\n"))
    return SignedCheckpoint(Checkpoint(origin, int(size), digest), signatures)


def open_checkpoint(note: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in `note`, signed by one of `keys` whose name is the checkpoint's origin.

    Raises:
        BadCheckpointError: as `open_signed`.
    """
    return open_signed(note, keys)[0]


def open_signed(
    note: str, keys: Iterable[VerifierKey]
) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
    """The checkpoint in `note`, and those of `keys` that signed it, their name being the checkpoint's origin.

    A key's hash is short, so that a second key with the same can be found: two of which a signature could be are
    refused, or one would be taken to have signed what the other did.

    Raises:
        BadCheckpointError: malformed; signed by none of `keys`; a signature does not hold; or two of `keys` have one hash.
    """
    signed = parse_checkpoint(note)
    checkpoint = signed.checkpoint
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if (
            key.name == checkpoint.origin
            and known.setdefault((key.name, key.hash), key).public != key.public
        ):
            raise BadCheckpointError("two keys of this log have one hash")
    held: dict[VerifierKey, None] = {}
    for name, key_hash, signature in signed.signatures:
        signer = known.get((name, key_hash))
        if signer is None:
            continue
        try:
            public = Ed25519PublicKey.from_public_bytes(signer.public)
            public.verify(signature, checkpoint.body().encode())
        except (InvalidSignature, ValueError) as error:
            raise BadCheckpointError("the signature does not hold", cause=error) from error
        held[signer] = None
    if not held:
        raise BadCheckpointError("not signed by a known key of this log")
    return checkpoint, tuple(held)


def can_name(name: str) -> bool:
    """Whether `name`, which holds no space, can be written in UTF-8 and is short enough for a cosignature."""
    try:
        return len(name.encode()) <= _MAX_NAME
    except UnicodeEncodeError:
        return False


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise BadCheckpointError("a signature line reads `— name value`")
    value = _decode(match["value"])
    if len(value) <= 4:
        raise BadCheckpointError("a signature is too short")
    return match["name"], value[:4], value[4:]


def _decode(text: str) -> bytes:
    """Base64 with padding, in its only canonical spelling."""
    try:
        value = b64decode(text, validate=True)
    except ValueError as error:
        raise BadCheckpointError("not base64", cause=error) from error
    if b64encode(value).decode() != text:
        raise BadCheckpointError("base64 in a spelling of its own")
    return value
