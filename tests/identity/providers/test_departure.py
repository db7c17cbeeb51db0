"""The way to a provider: what is sent, what is kept, and who is not sent."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.applications import Starlette

from remit.audit.events import LoggedIn, ProviderLoginRefused
from remit.identity import provider_store, providers, routes
from remit.identity.session import ACR_MULTI_FACTOR, ACR_PHISHING_RESISTANT
from remit.identity.store import sessions
from tests.identity.providers.conftest import Visitor


def asked(url):
    return {name: one[0] for name, one in parse_qs(urlsplit(url).query).items()}


async def test_the_request_has_all_that_ties_its_answer_to_it(visitor, corp):
    sent = asked(await visitor.leave())
    assert sent["response_type"] == "code"
    assert sent["client_id"] == corp.client_id
    assert sent["redirect_uri"] == "http://localhost:8000/login/provider/corp/callback"
    assert sent["scope"] == "openid profile email"
    assert sent["code_challenge_method"] == "S256"
    assert len(sent["state"]) == len(sent["nonce"]) == len(sent["code_challenge"]) == 43
    assert sent["max_age"] == "43200"
    assert not {"prompt", "acr_values"} & sent.keys()


async def test_nothing_is_the_same_twice(visitor):
    one, other = asked(await visitor.leave()), asked(await visitor.leave())
    for name in ("state", "nonce", "code_challenge"):
        assert one[name] != other[name]


async def test_no_secret_of_it_is_kept_in_the_clear(visitor, database):
    sent = asked(await visitor.leave())
    rows = database.read_now(
        lambda tx: tx.connection.execute(provider_store.provider_logins.select()).all()
    )
    assert sent["state"] not in repr(rows)
    assert sent["nonce"] not in repr(rows)


@pytest.mark.parametrize(
    "return_to",
    ["https://attacker.example", "//attacker.example", "/logout", "javascript:alert(1)"],
)
async def test_a_log_in_leads_back_to_our_own_pages_alone(visitor, corp, return_to):
    response = await visitor.come_back(corp.authorize(await visitor.leave(return_to=return_to)))
    assert response.headers["location"] == "/account"


async def test_a_browser_has_a_few_log_ins_under_way(visitor, corp, clock):
    answers = []
    for _ in range(9):
        answers.append(corp.authorize(await visitor.leave()))
        clock.advance(1)
    assert (await visitor.come_back(answers[0])).status_code == 400
    assert (await visitor.come_back(answers[1])).status_code == 303


async def test_a_provider_nobody_declared_is_not_found(visitor, events):
    response = await visitor.get("/login/provider/unknown")
    assert response.status_code == 404
    assert (await visitor.get("/login/provider/unknown/callback?state=x")).status_code == 404
    assert events.of(ProviderLoginRefused) == []


async def test_an_address_that_begins_too_many_has_to_wait(visitor, new_visitor, corp):
    for _ in range(60):
        await visitor.leave()
    response = await visitor.get("/login/provider/corp")
    assert response.status_code == 429
    assert response.headers["retry-after"]
    assert (await new_visitor("198.51.100.1").log_in(corp)).status_code == 303


@pytest.fixture
async def ask(deps, provider_deps):
    """Asks a provider for a log-in of a certain strength and freshness."""
    clients = []

    def with_needs(*, acr=None, fresh=None):
        async def required(_):
            return acr

        async def freshness(_):
            return fresh

        people = replace(deps, required_acr=required)
        elsewhere = replace(provider_deps, people=people, freshness=freshness)
        application = Starlette(routes=[*providers.routes(elsewhere), *routes(people)])
        transport = httpx2.ASGITransport(app=application, client=("203.0.113.9", 40_000))
        clients.append(httpx2.AsyncClient(transport=transport, base_url="http://localhost:8000"))
        return Visitor(clients[-1])

    yield with_needs
    for client in clients:
        await client.aclose()


async def test_a_log_in_anew_is_asked_for_and_checked(ask, corp, clock, events):
    visitor = ask(fresh=0)
    url = await visitor.leave()
    assert (asked(url)["prompt"], asked(url)["max_age"]) == ("login", "0")
    corp.says = {"auth_time": clock.now() - 120}
    assert (await visitor.come_back(corp.authorize(url))).status_code == 400
    assert events.of(ProviderLoginRefused)[-1].reason == "auth_time"
    corp.says = {"auth_time": clock.now()}
    assert (await visitor.log_in(corp)).status_code == 303


@pytest.mark.parametrize(("age", "prompt"), [(599, None), (600, "login")])
async def test_who_is_logged_in_too_weakly_and_too_long_ago_proves_it_anew(
    ask, corp, clock, age, prompt
):
    """Else the provider's own session would send them round and round: it sets up no factor."""
    visitor = ask(acr="urn:remit:acr:mfa", fresh=3_600)
    corp.says = {"auth_time": clock.now() - age}
    await visitor.log_in(corp)
    url = await visitor.leave()
    assert asked(url).get("prompt") == prompt
    assert asked(url)["max_age"] == ("0" if prompt else "3600")


@pytest.mark.parametrize("off", [-40, 0, 40])
async def test_a_provider_that_ignores_that_a_log_in_was_asked_for_anew_is_refused(
    ask, corp, clock, off
):
    """Half a minute is within what clocks differ by, and still before anybody asked."""
    visitor = ask(fresh=0)
    url = await visitor.leave()
    clock.advance(10)
    there = clock.now() + off
    corp.says = {"iat": there, "auth_time": there - 15}
    assert (await visitor.come_back(corp.authorize(url))).status_code == 400
    url = await visitor.leave()
    clock.advance(10)
    there = clock.now() + off
    corp.says = {"iat": there, "auth_time": there - 5}
    assert (await visitor.come_back(corp.authorize(url))).status_code == 303


async def test_a_session_of_a_provider_whose_clock_is_slow_is_not_older_than_its_request(
    ask, corp, clock, events, deps
):
    """Else a request that wants one anew would send a slow provider's people round and round."""
    visitor = ask(fresh=0)
    asked_at, url = clock.now(), await visitor.leave()
    clock.advance(10)
    corp.says = {"iat": clock.now() - 40, "auth_time": clock.now() - 45}
    await visitor.come_back(corp.authorize(url))
    assert _session(deps, events).auth_time == asked_at + 5


@pytest.mark.parametrize(("ago", "status"), [(299, 303), (361, 400), (None, 400)])
async def test_an_age_that_was_asked_for_is_checked(ask, corp, clock, ago, status):
    visitor = ask(fresh=300)
    url = await visitor.leave()
    assert asked(url)["max_age"] == "300"
    corp.says = {"auth_time": None if ago is None else clock.now() - ago}
    assert (await visitor.come_back(corp.authorize(url))).status_code == status


async def test_a_session_is_as_old_as_the_proof_there(visitor, corp, clock, events, deps):
    corp.says = {"auth_time": clock.now() - 7_200}
    await visitor.log_in(corp)
    row = _session(deps, events)
    assert row.auth_time == clock.now() - 7_200


async def test_a_proof_without_a_date_is_as_old_as_it_may_be(visitor, corp, clock, events, deps):
    corp.says = {"auth_time": None}
    await visitor.log_in(corp)
    assert _session(deps, events).auth_time == clock.now() - 43_200


async def test_a_proof_from_the_future_is_of_now(visitor, corp, clock, events, deps):
    corp.says = {"auth_time": clock.now() + 1_000_000}
    await visitor.log_in(corp)
    assert _session(deps, events).auth_time == clock.now()


@pytest.mark.parametrize(
    ("acr", "sent"), [(ACR_PHISHING_RESISTANT, "phr"), (ACR_MULTI_FACTOR, "mfa")]
)
async def test_strength_is_asked_of_a_provider_that_is_believed(ask, acr, sent):
    visitor = ask(acr=acr)
    assert asked(await visitor.leave())["acr_values"] == sent
    assert "acr_values" not in asked(await visitor.leave("club"))


def _session(deps, events):
    (logged_in,) = events.of(LoggedIn)
    return deps.database.read_now(
        lambda tx: tx.connection.execute(
            sessions.select().where(sessions.c.id == logged_in.session_id)
        ).one()
    )
