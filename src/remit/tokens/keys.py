"""The keys that sign access tokens: one signs, several verify.

A key is published from the moment it is made, and signs from `signs_from` on: by then
every cache of the published set has it, so that nobody ever sees a token signed by a key
they do not know. Of the keys that may sign the newest does. Every key that is not retired
verifies and is published. ES256 alone.

Source: RFC 7517; RFC 7638 (`kid` is the thumbprint); RFC 7518 §3.4.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import ClassVar

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from remit.canonical import Json, JsonObject
from remit.clock import EpochSeconds
from remit.errors import Error, UnavailableError

__all__ = ["ALGORITHM", "KeySet", "NoSigningKeyError", "SigningKey", "UnusableKeyError"]

ALGORITHM = "ES256"
_CURVE = "P-256"


class NoSigningKeyError(UnavailableError):
    """There is no key to sign with: every one is retired, or none was made."""

    code: ClassVar[str] = "no_signing_key"


class UnusableKeyError(Error):
    """A stored key is not the P-256 key its `kid` names."""

    code: ClassVar[str] = "unusable_key"


def _generated() -> ECKey:
    """A key pair whose thumbprint can be typed after a command: it does not begin like an option."""
    while True:
        key = ECKey.generate_key(_CURVE, auto_kid=False)
        if not key.thumbprint().startswith("-"):
            return key


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One P-256 key pair. `kid` is its RFC 7638 thumbprint."""

    kid: str
    key: ECKey
    created_at: EpochSeconds
    signs_from: EpochSeconds
    retired_at: EpochSeconds | None = None

    def __repr__(self) -> str:
        """Never the private part: a key that is logged is lost."""
        return f"SigningKey(kid={self.kid!r}, created_at={self.created_at})"

    @classmethod
    def generate(cls, now: EpochSeconds, *, signs_from: EpochSeconds | None = None) -> "SigningKey":
        """A new random key; it signs at once unless `signs_from` says when."""
        key = _generated()
        begins = now if signs_from is None else signs_from
        return cls(kid=key.thumbprint(), key=key, created_at=now, signs_from=begins)

    @classmethod
    def from_private_pem(
        cls,
        pem: bytes,
        *,
        kid: str,
        created_at: EpochSeconds,
        signs_from: EpochSeconds | None = None,
        retired_at: EpochSeconds | None = None,
    ) -> "SigningKey":
        """A stored key.

        Raises:
            UnusableKeyError: not a private P-256 key, or not the one that `kid` names.
        """
        try:
            key = ECKey.import_key(pem)
        except (JoseError, ValueError) as error:
            raise UnusableKeyError(f"the signing key `{kid}` cannot be read") from error
        if not key.is_private or key.curve_name != _CURVE or key.thumbprint() != kid:
            raise UnusableKeyError(f"the signing key `{kid}` is not the P-256 key of that name")
        begins = created_at if signs_from is None else signs_from
        return cls(
            kid=kid, key=key, created_at=created_at, signs_from=begins, retired_at=retired_at
        )

    @property
    def private_pem(self) -> bytes:
        """PKCS #8, to be sealed before it is stored."""
        return self.key.as_pem(private=True)

    @property
    def public_jwk(self) -> JsonObject:
        """The public part as it is published."""
        public: dict[str, Json] = {
            name: value
            for name, value in self.key.as_dict(private=False).items()
            if isinstance(value, str)
        }
        return public | {"kid": self.kid, "use": "sig", "alg": ALGORITHM}


class KeySet:
    """The keys in force; `publish` replaces them all at once, and every holder sees the new ones."""

    __slots__ = ("_active", "_jwks", "_newest_first")

    def __init__(self, keys: Iterable[SigningKey] = ()) -> None:
        self.publish(keys)

    def publish(self, keys: Iterable[SigningKey]) -> None:
        """Let `keys` be all there are. Retired ones neither sign, verify nor are published."""
        active = sorted(
            (key for key in keys if key.retired_at is None),
            key=lambda key: (key.signs_from, key.created_at, key.kid),
            reverse=True,
        )
        self._active = {key.kid: key for key in active}
        self._newest_first = tuple(active)
        self._jwks: tuple[JsonObject, ...] = tuple(key.public_jwk for key in active)

    def retain(self, kids: Collection[str]) -> None:
        """Let go of every key but these, without waiting until the others have been read again."""
        self.publish([key for key in self._newest_first if key.kid in kids])

    def signing_at(self, now: EpochSeconds) -> SigningKey:
        """The key that signs at `now`: the newest that may.

        When none may yet, because the clock was set back, the one that has been published longest.

        Raises:
            NoSigningKeyError: there is none at all.
        """
        for key in self._newest_first:
            if key.signs_from <= now:
                return key
        if not self._newest_first:
            raise NoSigningKeyError("there is no signing key")
        return self._newest_first[-1]

    def find(self, kid: str) -> SigningKey | None:
        """The key that verifies what says `kid`; `None` when no key in force has that name."""
        return self._active.get(kid)

    def public_jwks(self) -> JsonObject:
        """The JWK set to publish (RFC 7517 §5), newest first."""
        return {"keys": [dict(jwk) for jwk in self._jwks]}
