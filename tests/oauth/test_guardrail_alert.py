"""Whoever asks beyond a guardrail is refused or narrowed, and somebody hears of it."""

from dataclasses import replace

import pytest

from remit.app.metrics import MeteredAuditLog, Metrics
from remit.audit import FloodLimits, TallyingAuditLog
from remit.audit.context import Context, Network
from remit.audit.events import (
    AuthorizationCodeIssued,
    ConsentGranted,
    GuardrailViolated,
    RefusalsCounted,
    TokenIssued,
    TokenRefreshed,
)
from remit.db.throttle import network_of
from remit.guard.issuance import Guardrail, Ruling, Violation
from remit.oauth import guardrail_alert
from remit.oauth.client_store import clients
from remit.testing.audit import InMemoryAuditLog

BOTH = "crm:accounts.read crm:accounts.write"


def tighten(server, **guardrails):
    server.change_catalog(guardrails=replace(server.catalog.guardrails, **guardrails))


def alerts(server):
    return [(one.guardrail, one.resource) for one in server.events(GuardrailViolated)]


async def test_what_was_cut_is_said_to_the_person_the_client_and_the_log(server):
    await server.add_user()
    tighten(server, forbidden_scopes=("crm:accounts.write",))
    browser = server.browser()
    page = await browser.to_consent(scope=BOTH)
    assert "It is forbidden to every agent here." in page.text
    assert alerts(server) == []
    answer = await browser.decide(page)
    code = answer.headers["location"].partition("code=")[2].partition("&")[0]
    tokens = (await server.redeem(code)).json()
    assert tokens["scope"] == "crm:accounts.read"
    (consent,) = server.events(ConsentGranted)
    assert consent.withheld == ("crm:accounts.write (forbidden)",)
    assert server.events(AuthorizationCodeIssued)[0].withheld == consent.withheld
    (alert,) = server.events(GuardrailViolated)
    assert (alert.guardrail, alert.resource, alert.requested) == (
        "forbidden_scope",
        "https://remit.example/mcp/crm",
        ("crm:accounts.read", "crm:accounts.write"),
    )
    assert alert.context.client_id == "portal"
    assert alert.context.agent_id == "portal"
    assert "`crm:accounts.write`" in alert.detail


async def test_a_person_who_refuses_all_the_same_leaves_the_alert(server):
    await server.add_user()
    tighten(server, forbidden_scopes=("crm:accounts.write",))
    browser = server.browser()
    await browser.decide(await browser.to_consent(scope=BOTH), "refuse")
    assert [guardrail for guardrail, _ in alerts(server)] == ["forbidden_scope"]
    assert server.events(TokenIssued) == []


@pytest.mark.parametrize(
    ("agent", "guardrail"),
    [
        ({"environments": ("staging",)}, "environment"),
        ({"regions": ("mars",)}, "region"),
        ({"tenants": ("globex",)}, "tenant"),
    ],
)
async def test_a_wrong_place_is_refused_and_an_alert(server, agent, guardrail):
    await server.add_user()
    server.change_agent("portal", **agent)
    answer = await server.browser().to_consent()
    assert "error=access_denied" in answer.headers["location"]
    assert [name for name, _ in alerts(server)] == [guardrail]
    assert server.events(AuthorizationCodeIssued) == []


async def test_a_guardrail_that_comes_later_narrows_the_next_token_with_an_alert(server):
    tokens = await server.granted(scope=BOTH)
    assert alerts(server) == []
    tighten(server, max_scopes_per_token=1)
    refreshed = (await server.refresh(tokens["refresh_token"])).json()
    assert refreshed["scope"] == "crm:accounts.read"
    assert [name for name, _ in alerts(server)] == ["scopes_per_token"]
    (event,) = server.events(TokenRefreshed)
    assert event.withheld == ("crm:accounts.write (too_many)",)


async def test_a_token_request_that_is_refused_by_a_guardrail_is_an_alert_and_changes_nothing(
    server,
):
    tokens = await server.granted()
    server.change_agent("portal", regions=("mars",))
    response = await server.refresh(tokens["refresh_token"])
    assert response.json()["error"] == "invalid_grant"
    assert [name for name, _ in alerts(server)] == ["region"]
    server.change_agent("portal", regions=())
    assert (await server.refresh(tokens["refresh_token"])).status_code == 200


async def test_what_asks_for_nothing_beyond_raises_no_alert(server):
    await server.granted()
    assert alerts(server) == []
    (issued,) = server.events(TokenIssued)
    assert issued.withheld == ()


async def test_a_client_is_cut_to_what_it_was_admitted_to_at_consent_and_at_every_refresh(server):
    """The ceiling of the rule that let it in, here lowered while its grant lives."""
    await server.add_user()
    stranger = server.catalog.unregistered
    server.change_catalog(unregistered=replace(stranger, scopes=tuple(BOTH.split())))
    client_id = await server.register("http://localhost/callback")
    asked = {"client_id": client_id, "redirect_uri": "http://localhost/callback", "scope": BOTH}
    code = await server.code(**asked)
    tokens = (
        await server.redeem(code, client_id=client_id, redirect_uri=asked["redirect_uri"])
    ).json()
    assert set(tokens["scope"].split()) == set(BOTH.split())

    def lower(tx):
        tx.connection.execute(clients.update().values(scopes='["crm:accounts.read"]'))

    server.database.run_now(lower)
    refreshed = (await server.refresh(tokens["refresh_token"], client_id=client_id)).json()
    assert refreshed["scope"] == "crm:accounts.read"
    page = await server.browser().to_consent(**asked)
    assert "This application was admitted without it." in page.text


async def test_a_flood_of_alerts_is_counted_and_the_number_says_how_many(server, clock):
    log = InMemoryAuditLog()
    metrics = Metrics(version="0", is_server=lambda name: True)
    tallied = TallyingAuditLog(
        MeteredAuditLog(log, metrics),
        clock,
        network_of=network_of,
        limits=FloodLimits(per_network=2),
    )
    deps = replace(server.deps, audit=tallied)
    ruling = Ruling(refusal="no", violations=(Violation(Guardrail.REGION, "not there"),))
    for _ in range(5):
        await guardrail_alert.raise_alerts(
            deps, ruling, context=Context(network=Network(ip="203.0.113.7")), resource=None
        )
    await tallied.record_counts()
    assert len(log.of(GuardrailViolated)) == 2
    (counted,) = log.of(RefusalsCounted)
    assert (counted.where, counted.error, counted.count) == ("guardrail", "region", 3)
    total = metrics.registry.get_sample_value(
        "remit_guardrail_violations_total", {"guardrail": "region"}
    )
    assert total == 5
