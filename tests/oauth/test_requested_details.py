"""Authorization details from the request to the token (RFC 9396)."""

import json

import pytest
from flows import CRM, PAYMENTS, answer, hidden_fields
from sqlalchemy import select

from remit.audit.events import ConsentGranted, TokenIssued, TokenRefreshed
from remit.oauth import grant_store
from remit.oauth.request_store import consents

BOUND = {"amount": {"max": "1234.56", "currency": "USD"}}


def details(*tools, **more):
    return json.dumps([{"type": "mcp_tool_call", "tools": list(tools or ["get_account"])} | more])


@pytest.fixture
async def browser(server):
    await server.add_user()
    return server.browser()


def claims(server, response):
    assert response.status_code == 200, response.text
    return server.deps.verifier.verify(response.json()["access_token"], audience=CRM)


ONE = details(constraints={"account_id": {"pattern": "acc-1*"}})
NARROWER = details(constraints={"account_id": {"equals": "acc-17"}})
WIDER = details(constraints={"account_id": {"pattern": "acc-*"}})
OTHER = details("update_account", constraints={"account_id": {"equals": "acc-17"}})


async def test_they_are_shown_in_words_and_in_what_is_consented_to(server, browser):
    server.change_agent(
        "portal",
        scopes=(*server.catalog.agents["portal"].scopes, "payments:refunds.create"),
    )
    asked = details("refund", constraints=BOUND, justification="Double charge in October")
    page = await browser.to_consent(
        authorization_details=asked, resource=PAYMENTS, scope="payments:refunds.create"
    )
    for words in (
        "Only for this",
        "refund",
        "amount is at most $1,234.56",
        "Double charge in October",
        "It can do nothing else",
    ):
        assert words in page.text
    plain = await browser.follow(
        await browser.authorize(resource=PAYMENTS, scope="payments:refunds.create")
    )
    assert hidden_fields(plain.text)["shown"] != hidden_fields(page.text)["shown"]


async def test_they_go_into_grant_token_answer_and_log(server, browser):
    page = await browser.to_consent(authorization_details=ONE)
    response = await server.redeem(answer(await browser.decide(page))["code"])
    (held,) = response.json()["authorization_details"]
    assert held["locations"] == [CRM]
    assert claims(server, response).authorization_details == (held,)
    assert server.audit.of(ConsentGranted)[-1].authorization_details == (held,)
    assert server.audit.of(TokenIssued)[-1].authorization_details == (held,)
    stored = server.database.read_now(
        lambda tx: tx.connection.scalar(select(grant_store.grants.c.authorization_details))
    )
    assert json.loads(stored) == [held]
    refreshed = await server.refresh(response.json()["refresh_token"])
    assert claims(server, refreshed).authorization_details == (held,)
    assert server.audit.of(TokenRefreshed)[-1].authorization_details == (held,)


async def test_they_are_asked_each_time_and_not_remembered(server, browser):
    answer(await browser.decide(await browser.to_consent()))  # the scopes alone
    page = await browser.follow(await browser.authorize(authorization_details=ONE))
    assert "Only for this" in page.text
    silent = await browser.follow(await browser.authorize(authorization_details=ONE, prompt="none"))
    assert answer(silent)["error"] == "consent_required"
    page = await browser.follow(
        await browser.authorize(
            authorization_details=ONE, client_id="one-shot", redirect_uri="https://one.example/cb"
        )
    )
    answer(await browser.decide(page))
    remembered = server.database.read_now(
        lambda tx: tx.connection.execute(select(consents.c.client_id)).scalars().all()
    )
    assert remembered == ["portal"]


@pytest.mark.parametrize(
    "value",
    [
        "not json",
        "{}",
        "[]",
        '[{"type": "payment_initiation"}]',
        '[{"type": "mcp_tool_call", "type": "mcp_tool_call", "tools": ["get_account"]}]',
        details("unknown_tool"),
        details("refund"),
        details(actions=["read"]),
        details(locations=[PAYMENTS]),
        details(locations=[CRM, PAYMENTS]),
        details(constraints={"unknown": {"equals": 1}}),
        details(constraints={"account_id": {"max": 5}}),
        details(constraints={"account_id": {"equals": 5}}),
        details(constraints={"account_id": {"equals": "a", "currency": "USD"}}),
        details("x" * 200, *[f"tool-{n}-{'y' * 150}" for n in range(20)]),
        details(expires_at=1),
    ],
    ids=lambda value: value[:60],
)
async def test_what_could_not_be_enforced_is_refused(server, browser, value):
    await browser.to_consent()
    page = await browser.follow(await browser.authorize(authorization_details=value))
    assert answer(page)["error"] == "invalid_authorization_details"


@pytest.mark.parametrize(
    ("constraint", "fits"),
    [
        ({"max": "5.00", "currency": "USD"}, True),
        ({"max": "5.00"}, False),
        ({"max": "5.00", "currency": "EUR"}, False),
        ({"pattern": "5*", "currency": "USD"}, False),
        ({"equals": "five", "currency": "USD"}, False),
    ],
    ids=str,
)
async def test_an_amount_needs_its_own_currency(server, browser, constraint, fits):
    server.change_agent(
        "portal",
        scopes=(*server.catalog.agents["portal"].scopes, "payments:refunds.create"),
    )
    page = await browser.to_consent(
        authorization_details=details("refund", constraints={"amount": constraint}),
        resource=PAYMENTS,
        scope="payments:refunds.create",
    )
    if fits:
        assert "Only for this" in page.text
    else:
        assert answer(page)["error"] == "invalid_authorization_details"


async def test_a_detail_that_ran_out_while_its_person_read_is_refused(server, browser):
    ends = server.clock.now() + 60
    page = await browser.to_consent(authorization_details=details(expires_at=ends))
    server.clock.advance(60)
    assert answer(await browser.decide(page))["error"] == "invalid_authorization_details"


@pytest.mark.parametrize(("asked", "fits"), [(NARROWER, True), (WIDER, False), (OTHER, False)])
async def test_a_token_request_narrows_and_never_widens(server, browser, asked, fits):
    page = await browser.to_consent(authorization_details=ONE)
    code = answer(await browser.decide(page))["code"]
    response = await server.redeem(code, authorization_details=asked)
    if not fits:
        assert response.json()["error"] == "invalid_authorization_details"
        response = await server.redeem(code)
    tokens = response.json()
    refused = await server.refresh(tokens["refresh_token"], authorization_details=WIDER)
    assert refused.json()["error"] == "invalid_authorization_details"
    # One token was narrower; the grant is as it was.
    whole = await server.refresh(tokens["refresh_token"])
    (held,) = claims(server, whole).authorization_details
    assert held["constraints"] == {"account_id": {"pattern": "acc-1*"}}
    again = await server.refresh(whole.json()["refresh_token"], authorization_details=NARROWER)
    (held,) = claims(server, again).authorization_details
    assert held["constraints"] == {"account_id": {"equals": "acc-17"}}


async def test_where_none_were_granted_any_that_can_be_enforced_narrow(server, browser):
    code = answer(await browser.decide(await browser.to_consent()))["code"]
    tokens = (await server.redeem(code)).json()
    response = await server.refresh(tokens["refresh_token"], authorization_details=NARROWER)
    assert len(claims(server, response).authorization_details) == 1
    whole = await server.refresh(response.json()["refresh_token"])
    assert claims(server, whole).authorization_details == ()
    refused = await server.refresh(
        whole.json()["refresh_token"], authorization_details=details("unknown_tool")
    )
    assert refused.json()["error"] == "invalid_authorization_details"


async def test_a_workload_may_ask_for_them_and_other_details_are_another_grant(server):
    def ask(**more):
        return server.token(
            grant_type="client_credentials",
            client_id="billing-job",
            client_secret="billing-secret-of-tests",
            resource=PAYMENTS,
            **more,
        )

    one = await ask(authorization_details=details("get_invoice"))
    assert one.json()["authorization_details"][0]["tools"] == ["get_invoice"]
    plain = await ask()
    assert "authorization_details" not in plain.json()
    ids = [
        server.deps.verifier.verify(tokens.json()["access_token"], audience=PAYMENTS).grant_id
        for tokens in (one, plain, await ask(authorization_details=details("get_invoice")))
    ]
    assert ids[0] == ids[2] != ids[1]
