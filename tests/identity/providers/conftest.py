"""Two providers that can be told to lie, and a browser that goes between them and the log-in pages."""

import hashlib
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import httpx2
import orjson
import pytest
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette

from remit.canonical import canonical_bytes
from remit.identity import providers, routes
from remit.identity.providers import ProviderDeps
from remit.ids import TenantId
from remit.model import ClaimMapping, IdentityProvider, SignIn
from remit.tokens.published import Published
from remit.tokens.published_keys import PublishedKeys
from remit.web import static_routes
from remit.web.fetch import Answer, Document, FetchFailedError

ORIGIN = "http://localhost:8000"
CORP, CLUB = "https://login.corp.example", "https://club.example/tenant-1"
SECRET = "our secret at corp: 100% + more"


def encoded(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class FakeProvider:
    """An OpenID provider in this process. What it publishes and says is a test's to change.

    `says` changes claims of the ID token, `header` its header; `answers` what the token endpoint
    says besides; `forms` are the token requests that came. With a `refresh_token`
    it issues refresh tokens, each good once; `refuses` is its error for any other.
    """

    issuer: str
    clock: object
    client_id: str
    secret: str | None = None
    key: ECKey = field(
        default_factory=lambda: ECKey.generate_key("P-256", parameters={"kid": "key-1"})
    )
    claims: dict = field(default_factory=lambda: {"sub": "sub-1", "preferred_username": "Grace"})
    says: dict = field(default_factory=dict)
    header: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    userinfo: dict | None = None
    metadata: dict = field(default_factory=dict)
    status: int = 200
    is_down: bool = False
    forms: list = field(default_factory=list)
    fetched: list = field(default_factory=list)
    requests: dict = field(default_factory=dict)
    published_keys: list | None = None
    signing_key: ECKey | None = None
    refresh_token: str | None = None
    refuses: str = "invalid_grant"
    issued: int = 0

    def document(self):
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": True,
        }
        if self.userinfo is not None:
            said["userinfo_endpoint"] = f"{self.issuer}/userinfo"
        return {name: one for name, one in (said | self.metadata).items() if one is not None}

    def get(self, url):
        self.fetched.append(url)
        if self.is_down:
            raise FetchFailedError("the host could not be reached over TLS")
        if url == f"{self.issuer}/jwks":
            keys = self.published_keys or [self.key]
            return {"keys": [key.as_dict(private=False) for key in keys]}
        assert url == f"{self.issuer}/.well-known/openid-configuration"
        return self.document()

    def authorize(self, url, **changes):
        """What the browser brings back from `url`, where the person says yes."""
        asked = {name: one[0] for name, one in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.requests)}"
        self.requests[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        return {name: one for name, one in (answer | changes).items() if one is not None}

    def redeem(self, fields, authorization):
        self.forms.append((dict(fields), authorization))
        if self.is_down:
            raise FetchFailedError("the host could not be reached over TLS")
        if fields["grant_type"] == "refresh_token":
            return self.refresh(fields, authorization)
        asked = self.requests.pop(fields["code"], None)
        if asked is None or not self._is_ours(fields, authorization):
            return Answer(
                status=400, body=b'{"error":"invalid_grant"}', media_type="application/json"
            )
        challenge = encoded(hashlib.sha256(fields["code_verifier"].encode()).digest())
        assert challenge == asked["code_challenge"]
        assert fields["redirect_uri"] == asked["redirect_uri"]
        said = {"access_token": "at-1", "token_type": "Bearer", "id_token": self.id_token(asked)}
        said |= self._next_refresh_token()
        body = {name: one for name, one in (said | self.answers).items() if one is not None}
        return Answer(status=self.status, body=orjson.dumps(body), media_type="application/json")

    def refresh(self, fields, authorization):
        """A refresh token is good once, for the newest."""
        if (
            not self._is_ours(fields, authorization)
            or fields["refresh_token"] != self.refresh_token
        ):
            return Answer(
                status=self.status if self.status != 200 else 400,
                body=orjson.dumps({"error": self.refuses}),
                media_type="application/json",
            )
        said = {"access_token": "at-1", "token_type": "Bearer"} | self._next_refresh_token()
        if self.answers.get("id_token", "") is not None:
            said["id_token"] = self.id_token({"nonce": None})
        body = {name: one for name, one in (said | self.answers).items() if one is not None}
        return Answer(status=self.status, body=orjson.dumps(body), media_type="application/json")

    def _next_refresh_token(self):
        if self.refresh_token is None:
            return {}
        self.issued += 1
        self.refresh_token = f"rt-{self.issued}"
        return {"refresh_token": self.refresh_token}

    def id_token(self, asked):
        now = self.clock.now()
        half = hashlib.sha256(b"at-1").digest()[:16]
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "at_hash": encoded(half),
            **self.claims,
            **self.says,
        }
        claims = {name: one for name, one in claims.items() if one is not None}
        header = {"alg": "ES256", "kid": "key-1"} | self.header
        text = f"{encoded(canonical_bytes(header))}.{encoded(canonical_bytes(claims))}"
        if header["alg"] == "none":
            return f"{text}."
        key = self.signing_key or self.key
        return f"{text}.{encoded(JWSRegistry.algorithms[header['alg']].sign(text.encode(), key))}"

    def tell(self, authorization):
        if self.is_down:
            raise FetchFailedError("the host could not be reached over TLS")
        assert authorization == "Bearer at-1"
        return Answer(status=200, body=orjson.dumps(self.userinfo), media_type="application/json")

    def _is_ours(self, fields, authorization):
        if self.secret is None:
            return fields["client_id"] == self.client_id and authorization is None
        if authorization is None:
            return fields["client_secret"] == self.secret
        client_id, _, secret = (
            b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        )
        return (unquote_plus(client_id), unquote_plus(secret)) == (self.client_id, self.secret)


@dataclass
class Internet:
    """Every provider there is, and how Remit asks them."""

    providers: list

    async def fetch(self, url, *, reach, body_bytes=None):
        return Document(url=url, body=orjson.dumps(self._of(url).get(url)), fresh_for=None)

    async def post_form(self, url, fields, *, authorization=None, reach):
        provider = self._of(url)
        if url == f"{provider.issuer}/userinfo":
            return provider.tell(authorization)
        assert url == f"{provider.issuer}/token", url
        return provider.redeem(fields, authorization)

    def _of(self, url):
        return next(one for one in self.providers if url.startswith(one.issuer))


@pytest.fixture
def corp(clock):
    return FakeProvider(issuer=CORP, clock=clock, client_id="remit at corp", secret=SECRET)


@pytest.fixture
def club(clock):
    return FakeProvider(issuer=CLUB, clock=clock, client_id="remit-club")


@pytest.fixture
def catalog(catalog):
    corp = IdentityProvider(
        name="corp",
        title="Corp",
        issuer=CORP,
        client_id="remit at corp",
        secret="env:CORP",
        tenant=TenantId("acme"),
        attributes={"department": "dept"},
        rules=(
            ClaimMapping(claims={"groups": ("agents-support",)}, roles=("support",)),
            ClaimMapping(
                claims={"groups": ("agents-finance",), "employee": ("true",)},
                roles=("finance",),
                attributes={"grade": "lead"},
            ),
            ClaimMapping(claims={"groups": ("globex",)}, tenant=TenantId("globex")),
            ClaimMapping(claims={"groups": ("suspended",)}, deny=True),
        ),
        believe_amr=True,
    )
    club = IdentityProvider(
        name="club", title="The Club", issuer=CLUB, client_id="remit-club", tenant=TenantId("acme")
    )
    return replace(catalog, sign_in=SignIn(providers={"corp": corp, "club": club}))


@pytest.fixture
def provider_deps(deps, corp, club, clock):
    internet = Internet([corp, club])
    return ProviderDeps(
        people=deps,
        published=Published(internet.fetch, clock),
        keys=PublishedKeys(internet.fetch, clock),
        post_form=internet.post_form,
        resolve_secret={"env:CORP": SECRET}.__getitem__,
    )


@dataclass
class Visitor:
    """A person's browser: it goes where it is sent, and carries what it is given."""

    client: httpx2.AsyncClient

    async def get(self, path):
        return await self.client.get(path)

    async def post(self, path, fields):
        own = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
        return await self.client.post(path, data=fields, headers=own)

    async def leave(self, provider="corp", return_to="/authorize/continue?request=r1"):
        """Press the provider's button; where that leads."""
        query = urlencode({"return_to": return_to}) if return_to else ""
        response = await self.get(f"/login/provider/{provider}?{query}")
        assert response.status_code == 303, response.text
        return response.headers["location"]

    async def come_back(self, answer, provider="corp"):
        return await self.get(f"/login/provider/{provider}/callback?{urlencode(answer)}")

    async def log_in(self, idp, provider="corp", **changes):
        """The whole way there and back."""
        return await self.come_back(idp.authorize(await self.leave(provider), **changes), provider)

    @property
    def session(self):
        return next(
            (one.value for one in self.client.cookies.jar if one.name == "remit_session"), None
        )


@pytest.fixture
async def new_visitor(deps, provider_deps):
    shown = replace(deps, sections=(providers.identity_section(deps),))
    application = Starlette(
        routes=[*providers.routes(provider_deps), *routes(shown), *static_routes()]
    )
    clients = []

    def make(ip="203.0.113.9"):
        transport = httpx2.ASGITransport(app=application, client=(ip, 40_000))
        clients.append(httpx2.AsyncClient(transport=transport, base_url=ORIGIN, timeout=20))
        return Visitor(clients[-1])

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def visitor(new_visitor):
    return new_visitor()
