"""One issuer with one key, and tokens it signs; with a way to sign what no issuer would."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from joserfc import jws

from remit.canonical import canonical_bytes
from remit.ids import AgentId, ClientId, GrantId, ScopeName, TenantId
from remit.model import Environment, Sensitivity
from remit.testing.clock import FixedClock
from remit.tokens import AccessToken, KeySet, SigningKey, TokenVerifier, mint
from remit.tokens.mint import claims_of

ISSUER = "https://remit.example"
AUDIENCE = "https://remit.example/mcp/crm"


@dataclass
class Mint:
    clock: FixedClock
    keys: KeySet
    verifier: TokenVerifier
    issuer: str = ISSUER
    audience: str = AUDIENCE

    def token(self, **changes: object) -> AccessToken:
        now = self.clock.now()
        claims = {
            "iss": self.issuer,
            "sub": "usr_1",
            "aud": self.audience,
            "client_id": ClientId("cli_1"),
            "jti": "jti_1",
            "iat": now,
            "exp": now + 600,
            "scopes": (ScopeName("crm:accounts.read"), ScopeName("crm:accounts.write")),
            "grant_id": GrantId("gnt_1"),
            "agent_id": AgentId("assistant"),
            "organization_id": TenantId("acme"),
            "environment": Environment("prod"),
            "sensitivity": Sensitivity.HIGH,
        }
        return AccessToken(**{**claims, **changes})

    def raw(self, **changes: object) -> str:
        return mint(self.keys, self.token(**changes))

    def signed(self, claims: object, **header: object) -> str:
        """Anything at all as the payload, under our own key."""
        key = self.keys.signing_at(self.clock.now())
        fields = {"typ": "at+jwt", "alg": "ES256", "kid": key.kid, **header}
        fields = {name: value for name, value in fields.items() if value is not None}
        data = claims if isinstance(claims, bytes) else canonical_bytes(claims)
        registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
        return jws.serialize_compact(fields, data, key.key, registry=registry)

    def with_claims(self, edit: Callable[[dict], object]) -> str:
        """A token of ours whose claims `edit` has changed in place."""
        claims = claims_of(self.token())
        edit(claims)
        return self.signed(claims)

    def verify(self, raw: str) -> AccessToken:
        return self.verifier.verify(raw, audience=self.audience)


@pytest.fixture
def minted(clock: FixedClock) -> Mint:
    keys = KeySet([SigningKey.generate(clock.now())])
    return Mint(clock=clock, keys=keys, verifier=TokenVerifier(keys, ISSUER, clock))
