"""A Remit in which workloads prove themselves in every way, and one may act for another.

`billing-job` has a secret; `invoice-agent` a key, another client of its own with a secret, and leave to
exchange the tokens of the first; and a platform vouches for jobs.
"""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from tests.app.conftest import SECRET, Remit, Server
from tests.e2e.peer import Peer

__all__ = ["ACCESS_TOKEN", "ASKING", "EXCHANGE", "JWT_BEARER", "READ", "Workloads", "serving"]

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
READ = "payments:invoices.read"
ASKING = "a-secret-with-which-payments-asks"
PLATFORM = "https://platform.example"


@dataclass(frozen=True, slots=True)
class Workloads:
    """The running Remit, and what a test needs to speak to it."""

    server: Server
    remit: Remit
    key: ECKey
    """Of the client that signs, and of the platform that vouches for jobs."""

    @property
    def payments(self) -> str:
        return f"{self.server.url}/mcp/payments"

    @property
    def signed(self) -> dict[str, Any]:
        return {"client": "invoice-agent", "by": {"jwk": self.key.as_dict(private=True)}}

    def job(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": PLATFORM, "sub": "repo:acme.example/billing", "aud": self.server.url,
            "repository": "acme.example/billing", "iat": now, "exp": now + 60,
            "jti": str(uuid4()), **changes,
        }  # fmt: skip
        return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, self.key)

    async def token(self, peer: Peer, **parameters: str) -> dict[str, Any]:
        asked = {"resource": self.payments, **parameters}
        by = {"client": "billing-job", "by": {"secret": SECRET}}
        return await peer.ask(do="grant", type="client_credentials", parameters=asked, **by)


@contextmanager
def serving(remit: Remit) -> Iterator[Workloads]:
    """Serve with the example repository and these workloads, beside what `remit.repo` has already."""
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    declare(remit.repo, json.dumps({"keys": [key.as_dict(private=False)]}))
    with remit.serving(environ={"ASKING": ASKING}) as server:
        yield Workloads(server, remit, key)
    shutil.rmtree(remit.data, ignore_errors=True)


def declare(repo: Path, jwks: str) -> None:
    job = repo / "agents" / "billing-job.yaml"
    job.write_text(job.read_text() + "\ndelegates: [invoice-agent]\n")
    (repo / "agents" / "invoice-agent.yaml").write_text(
        "name: Invoice agent\nowner: finance-systems@acme.example\nclass: workload\n"
        f"purpose: Answers for other agents.\nscopes: [{READ}]\nenvironments: [prod]\n"
        "tenants: [acme]\nmax_sensitivity: low\nclients:\n  static:\n"
        "    - client_id: invoice-agent\n      name: Invoice agent\n"
        f"      grant_types: [client_credentials, token_exchange]\n      jwks: {jwks}\n"
        "    - client_id: invoice-clerk\n      name: Invoice clerk\n"
        "      grant_types: [token_exchange]\n      secret: env:REMIT_BILLING_JOB_SECRET\n"
    )
    payments = repo / "servers" / "payments.yaml"
    payments.write_text(payments.read_text() + "\nintrospection_secret: env:ASKING\n")
    (repo / "trust.yaml").write_text(
        f"issuers:\n  platform:\n    issuer: {PLATFORM}\n    jwks: {jwks}\n"
        "    workloads:\n      - name: nightly\n        claims: { repository: acme.example/billing }\n"
        "        agent: billing-job\n        servers: [payments]\n"
    )
