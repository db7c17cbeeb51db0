"""A key and the proofs of it, right or wrong on purpose. Source: RFC 9449 §4.2."""

from base64 import urlsafe_b64encode
from typing import Any

from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

from remit.canonical import canonical_bytes
from remit.clock import EpochSeconds
from remit.ids import new_secret
from remit.tokens.dpop import token_hash

__all__ = ["ProofKey"]


class ProofKey:
    """A client's key: P-256, or Ed25519 where `algorithm` says so."""

    def __init__(self, algorithm: str = "ES256") -> None:
        self.algorithm = algorithm
        self.key: ECKey | OKPKey = (
            ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")
        )

    @property
    def jkt(self) -> str:
        """Its RFC 7638 thumbprint."""
        return self.key.thumbprint()

    @property
    def public_jwk(self) -> dict[str, Any]:
        """Its public members, and no others."""
        names = ("kty", "crv", "x", "y")
        return {n: v for n, v in self.key.as_dict(private=False).items() if n in names}

    def proof(
        self,
        method: str,
        uri: str,
        *,
        at: EpochSeconds,
        token: str | None = None,
        nonce: str | None = None,
        **changes: Any,
    ) -> str:
        """A proof for that request; `changes` to its claims, `header` to its header, `None` leaves out."""
        header: dict[str, Any] = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.public_jwk}
        header |= changes.pop("header", {})
        claims: dict[str, Any] = {"jti": new_secret(""), "htm": method, "htu": uri, "iat": int(at)}
        if token is not None:
            claims["ath"] = token_hash(token)
        if nonce is not None:
            claims["nonce"] = nonce
        claims |= changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return self.signed(
            {name: value for name, value in header.items() if value is not None},
            canonical_bytes(kept),
        )

    def signed(self, header: dict[str, Any], payload: bytes) -> str:
        """`payload` under exactly this header, whatever it says."""
        message = f"{_unpadded(canonical_bytes(header))}.{_unpadded(payload)}"
        signature = JWSRegistry.algorithms[self.algorithm].sign(message.encode(), self.key)
        return f"{message}.{_unpadded(signature)}"


def _unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
