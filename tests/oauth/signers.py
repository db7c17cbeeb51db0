"""Somebody who signs assertions, well or badly: what no library would let a test write, this does."""

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from itertools import count

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from remit.model import StaticClient

_JTI = count(1)


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def key_for(algorithm: str, kid: str, *, bits: int = 2_048):
    """A new key pair for signatures of that algorithm."""
    if algorithm.startswith(("RS", "PS")):
        return RSAKey.generate_key(bits, {"kid": kid})
    if algorithm.startswith("Ed"):
        return OKPKey.generate_key("Ed25519", {"kid": kid})
    curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]
    return ECKey.generate_key(curve, {"kid": kid})


@dataclass
class Signer:
    """A key, and how it is used. `jwks` is what its owner publishes."""

    algorithm: str = "ES256"
    kid: str = "key-1"
    bits: int = 2_048
    key: object = field(init=False)

    def __post_init__(self):
        self.key = key_for(self.algorithm, self.kid, bits=self.bits)

    @property
    def jwk(self) -> dict:
        return self.key.as_dict(private=False)

    @property
    def jwks(self) -> dict:
        return {"keys": [self.jwk]}

    @property
    def pem(self) -> bytes:
        return self.key.as_pem(private=False)

    def sign(self, claims, *, key=None, algorithm=None, **header) -> str:
        """`claims` (or bytes) as a JWT; a header of `None` is left out."""
        algorithm = algorithm or self.algorithm
        head = {"alg": algorithm, "kid": self.kid, "typ": "JWT", **header}
        head = {name: value for name, value in head.items() if value is not None}
        return self.sign_raw(json.dumps(head).encode(), claims, key=key, algorithm=algorithm)

    def sign_raw(self, head: bytes, claims, *, key=None, algorithm=None) -> str:
        """As `sign`, the header as it is given."""
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        signed = f"{encoded(head)}.{encoded(payload)}"
        model = JWSRegistry.algorithms[algorithm or self.algorithm]
        signature = model.sign(signed.encode(), key or self.key)
        return f"{signed}.{encoded(signature)}"

    def confused(self, claims) -> str:
        """Signed with the public key as if it were a secret (RFC 8725 §2.1)."""
        head = json.dumps({"alg": "HS256", "kid": self.kid, "typ": "JWT"}).encode()
        signed = f"{encoded(head)}.{encoded(json.dumps(claims).encode())}"
        return f"{signed}.{encoded(hmac.digest(self.pem, signed.encode(), 'sha256'))}"

    def unsigned(self, claims, *, name: str = "none") -> str:
        """With no signature at all."""
        head = {"alg": name, "kid": self.kid, "typ": "JWT"}
        parts = (json.dumps(one).encode() for one in (head, claims))
        return ".".join(encoded(part) for part in parts) + "."


def changed(claims: dict, changes: dict) -> dict:
    """`claims` but for `changes`; one that is `None` is left out."""
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def new_jti() -> str:
    return f"jti-{next(_JTI)}"


def with_client(catalog, agent_id: str, client: StaticClient):
    """`catalog`, in which that agent has `client` too, in place of any of its name."""
    agent = catalog.agents[agent_id]
    others = tuple(one for one in agent.clients.static if one.client_id != client.client_id)
    clients = replace(agent.clients, static=(*others, client))
    return replace(catalog, agents={**catalog.agents, agent_id: replace(agent, clients=clients)})
