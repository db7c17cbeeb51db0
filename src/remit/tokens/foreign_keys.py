"""The keys of somebody else: a JWK set, read so that no key is used for what it is not.

Kept are public RSA keys of 2048 bits and more, P-256, P-384 and P-521 keys, and Ed25519
keys, for signatures. Passed over, so that one odd key does not take the others along: another
type or curve, `use` other than `sig`, `key_ops` without `verify`, a short RSA key, a key that
cannot be read. Refused whole: what is not a JWK set, a symmetric or a private key in it (whoever
publishes either has none left), more keys than anybody needs, two keys of one name and type.

Source: RFC 7517 §4, §5; RFC 7518 §6; RFC 8725 §3.2, §3.5.
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from remit.canonical import Json, JsonObject
from remit.errors import Error

__all__ = ["ASYMMETRIC_ALGORITHMS", "ForeignKey", "UnusableKeysError", "parse_jwks"]

_MAX_KEYS: Final = 64
_MIN_RSA_BITS: Final = 2_048
_MAX_RSA_BITS: Final = 8_192
"""A verification takes time that grows with the key, and the key is not ours."""
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_BY_CURVE: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("EC", "P-256"): ("ES256",),
        ("EC", "P-384"): ("ES384",),
        ("EC", "P-521"): ("ES512",),
        ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
    }
)
ASYMMETRIC_ALGORITHMS: Final = (*_RSA, "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Every algorithm a signature of somebody else may have; never `none`, never a shared secret."""

_PARTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}
)
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class UnusableKeysError(Error):
    """The document is not a set of public keys."""

    code: ClassVar[str] = "unusable_keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """One public key, and the algorithms it may be used with."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: RSAKey | ECKey | OKPKey = field(repr=False)


def parse_jwks(document: JsonObject) -> tuple[ForeignKey, ...]:
    """The keys of `document` that can verify a signature; perhaps none.

    Raises:
        UnusableKeysError: see the module.
    """
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys):
        raise UnusableKeysError("the key set has no list `keys` of objects")
    if len(keys) > _MAX_KEYS:
        raise UnusableKeysError(f"the key set has more than {_MAX_KEYS} keys")
    found = [key for one in keys if isinstance(one, dict) and (key := _parse(one)) is not None]
    names = [(key.kid, key.key.key_type) for key in found if key.kid is not None]
    if len(set(names)) != len(names):
        raise UnusableKeysError("the key set has two keys of one name")
    return tuple(found)


def _parse(jwk: JsonObject) -> ForeignKey | None:
    if jwk.get("kty") == "oct" or _PRIVATE & jwk.keys():
        raise UnusableKeysError("the key set holds a key that is not public")
    kid = jwk.get("kid")
    if not _is_for_signatures(jwk) or not (kid is None or isinstance(kid, str)):
        return None
    key = _import(jwk)
    if key is None:
        return None
    algorithms = _RSA if isinstance(key, RSAKey) else _BY_CURVE.get(_type_of(jwk), ())
    named = jwk.get("alg")
    if named is not None:  # RFC 7517 §4.4: the key is for that one alone
        algorithms = tuple(one for one in algorithms if one == named)
    return ForeignKey(kid=kid, algorithms=algorithms, key=key) if algorithms else None


def _is_for_signatures(jwk: JsonObject) -> bool:
    operations: Json = jwk.get("key_ops", ["verify"])
    verifies = isinstance(operations, list) and "verify" in operations
    return jwk.get("use", "sig") == "sig" and verifies


def _type_of(jwk: JsonObject) -> tuple[str, str]:
    return str(jwk.get("kty")), str(jwk.get("crv"))


def _import(jwk: JsonObject) -> RSAKey | ECKey | OKPKey | None:
    """The key from its public numbers alone: `x5c`, `x5u` and what else it says are not looked at."""
    kty = jwk.get("kty")
    numbers: dict[str, str | list[str]] = {
        name: value for name in _PARTS.get(str(kty), ()) if isinstance(value := jwk.get(name), str)
    }
    try:
        if kty == "RSA":
            return RSAKey.import_key(numbers) if _is_of_fair_size(jwk) else None
        if kty == "EC" and _type_of(jwk) in _BY_CURVE:
            return ECKey.import_key(numbers)
        if kty == "OKP" and _type_of(jwk) in _BY_CURVE:
            return OKPKey.import_key(numbers)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def _is_of_fair_size(jwk: JsonObject) -> bool:
    modulus = jwk.get("n")
    if not isinstance(modulus, str) or len(modulus) > _MAX_RSA_BITS // 5:
        return False
    size = int.from_bytes(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))).bit_length()
    return _MIN_RSA_BITS <= size <= _MAX_RSA_BITS
