"""A third party that remembers in a cookie that a person agreed once, and a server that needs it."""

import hashlib
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import parse_qs, unquote_plus, urlsplit

import orjson
import pytest
from starlette.applications import Starlette

from remit.identity import routes as identity_routes
from remit.ids import ServerName
from remit.model import ThirdParty
from remit.oauth import routes
from remit.oauth.connections.access import ThirdPartyAccess
from remit.oauth.connections.tokens import ConnectionTokens
from remit.secrets import MasterKey, SecretBox
from remit.tokens.published import Published
from remit.web import static_routes
from remit.web.fetch import Answer, Document, FetchFailedError

ISSUER = "https://accounts.vendor.example"
SECRET = "vendor secret"


@dataclass
class Vendor:
    """An authorization server that asks each browser once and then answers for it silently, whoever sent it."""

    metadata: dict = field(default_factory=dict)
    codes: dict = field(default_factory=dict)
    forms: list = field(default_factory=list)
    revoked: list = field(default_factory=list)
    answers: dict = field(default_factory=dict)
    refused: str | None = None
    is_down: bool = False
    issued: int = 0
    asked: list = field(default_factory=list)

    def authorize(self, url, cookies, **changes):
        """Where it sends the browser; asks nothing if this browser agreed before."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == ISSUER
        query = {name: one[0] for name, one in parse_qs(parts.query).items()}
        if "agreed" not in cookies:
            self.asked.append(query["client_id"])
            cookies.add("agreed")
        code = f"vendor-code-{len(self.codes)}"
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": ISSUER} | changes
        return query["redirect_uri"], {k: v for k, v in answer.items() if v is not None}

    async def fetch(self, url, *, reach, body_bytes=None):
        if self.is_down or not url.endswith("/.well-known/oauth-authorization-server"):
            raise FetchFailedError("the host could not be reached over TLS")
        said = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "revocation_endpoint": f"{ISSUER}/revoke",
            "authorization_response_iss_parameter_supported": True,
        } | self.metadata
        body = orjson.dumps({name: one for name, one in said.items() if one is not None})
        return Document(url=url, body=body, fresh_for=None)

    async def post_form(self, url, fields, *, authorization=None, reach):
        if self.is_down:
            raise FetchFailedError("the host could not be reached over TLS")
        pair = b64decode(authorization.removeprefix("Basic ")).decode()
        assert unquote_plus(pair) == f"remit-static:{SECRET}"
        if url == f"{ISSUER}/revoke":
            self.revoked.append(fields["token"])
            return Answer(status=200, body=b"", media_type="")
        self.forms.append(dict(fields))
        if self.refused is not None:
            return answer(400, {"error": self.refused})
        if fields["grant_type"] == "authorization_code":
            asked = self.codes.pop(fields["code"], None)
            if asked is None or asked["redirect_uri"] != fields["redirect_uri"]:
                return answer(400, {"error": "invalid_grant"})
            hashed = hashlib.sha256(fields["code_verifier"].encode()).digest()
            assert urlsafe_b64encode(hashed).rstrip(b"=").decode() == asked["code_challenge"]
        self.issued += 1
        return answer(
            200,
            {
                "access_token": f"vendor-at-{self.issued}",
                "refresh_token": f"vendor-rt-{self.issued}",
                "token_type": "bearer",
                "expires_in": 3600,
            }
            | self.answers,
        )


def answer(status, body):
    kept = {name: one for name, one in body.items() if one is not None}
    return Answer(status=status, body=orjson.dumps(kept), media_type="application/json")


@pytest.fixture
def vendor():
    return Vendor()


@pytest.fixture
async def linked(server, vendor):
    """The authorization server, whose CRM needs the vendor."""
    party = ThirdParty(
        issuer=ISSUER,
        client_id="remit-static",
        secret="env:VENDOR",
        scopes=("contacts.read", "contacts.write"),
        resource="https://api.vendor.example",
        title="Vendor",
    )
    declare(server, connection=party)
    resolve = server.deps.resolve_secret
    box = SecretBox(MasterKey(bytes(range(32))))
    access = ThirdPartyAccess(
        box=box, published=Published(vendor.fetch, server.clock), post_form=vendor.post_form
    )
    server.deps = replace(
        server.deps,
        third_parties=access,
        resolve_secret=lambda name: SECRET if name == "env:VENDOR" else resolve(name),
    )
    server.application = Starlette(
        routes=[*routes(server.deps), *identity_routes(server.identity), *static_routes()]
    )
    await server.add_user()
    return server


def declare(server, **changes):
    """Put another CRM server in force."""
    catalog = server.directory.catalog
    crm = replace(catalog.servers[ServerName("crm")], **changes)
    servers = MappingProxyType({**catalog.servers, crm.name: crm})
    server.directory.replace_catalog(replace(catalog, servers=servers))


@pytest.fixture
def tokens(linked):
    return ConnectionTokens(linked.deps)


@pytest.fixture
def crm(linked):
    """The CRM as it is declared now."""
    return lambda: linked.directory.catalog.servers[ServerName("crm")]
