"""One DPoP proof: whether the holder of a key made it for this very request, now.

Refuses: no or more than one header; what is not strict JSON in canonical base64url; another type;
an algorithm outside the list, so `none` and shared secrets always; a key that is not a public one of
the algorithm's own kind, or that brings its private half along; anything else in the header; a claim
missing or mistyped; another method or address; another access token, or one where none is; an
unknown nonce; a time that is too far off; a bad signature. That a proof comes once is for its
reader to remember, under `Proof.id`.

Addresses are compared without query and fragment, scheme and host in lower case, the default port
left out, an empty path as `/`; nothing else is normalised, since no two readers agree on the rest.

Source: RFC 9449 §4.2, §4.3, §8, §11.1; RFC 7638 §3; RFC 8037 §2; RFC 9864 §2.2 (`Ed25519`).
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

from remit.canonical import JsonObject, canonical_bytes
from remit.clock import EpochSeconds
from remit.errors import Error
from remit.tokens.dpop_nonce import DpopNonces
from remit.tokens.foreign import InvalidForeignJwtError, read_foreign, time_claim

__all__ = [
    "DPOP_ALGORITHMS",
    "InvalidProofError",
    "NonceNeededError",
    "Occasion",
    "Proof",
    "check_proof",
    "token_hash",
]

_MAX_LENGTH: Final = 4_096
_MAX_TEXT: Final = 256
_MAX_URI: Final = 2_048
_PAST: Final = 60
_FUTURE: Final = 5
_WITH_NONCE: Final = 300
"""Seconds that `iat` may be off: our nonce says better than a stranger's clock how old a proof is."""
_HEADER: Final = frozenset({"alg", "jwk", "kid", "typ"})
_PRIVATE: Final = frozenset({"d", "dp", "dq", "k", "oth", "p", "q", "qi"})
_COORDINATE: Final = 32
_SIGNATURE: Final = 64
_DEFAULT_PORTS: Final[Mapping[str, int]] = MappingProxyType({"http": 80, "https": 443})


@dataclass(frozen=True, slots=True)
class _Kind:
    """The one kind of key that an algorithm takes; `members` are those of its thumbprint."""

    key_type: str
    curve: str
    coordinates: tuple[str, ...]


_EC: Final = _Kind("EC", "P-256", ("x", "y"))
_OKP: Final = _Kind("OKP", "Ed25519", ("x",))
_KINDS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {"ES256": _EC, "Ed25519": _OKP, "EdDSA": _OKP}
)
DPOP_ALGORITHMS: Final = tuple(_KINDS)
"""What a proof may be signed with, as metadata and challenges name it."""


class InvalidProofError(Error):
    """The proof is not one, or not of this request; `detail` may be shown to whoever sent it."""

    code: ClassVar[str] = "invalid_dpop_proof"


class NonceNeededError(InvalidProofError):
    """The proof has to carry a nonce that is good now (RFC 9449 §8, §9)."""

    code: ClassVar[str] = "use_dpop_nonce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """The request that a proof has to be about. `access_token` is what it comes with, if anything."""

    method: str
    uri: str
    now: EpochSeconds
    access_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that holds. `jkt` is the key's RFC 7638 thumbprint."""

    jkt: str
    jti: str
    nonce: str | None

    @property
    def id(self) -> str:
        """What to remember of it: the same key never proves twice with the same `jti`."""
        return hashlib.sha256(f"dpop {self.jkt} {self.jti}".encode()).hexdigest()


def check_proof(
    values: Sequence[str], occasion: Occasion, nonces: DpopNonces, *, nonce_required: bool
) -> Proof:
    """The proof in the `DPoP` headers `values`, which is good for `occasion`.

    Raises:
        NonceNeededError: it has no nonce of ours and needs one, or one that is no longer good.
        InvalidProofError: see the module.
    """
    if len(values) != 1:
        raise InvalidProofError("the request must have exactly one `DPoP` header")
    raw = values[0].strip(" \t")
    if len(raw) > _MAX_LENGTH:
        raise InvalidProofError("the proof is too long")
    try:
        jwt = read_foreign(raw)
        issued_at = time_claim(jwt.claims, "iat")
    except InvalidForeignJwtError as error:
        raise InvalidProofError("the proof is not a JWT that reads one way", cause=error) from error
    algorithm = _algorithm(jwt.header)
    members = _key_members(jwt.header, _KINDS[algorithm])
    jti = _text(jwt.claims, "jti")
    _check_request(jwt.claims, occasion)
    nonce = _nonce(jwt.claims, nonces, now=occasion.now, required=nonce_required)
    _check_time(issued_at, occasion.now, with_nonce=nonce is not None)
    _check_signature(raw, algorithm, members)
    return Proof(jkt=_thumbprint(members), jti=jti, nonce=nonce)


def token_hash(access_token: str) -> str:
    """What the claim `ath` says of an access token (RFC 9449 §4.2)."""
    return _unpadded(hashlib.sha256(access_token.encode()).digest())


def _algorithm(header: JsonObject) -> str:
    if header.keys() - _HEADER:
        raise InvalidProofError("the header of the proof has a field that is not known")
    if header.get("typ") != "dpop+jwt":
        raise InvalidProofError("the proof is of another type than `dpop+jwt`")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _KINDS:
        raise InvalidProofError("the proof is signed by an algorithm that is not allowed")
    return algorithm


def _key_members(header: JsonObject, kind: _Kind) -> dict[str, str]:
    """The members of the public key that its thumbprint is of, and nothing else of it."""
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        raise InvalidProofError("the proof does not hold its key")
    if jwk.keys() & _PRIVATE:
        raise InvalidProofError("the proof holds a private key")
    if jwk.get("kty") != kind.key_type or jwk.get("crv") != kind.curve:
        raise InvalidProofError("the key of the proof is not of its algorithm")
    members = {"kty": kind.key_type, "crv": kind.curve}
    for name in kind.coordinates:
        value = jwk.get(name)
        if not isinstance(value, str) or not _is_coordinate(value):
            raise InvalidProofError("the key of the proof is malformed")
        members[name] = value
    return members


def _is_coordinate(value: str) -> bool:
    """32 bytes in their one canonical spelling: a key with two spellings would have two thumbprints."""
    if len(value) != 43 or not value.isascii():
        return False
    try:
        decoded = urlsafe_b64decode(value + "=")
    except ValueError:
        return False
    return len(decoded) == _COORDINATE and _unpadded(decoded) == value


def _check_request(claims: JsonObject, occasion: Occasion) -> None:
    if _text(claims, "htm") != occasion.method:
        raise InvalidProofError("the proof is for another method")
    if _normalized(_text(claims, "htu", most=_MAX_URI)) != _normalized(occasion.uri):
        raise InvalidProofError("the proof is for another address")
    if occasion.access_token is None:
        # One that was made to use a token is not good for getting another.
        if "ath" in claims:
            raise InvalidProofError("the proof is for the use of an access token")
        return
    said, true = _text(claims, "ath"), token_hash(occasion.access_token)
    if not hmac.compare_digest(said.encode(), true.encode()):
        raise InvalidProofError("the proof is for another access token")


def _nonce(
    claims: JsonObject, nonces: DpopNonces, *, now: EpochSeconds, required: bool
) -> str | None:
    if "nonce" not in claims:
        if required:
            raise NonceNeededError("the proof must carry the nonce of the answer's `DPoP-Nonce`")
        return None
    nonce = _text(claims, "nonce")
    if nonces.window_of(nonce, now) is None:
        raise NonceNeededError("the nonce of the proof is not good, or no longer")
    return nonce


def _check_time(issued_at: EpochSeconds | None, now: EpochSeconds, *, with_nonce: bool) -> None:
    if issued_at is None:
        raise InvalidProofError("the proof does not say when it was made")
    past, future = (_WITH_NONCE, _WITH_NONCE) if with_nonce else (_PAST, _FUTURE)
    if now - past <= issued_at <= now + future:
        return
    if not with_nonce and now - _WITH_NONCE <= issued_at <= now + _WITH_NONCE:
        # A clock that is a little off is no crime; with our nonce the proof is as fresh as that is.
        raise NonceNeededError("the time of the proof is off; it must carry the nonce given here")
    raise InvalidProofError("the proof was made too long ago, or in the future")


def _check_signature(raw: str, algorithm: str, members: dict[str, str]) -> None:
    signed, _, last = raw.rpartition(".")
    signature = urlsafe_b64decode(last + "=" * (-len(last) % 4))
    try:
        key: ECKey | OKPKey = (
            ECKey.import_key(members) if members["kty"] == "EC" else OKPKey.import_key(members)  # type: ignore[arg-type]  # joserfc's own TypedDict of the same members
        )
        valid = len(signature) == _SIGNATURE and JWSRegistry.algorithms[algorithm].verify(
            signed.encode(), signature, key
        )
    except (JoseError, ValueError) as error:
        raise InvalidProofError("the key of the proof is malformed", cause=error) from error
    if not valid:
        raise InvalidProofError("the signature of the proof is not valid")


def _thumbprint(members: dict[str, str]) -> str:
    """RFC 7638 §3: the required members, sorted, without white space."""
    return _unpadded(hashlib.sha256(canonical_bytes(members)).digest())


def _text(claims: JsonObject, name: str, *, most: int = _MAX_TEXT) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise InvalidProofError(f"the claim `{name}` of the proof is missing or malformed")
    return value


def _normalized(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise InvalidProofError("the address in the proof is malformed", cause=error) from error
    if not parts.scheme or not parts.hostname or "@" in parts.netloc:
        raise InvalidProofError("the address in the proof is malformed")
    shown = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{parts.hostname}{shown}{parts.path or '/'}"


def _unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
