"""The authorization endpoint."""

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flows import CALLBACK, CRM, answer, given, request_fields
from sqlalchemy import func, select
from starlette.applications import Starlette

from remit.audit.events import AuthorizationRefused, ConsentGranted
from remit.oauth import Limits, routes
from remit.oauth.grant_store import grants
from remit.oauth.request_store import authorization_requests


def rows(server, table):
    return server.database.read_now(
        lambda tx: tx.connection.scalar(select(func.count()).select_from(table))
    )


async def test_a_person_who_allows_everything_sends_a_code_to_the_client(server):
    await server.add_user()
    browser = server.browser()
    page = await browser.to_consent()
    assert page.status_code == 200
    response = await browser.decide(page)
    assert response.status_code == 303
    assert response.headers["location"].startswith(CALLBACK + "?code=")
    assert response.headers["cache-control"] == "no-store"
    back = answer(response)
    assert set(back) == {"code", "state", "iss"}
    assert back["state"] == "st-1 ä&=%"
    assert back["iss"] == "https://remit.example"


async def test_parameters_do_not_travel_through_the_browser_again(server):
    response = await server.browser().authorize()
    assert response.status_code == 303
    location = urlsplit(response.headers["location"])
    assert location.path == "/authorize/continue"
    assert set(parse_qs(location.query)) == {"request"}


async def test_the_stored_request_holds_neither_its_name_nor_the_cookie(server):
    browser = server.browser()
    response = await browser.authorize()
    name = parse_qs(urlsplit(response.headers["location"]).query)["request"][0]
    cookie = next(iter(browser.client.cookies.jar)).value
    stored = server.database.read_now(
        lambda tx: str(tx.connection.execute(select(authorization_requests)).one())
    )
    assert name not in stored
    assert cookie not in stored


async def test_a_form_post_is_as_good_as_a_query(server):
    response = await server.browser().client.post("/authorize", data=request_fields())
    assert response.status_code == 303
    assert response.headers["location"].startswith("/authorize/continue?")


async def test_unknown_parameters_are_ignored(server):
    response = await server.browser().authorize(nonsense="1", audience="x")
    assert response.headers["location"].startswith("/authorize/continue?")


async def test_an_empty_parameter_counts_as_absent(server):
    response = await server.browser().authorize(request="", acr_values="")
    assert response.headers["location"].startswith("/authorize/continue?")


async def test_a_redirect_uri_may_be_left_out_where_only_one_is_registered(server):
    assert (await server.browser().authorize(redirect_uri=None)).status_code == 303


async def test_the_endpoint_speaks_to_no_foreign_script(server):
    client = server.browser().client
    origin = {"origin": "https://evil.example"}
    response = await client.get("/authorize", params=request_fields(), headers=origin)
    assert "access-control-allow-origin" not in response.headers
    preflight = await client.options(
        "/authorize", headers={**origin, "access-control-request-method": "GET"}
    )
    assert preflight.status_code == 405


UNUSABLE = [
    {"client_id": None},
    {"client_id": "nobody"},
    {"client_id": "x" * 5000},
    {"client_id": "nobody\nSet-Cookie: a=b"},
    {"client_id": "https://evil.example/client.json#fragment"},
    {"redirect_uri": "https://app.example/callback/"},
    {"redirect_uri": "https://app.example/callback?x=1"},
    {"redirect_uri": "https://app.example/Callback"},
    {"redirect_uri": "HTTPS://app.example/callback"},
    {"redirect_uri": "https://app.example:443/callback"},
    {"redirect_uri": "https://app.example/x/../callback"},
    {"redirect_uri": "https://app.example.evil/callback"},
    {"redirect_uri": "https://app.example@evil.example/callback"},
    {"redirect_uri": "https://app.example/callback#"},
    {"redirect_uri": "http://app.example/callback"},
    {"redirect_uri": "javascript:alert(1)"},
    {"redirect_uri": "//app.example/callback"},
    {"client_id": "back-office", "redirect_uri": None},
]


@pytest.mark.parametrize("changes", UNUSABLE, ids=str)
async def test_without_a_known_client_and_redirect_uri_there_is_a_page_and_no_redirect(
    server, changes
):
    response = await server.browser().authorize(**changes)
    assert response.status_code == 400
    assert "location" not in response.headers
    assert "cannot be answered" in response.text
    refused = server.events(AuthorizationRefused)
    assert [event.error in {"invalid_client", "invalid_request"} for event in refused] == [True]
    assert len(server.audit.events) == 1
    assert rows(server, authorization_requests) == 0


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
async def test_a_client_or_redirect_uri_that_comes_twice_is_no_reason_to_redirect(server, name):
    fields = [*request_fields().items(), (name, request_fields()[name])]
    response = await server.browser().client.get("/authorize", params=fields)
    assert response.status_code == 400
    assert "location" not in response.headers


@pytest.mark.parametrize(
    "query",
    ["client_id=%ff", "client_id=%zz", "client_id=a%00b", "a=1&" * 200, "x=" + "y" * 20_000],
)
async def test_a_query_that_cannot_be_read_in_one_way_is_a_page(server, query):
    response = await server.browser().client.get(f"/authorize?{query}")
    assert response.status_code == 400
    assert len(server.events(AuthorizationRefused)) == 1


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"client_id":"portal"}'),
        ("text/plain", b"client_id=portal"),
        ("", b"client_id=portal"),
        ("multipart/form-data; boundary=x", b"--x--"),
    ],
)
async def test_a_post_that_is_no_form_is_a_page(server, content_type, body):
    response = await server.browser().client.post(
        "/authorize", content=body, headers={"content-type": content_type}
    )
    assert response.status_code == 400
    assert "location" not in response.headers


async def test_a_post_is_read_from_its_body_alone(server):
    query = urlencode(request_fields())
    response = await server.browser().client.post(f"/authorize?{query}", data={"scope": "x:y.z"})
    assert response.status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_answered(server, method):
    assert (await server.browser().client.request(method, "/authorize")).status_code == 405


REDIRECTED = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://a.example/r"}, "request_uri_not_supported"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"resource": None}, "invalid_target"),
    ({"resource": CRM + "/"}, "invalid_target"),
    ({"resource": CRM + "#x"}, "invalid_target"),
    ({"resource": "https://other.example/mcp/crm"}, "invalid_target"),
    ({"resource": [CRM, CRM]}, "invalid_target"),
    ({"scope": "mcp:all"}, "invalid_scope"),
    ({"scope": "crm:accounts.read crm:accounts.*"}, "invalid_scope"),
    ({"scope": 'crm:accounts."read'}, "invalid_scope"),
    ({"scope": "crm:accounts.read\tx"}, "invalid_scope"),
    ({"scope": "openid"}, "invalid_scope"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "create"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "1e3"}, "invalid_request"),
    ({"prompt": "none"}, "login_required"),
    ({"scope": ["crm:accounts.read", "crm:accounts.write"]}, "invalid_request"),
    ({"code_challenge": ["a", "b"]}, "invalid_request"),
    ({"prompt": ["login", "login"]}, "invalid_request"),
    ({"unheard_of": ["1", "2"]}, "invalid_request"),
]


@pytest.mark.parametrize(("changes", "error"), REDIRECTED, ids=str)
async def test_every_later_refusal_goes_back_to_the_client_with_iss_and_state(
    server, changes, error
):
    response = await server.browser().authorize(**changes)
    assert response.headers["location"].startswith(CALLBACK + "?")
    back = answer(response)
    assert back["error"] == error
    assert back["state"] == "st-1 ä&=%"
    assert back["iss"] == "https://remit.example"
    assert "code" not in back
    assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", back["error_description"])
    refused = server.events(AuthorizationRefused)
    assert [event.error for event in refused] == [error]
    assert refused[0].context.client_id == "portal"
    assert len(server.audit.events) == 1
    assert rows(server, authorization_requests) == 0


async def test_a_state_that_comes_twice_is_refused_and_not_returned(server):
    back = answer(await server.browser().authorize(state=["a", "b"]))
    assert back["error"] == "invalid_request"
    assert "state" not in back


async def test_without_state_none_is_returned(server):
    back = answer(await server.browser().authorize(state=None, response_type="token"))
    assert "state" not in back


async def test_a_query_in_the_redirect_uri_stays_as_it_was(server):
    portal = server.catalog.agents["portal"]

    client = replace(portal.clients.static[0], redirect_uris=("https://app.example/cb?a=1%202",))
    server.change_agent("portal", clients=replace(portal.clients, static=(client,)))
    response = await server.browser().authorize(
        redirect_uri="https://app.example/cb?a=1%202", response_type="token"
    )
    assert response.headers["location"].startswith("https://app.example/cb?a=1%202&error=")


async def test_a_client_that_may_not_use_the_code_grant_is_refused(server):

    portal = server.catalog.agents["portal"]
    client = replace(portal.clients.static[0], grant_types=("client_credentials",))
    server.change_agent("portal", clients=replace(portal.clients, static=(client,)))
    assert answer(await server.browser().authorize())["error"] == "unauthorized_client"


async def test_a_missing_scope_is_the_servers_baseline(server):
    await server.add_user()
    browser = server.browser()
    page = await browser.to_consent(scope=None)
    await browser.decide(page)
    (granted,) = server.events(ConsentGranted)
    assert granted.granted == ("crm:accounts.read", "crm:accounts.write")


async def test_offline_access_is_accepted_without_openid_and_never_granted(server):
    await server.add_user()
    browser = server.browser()
    page = await browser.to_consent(scope="crm:accounts.read offline_access", prompt="consent")
    await browser.decide(page)
    (granted,) = server.events(ConsentGranted)
    assert granted.requested == granted.granted == ("crm:accounts.read",)


async def test_offline_access_alone_is_the_baseline(server):
    response = await server.browser().authorize(scope="offline_access")
    assert response.headers["location"].startswith("/authorize/continue?")


async def test_a_server_without_a_default_asks_for_a_scope(server):

    crm = replace(server.catalog.servers["crm"], baseline_scopes=())
    server.change_catalog(servers={**server.catalog.servers, "crm": crm})
    assert answer(await server.browser().authorize(scope=None))["error"] == "invalid_scope"


async def test_the_issuers_default_stands_in_for_a_missing_baseline(server):

    crm = replace(server.catalog.servers["crm"], baseline_scopes=())
    issuer = replace(server.catalog.issuer, default_scopes=("crm:handbook.read",))
    server.change_catalog(servers={**server.catalog.servers, "crm": crm}, issuer=issuer)
    await server.add_user()
    browser = server.browser()
    await browser.decide(await browser.to_consent(scope=None))
    assert server.events(ConsentGranted)[0].granted == ("crm:handbook.read",)


async def test_nobody_is_redirected_to_a_stranger_without_having_done_anything(server):
    """RFC 9700 §4.11.2: this server is no open redirector."""
    stranger = await server.register("https://phish.example/cb")
    response = await server.browser().authorize(
        client_id=stranger, redirect_uri="https://phish.example/cb", response_type="token"
    )
    assert response.status_code == 400
    assert "location" not in response.headers
    assert 'href="https://phish.example/cb?error=unsupported_response_type' in response.text
    assert "iss=https%3A%2F%2Fremit.example" in response.text
    assert len(server.events(AuthorizationRefused)) == 1


async def test_an_error_may_go_to_a_program_on_the_same_device(server):
    local = await server.register("http://127.0.0.1/cb")
    response = await server.browser().authorize(
        client_id=local, redirect_uri="http://127.0.0.1:51999/cb", response_type="token"
    )
    assert response.headers["location"].startswith("http://127.0.0.1:51999/cb?error=")


async def test_a_suspended_agent_is_refused_after_log_in_and_nothing_is_granted(server):
    await server.add_user()
    standing = server.directory.standing

    server.directory.publish(replace(standing, suspended_agents=frozenset({"portal"})))
    response = await server.browser().to_consent()
    assert answer(response)["error"] == "access_denied"
    assert rows(server, grants) == 0
    (refused,) = server.events(AuthorizationRefused)
    assert refused.detail == "agent `portal` is suspended"
    assert refused.context.agent_id == "portal"


async def test_a_log_that_cannot_take_the_refusal_makes_it_a_503(server):
    server.audit.failing = True
    response = await server.browser().authorize(response_type="token")
    assert response.status_code == 503
    assert "location" not in response.headers


async def test_given_leaves_out_what_is_none():
    """The tests above rest on it."""
    assert given({"a": 1, "b": 2}, {"a": None}) == {"b": 2}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_is_no_longer_than_eight_kilobytes(server, method):
    fields = {**request_fields(), "state": "x" * 8_192}
    options = {"params": fields} if method == "GET" else {"data": fields}
    response = await server.browser().client.request(method, "/authorize", **options)
    assert response.status_code in {400, 413}
    assert "location" not in response.headers
    assert rows(server, authorization_requests) == 0


async def test_one_browser_keeps_only_so_many_requests_waiting(server):
    browser = server.browser()
    first = await browser.authorize()
    for _ in range(20):
        server.clock.advance(1)
        last = await browser.authorize()
    assert rows(server, authorization_requests) == 16
    assert (await browser.follow(first)).status_code == 400
    assert (await browser.follow(last)).status_code == 200


async def test_one_address_makes_only_so_many_requests_in_the_time_they_wait(server):
    limited = replace(server.deps, limits=Limits(requests_per_lifetime=3))
    application = Starlette(routes=routes(limited))
    for _ in range(3):
        response = await server.browser(application=application).authorize()
        assert response.status_code == 303
    refused = await server.browser(application=application).authorize()
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "600"
    assert rows(server, authorization_requests) == 3
    elsewhere = await server.browser("203.0.113.8", application=application).authorize()
    assert elsewhere.status_code == 303
    server.clock.advance(600)
    assert (await server.browser(application=application).authorize()).status_code == 303
