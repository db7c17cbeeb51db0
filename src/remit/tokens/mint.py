"""Signing an access token. Source: RFC 9068 §2.1, §2.2; RFC 9068 §2.2.3.1 (`roles`); RFC 7515 §7.1; RFC 7518 §3.4."""

from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from remit.canonical import JsonObject, canonical_bytes
from remit.tokens.access_token import AccessToken, Delegate
from remit.tokens.keys import ALGORITHM, KeySet, NoSigningKeyError, SigningKey

__all__ = ["claims_of", "mint"]


def mint(keys: KeySet, token: AccessToken) -> str:
    """`token` as a JWT of type `at+jwt`, signed by the key that signs when it is issued.

    Raises:
        NoSigningKeyError: there is no key to sign with.
    """
    signing = keys.signing_at(token.iat)
    header = canonical_bytes({"typ": "at+jwt", "alg": ALGORITHM, "kid": signing.kid})
    said = _encoded(header) + b"." + _encoded(canonical_bytes(claims_of(token)))
    return (said + b"." + _encoded(_signature(signing, said))).decode("ascii")


def claims_of(token: AccessToken) -> JsonObject:
    """The claims as they stand in the JWT; what is empty or unknown is left out."""
    claims: JsonObject = {
        "iss": token.iss,
        "sub": token.sub,
        "aud": token.aud,
        "client_id": token.client_id,
        "jti": token.jti,
        "iat": token.iat,
        "exp": token.exp,
        "scope": " ".join(token.scopes),
        "sid": token.grant_id,
        "agent_id": token.agent_id,
        "organization_id": token.organization_id,
        "environment": token.environment,
        "sensitivity": token.sensitivity.value,
    }
    if token.roles:
        claims["roles"] = list(token.roles)
    if token.attributes:
        claims["attributes"] = dict(token.attributes)
    if token.purpose:
        claims["purpose"] = token.purpose
    if token.auth_time is not None:
        claims["auth_time"] = token.auth_time
    if token.acr is not None:
        claims["acr"] = token.acr
    if token.amr:
        claims["amr"] = list(token.amr)
    if token.jkt is not None:
        claims["cnf"] = {"jkt": token.jkt}
    if token.actors:
        claims["act"] = _act(token.actors)
    if token.may_act:
        claims["may_act"] = {"sub": list(token.may_act)}
    if token.authorization_details:
        claims["authorization_details"] = [dict(one) for one in token.authorization_details]
    if token.temporary:
        claims["temporary_scopes"] = list(token.temporary)
    return claims


def _act(actors: tuple[Delegate, ...]) -> JsonObject:
    """The chain of actors, the one that acts now outermost (RFC 8693 §4.1)."""
    first, *before = actors
    act: JsonObject = {"sub": first.agent_id, "client_id": first.client_id}
    return act | {"act": _act(tuple(before))} if before else act


def _signature(signing: SigningKey, said: bytes) -> bytes:
    """R and S, 32 bytes each (RFC 7518 §3.4). By hand, for at every token a JOSE library takes as long as it."""
    private = signing.key.private_key
    if private is None:
        raise NoSigningKeyError(f"the key `{signing.kid}` has no private part")
    r, s = decode_dss_signature(private.sign(said, ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _encoded(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
