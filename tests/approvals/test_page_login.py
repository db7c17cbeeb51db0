"""How a page of this room says to the log-in how strongly somebody has to come back."""

from urllib.parse import parse_qs, urlsplit

import pytest

from remit.approvals.page_login import (
    PAGE_PATHS,
    asked_acr,
    asked_anew,
    leads_on,
    local_path,
    login_path,
    step_up_path,
)
from remit.approvals.person import Person
from remit.approvals.who_may import Demand
from remit.clock import Seconds
from remit.identity.return_to import safe_return_to
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT
from remit.web import parse_query

HERE = "/approvals/apr_1?return_to=%2Fauthorize%2Fcontinue%3Frequest%3Dx"


def person(acr: str, auth_time: int = 1_000) -> Person:
    return Person(
        user_id="usr_ada", username="ada", tenant="acme", roles=(), acr=acr, auth_time=auth_time
    )


def return_to(path: str) -> str:
    return parse_qs(urlsplit(path).query)["return_to"][0]


async def otherwise(_: str) -> str | None:
    return "otherwise"


@pytest.mark.parametrize("here", ["/approvals/apr_1", HERE, "/access", "/emergency"])
async def test_what_is_asked_is_read_again_where_the_log_in_leads_back(here):
    demand = Demand(acr=ACR_PHISHING_RESISTANT, max_age=Seconds(300))
    back = return_to(step_up_path(here, demand, person(ACR_PASSWORD), now=2_000))
    assert back.startswith(here)
    assert safe_return_to(back, PAGE_PATHS) == back
    assert await asked_acr(otherwise)(back) == ACR_PHISHING_RESISTANT
    assert asked_anew(back) == 0


async def test_nothing_is_asked_where_nothing_is_said():
    assert return_to(login_path(HERE)) == HERE
    assert await asked_acr(otherwise)(HERE) is None
    assert asked_anew(HERE) is None


@pytest.mark.parametrize(
    ("demand", "acr", "other"),
    [
        (Demand(acr=ACR_PHISHING_RESISTANT, max_age=None), ACR_PASSWORD, False),
        (Demand(acr=ACR_PHISHING_RESISTANT, max_age=Seconds(60)), ACR_PASSWORD, True),
        (Demand(acr=ACR_MULTI_FACTOR, max_age=Seconds(60)), ACR_PHISHING_RESISTANT, False),
        (Demand(acr=None, max_age=Seconds(60)), ACR_PASSWORD, False),
    ],
)
def test_one_more_factor_makes_no_old_log_in_younger(demand, acr, other):
    assert ("&other=1" in step_up_path("/access", demand, person(acr), now=2_000)) is other


@pytest.mark.parametrize("auth_time", [1_700, 2_000])
async def test_a_log_in_that_is_young_enough_need_not_be_done_again(auth_time):
    demand = Demand(acr=ACR_PHISHING_RESISTANT, max_age=Seconds(300))
    path = step_up_path("/access", demand, person(ACR_PASSWORD, auth_time), now=2_000)
    assert "other=1" not in path
    assert asked_anew(return_to(path)) is None


@pytest.mark.parametrize(
    "path",
    [
        "/authorize/continue?request=x&acr=urn:remit:acr:pwd",
        "/approvalsx?acr=urn:remit:acr:phr",
        "https://evil.example/approvals?acr=urn:remit:acr:phr",
        "/account?acr=urn:remit:acr:phr",
    ],
)
async def test_elsewhere_somebody_else_says_it(path):
    assert await asked_acr(otherwise)(path) == "otherwise"
    assert asked_anew(path) is None


@pytest.mark.parametrize(
    "query", ["acr=strong", "acr=", "acr=urn:remit:acr:phr&acr=urn:remit:acr:pwd", "anew=1&anew=1"]
)
async def test_what_can_be_read_in_two_ways_or_none_asks_nothing(query):
    assert await asked_acr(otherwise)(f"/approvals/apr_1?{query}") in (None, "otherwise")
    assert asked_anew(f"/approvals/apr_1?{query}") is None


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("%2Fauthorize%2Fcontinue%3Frequest%3Dx", "/authorize/continue?request=x"),
        ("https%3A%2F%2Fevil.example", None),
        ("%2F%2Fevil.example", None),
        ("%2Faccount", None),
        ("%2Fauthorize%2F..%2F..%2Fx", None),
    ],
)
def test_a_page_leads_on_to_what_a_client_waits_for_and_nowhere_else(given, path):
    assert local_path(parse_query(f"return_to={given}".encode())) == path


async def test_a_form_may_lead_where_the_answer_to_the_client_goes():
    async def sources(path: str):
        return [f"https://app.example#{path}"]

    assert await leads_on(sources, None) == ()
    assert await leads_on(sources, "/authorize") == ("https://app.example#/authorize",)
