"""People of real OpenID providers log in, and a real third party is asked only after our own page."""

import json
import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pytest
import pytest_asyncio

from remit.demo.person import read_forms
from remit.demo.stage import _process, _remit, _until_ready, _write_repository, free_port
from tests.e2e.application import application
from tests.e2e.peer import node_peer

pytestmark = [pytest.mark.e2e, pytest.mark.node]

SCOPE = "crm:handbook.read"
ACCOUNTS = "crm:accounts.read"
SECRETS = {
    "CRM_GATEWAY_TOKEN": "crm-gateway-token-of-tests",
    "REMIT_BILLING_JOB_SECRET": "billing-job-secret-of-tests",
    "ACME_LOGIN_SECRET": "acme-login-secret-of-tests: 100% + a",
    "VENDOR_SECRET": "vendor-secret-of-tests",
}
PASSWORD = "a password of dana's own"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Remit, two providers and a third party, each at a port of its own."""

    url: str
    acme: str
    club: str
    vendor: str
    log: object

    def server(self, name):
        return f"{self.url}/mcp/{name}"

    async def put_into(self, login, *groups):
        async with httpx2.AsyncClient() as http:
            query = {"login": login, "groups": ",".join(groups)}
            assert (await http.get(f"{self.acme}/control", params=query)).status_code == 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upstream")
    ports = [free_port() for _ in range(4)]
    url, acme, vendor = (f"http://127.0.0.1:{port}" for port in (ports[0], ports[1], ports[3]))
    club = f"http://localhost:{ports[2]}"
    _write_repository(folder / "policy", free_port())
    _declare(folder / "policy", acme=acme, club=club, vendor=vendor)
    providers = [
        _provider("acme", acme, f"{url}/login/provider/acme/callback", "ACME_LOGIN_SECRET"),
        _provider("club", club, f"{url}/login/provider/club/callback", None),
        _provider("vendor", vendor, f"{url}/connections/crm/callback", "VENDOR_SECRET"),
    ]
    serve = _remit(
        "serve", "--repo", str(folder / "policy"), "--data", str(folder / "data"),
        "--port", str(ports[0]),
    )  # fmt: skip
    log = folder / "remit.log"
    async with node_peer("oidc_provider.mjs", json.dumps(providers)) as peer:
        assert await peer.read() == {"ready": True}
        async with _process(serve, log, SECRETS) as remit:
            await _until_ready(f"{url}/readyz", remit, log)
            yield World(url=url, acme=acme, club=club, vendor=vendor, log=log)


def _provider(name, issuer, redirect_uri, secret):
    client = {
        "client_id": f"remit at {name}",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none" if secret is None else "client_secret_basic",
    }
    if secret is not None:
        client["client_secret"] = SECRETS[secret]
    return {
        "name": name,
        "issuer": issuer,
        "port": urlsplit(issuer).port,
        "clients": [client],
    }


def _declare(folder, *, acme, club, vendor):
    (folder / "people.yaml").write_text(
        f"""
passwords: true
providers:
  acme:
    title: Acme single sign-on
    issuer: {acme}
    client_id: remit at acme
    secret: env:ACME_LOGIN_SECRET
    scopes: [openid, profile, groups]
    tenant: acme
    private_network: true
    rules:
      - claims: {{ groups: support }}
        roles: [support]
      - claims: {{ groups: readers }}
        roles: [reader]
      - claims: {{ groups: gone }}
        deny: true
  club:
    title: The Club
    issuer: {club}
    client_id: remit at club
    tenant: globex
    private_network: true
"""
    )
    roles, root = folder / "roles.yaml", folder / "remit.yaml"
    roles.write_text(
        roles.read_text().replace("\nroles:\n", f"\nroles:\n  reader:\n    scopes: [{SCOPE}]\n")
    )
    scopes = f"scopes: [{SCOPE}]"
    assert scopes in root.read_text()
    root.write_text(root.read_text().replace(scopes, f"scopes: [{SCOPE}, {ACCOUNTS}]"))
    crm = folder / "servers" / "crm.yaml"
    crm.write_text(
        crm.read_text()
        + f"""
connection:
  title: Vendor
  issuer: {vendor}
  client_id: remit at vendor
  secret: env:VENDOR_SECRET
  scopes: [contacts.read, offline_access]
  private_network: true
"""
    )


@dataclass
class Visitor:
    """A browser without scripts: it goes where it is sent, and fills in whatever form it meets.

    `way` is the provider whose button is pressed on our log-in page; `pages` what was met on the way.
    """

    way: str
    login: str
    allows: bool = True
    cancels: bool = False
    http: httpx2.AsyncClient = field(
        default_factory=lambda: httpx2.AsyncClient(timeout=30, follow_redirects=False)
    )
    pages: list = field(default_factory=list)

    async def walk(self, url, until):
        """From `url` to the first address that `until` accepts, or the first page with nothing to do."""
        response = await self.http.get(url)
        for _ in range(40):
            if response.is_redirect:
                target = urljoin(str(response.url), response.headers["location"])
                if until(target):
                    return target
                response = await self.http.get(target)
                continue
            step = await self._answer(response)
            if step is None:
                return response
            response = step
        raise AssertionError("the pages never came to an end")

    async def _answer(self, page):
        self.pages.append(page)
        button = re.search(rf'href="(/login/provider/{self.way}\b[^"]*)"', page.text)
        if button is not None and page.status_code == 200:
            return await self.http.get(urljoin(str(page.url), unescape(button[1])))
        abort = re.search(r'href="([^"]*/interaction/[^"]*/abort)"', page.text)
        if abort is not None and self.cancels:
            return await self.http.get(urljoin(str(page.url), unescape(abort[1])))
        for form in read_forms(page.text):
            said = dict(form.fields)
            if "/interaction/" in form.action:
                if "login" in said:
                    said |= {"login": self.login, "password": "any"}
                return await self._send(page, form.action, list(said.items()))
            if form.boxes:
                choice = "allow" if self.allows else "refuse"
                fields = [*form.fields, *form.boxes, ("decision", choice)]
                return await self._send(page, form.action, fields)
        return None

    async def _send(self, page, action, fields):
        parts = urlsplit(str(page.url))
        return await self.http.post(
            urljoin(str(page.url), action),
            content=str(httpx2.QueryParams(fields)),
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "origin": f"{parts.scheme}://{parts.netloc}",
                "sec-fetch-site": "same-origin",
            },
        )

    def met(self, text):
        """The pages on the way that say `text`."""
        return [page for page in self.pages if text in page.text]


async def authorized(app, visitor, scope=SCOPE, **changes):
    """What comes back to the application."""
    arrived = await visitor.walk(
        app.request(scope=scope, **changes), lambda target: target.startswith(app.redirect_uri)
    )
    assert isinstance(arrived, str), arrived.text
    return {name: one[0] for name, one in parse_qs(urlsplit(arrived).query).items()}


@pytest.fixture
async def visitor():
    made = []

    def make(way="acme", login="grace", **more):
        made.append(Visitor(way, login, **more))
        return made[-1]

    yield make
    for one in made:
        await one.http.aclose()


async def test_a_person_logs_in_at_their_provider_and_an_agent_gets_its_token(world, visitor):
    await world.put_into("grace", "support")
    grace = visitor()
    async with application(world) as app:
        answer = await authorized(app, grace)
        tokens = await app.redeem(answer["code"])
    assert answer["iss"] == world.url
    assert tokens["scope"] == SCOPE
    assert grace.met("grace of acme")  # our consent page knows her name


async def test_two_providers_know_two_persons_of_one_name(world, visitor):
    await world.put_into("ivan", "support")
    seen = []
    for way in ("acme", "club"):
        person = visitor(way, "ivan")
        response = await person.walk(
            f"{world.url}/login?return_to=/account", lambda target: target.endswith("/account")
        )
        assert isinstance(response, str)
        page = await person.http.get(f"{world.url}/account")
        seen.append(f"ivan of {way}" in page.text)
    assert seen == [True, True]


async def test_the_confused_deputy_gets_nothing_though_the_third_party_would_not_ask(
    world, visitor
):
    await world.put_into("judy", "support")
    judy = visitor(login="judy")
    async with application(world) as app:
        await authorized(app, judy)
    assert len(_at(judy, world.vendor)) > 0
    judy.pages.clear()
    judy.allows = False
    async with application(world) as other:
        answer = await authorized(other, judy)
    assert answer["error"] == "access_denied"
    assert _at(judy, world.vendor) == []  # our page came first, and hers was no


async def test_nobody_is_sent_to_the_third_party_before_our_own_page(world, visitor):
    await world.put_into("karl", "support")
    karl = visitor(login="karl")
    async with application(world) as app:
        await authorized(app, karl)
    hosts = [urlsplit(str(page.url)).netloc for page in karl.pages]
    ours, theirs = urlsplit(world.url).netloc, urlsplit(world.vendor).netloc
    consent = next(i for i, page in enumerate(karl.pages) if "contacts.read" in page.text)
    assert hosts[consent] == ours
    assert theirs in hosts
    assert consent < hosts.index(theirs)


async def test_a_person_who_turns_back_at_the_provider_is_told_what_else_there_is(world, visitor):
    mallory = visitor(login="mallory", cancels=True)
    page = await mallory.walk(f"{world.url}/login?return_to=/account", lambda _: False)
    assert page.status_code == 403
    assert "You are not logged in" in page.text
    assert "Other ways to log in" in page.text


async def test_a_person_whom_a_rule_keeps_out_is_kept_out(world, visitor):
    await world.put_into("trudy", "support", "gone")
    page = await visitor(login="trudy").walk(
        f"{world.url}/login?return_to=/account", lambda target: target.endswith("/account")
    )
    assert not isinstance(page, str)
    assert page.status_code == 403
    assert "not_admitted" in page.text


async def refreshed(world, app, tokens):
    async with httpx2.AsyncClient(timeout=60) as http:
        return await http.post(
            f"{world.url}/token",
            data={
                "grant_type": "refresh_token",
                "refresh_token": tokens["refresh_token"],
                "client_id": app.client_id,
                "resource": world.server("crm"),
            },
        )


async def test_a_group_that_is_taken_away_there_narrows_the_next_token(world, visitor):
    await world.put_into("olga", "support", "readers")
    olga = visitor(login="olga")
    async with application(world) as app:
        answer = await authorized(app, olga, scope=f"{SCOPE} {ACCOUNTS}")
        tokens = await app.redeem(answer["code"])
        assert set(tokens["scope"].split()) == {SCOPE, ACCOUNTS}
        await world.put_into("olga", "readers")
        narrower = await refreshed(world, app, tokens)
        assert narrower.json()["scope"] == SCOPE
        await world.put_into("olga", "readers", "support")
        wide_again = await refreshed(world, app, narrower.json())
        assert set(wide_again.json()["scope"].split()) == {SCOPE, ACCOUNTS}


@pytest.mark.parametrize("groups", [(), ("support", "gone")], ids=["nothing left", "kept out"])
async def test_who_has_lost_everything_there_refreshes_no_token_here(world, visitor, groups):
    login = f"peggy-{len(groups)}"
    await world.put_into(login, "support")
    person = visitor(login=login)
    async with application(world) as app:
        answer = await authorized(app, person)
        tokens = await app.redeem(answer["code"])
        await world.put_into(login, *groups)
        refused = await refreshed(world, app, tokens)
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_grant"


async def test_who_may_come_back_goes_on_with_the_token_they_had(world, visitor):
    """A refusal for want of a word spends nothing: the refresh token waits for its person."""
    await world.put_into("rupert", "support")
    rupert = visitor(login="rupert")
    async with application(world) as app:
        answer = await authorized(app, rupert)
        tokens = await app.redeem(answer["code"])
        await world.put_into("rupert", "support", "gone")
        assert (await refreshed(world, app, tokens)).status_code == 400
        await world.put_into("rupert", "support")
        assert (await refreshed(world, app, tokens)).status_code == 200


async def test_no_secret_of_a_provider_is_in_the_log(world):
    text = world.log.read_text()
    assert "acme-login-secret" not in text
    assert "vendor-secret" not in text
    assert "eyJ" not in text


def _at(visitor, origin):
    netloc = urlsplit(origin).netloc
    return [page for page in visitor.pages if urlsplit(str(page.url)).netloc == netloc]
