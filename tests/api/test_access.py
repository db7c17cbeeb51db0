"""Access for a while over the management API: as whom one asks, at the socket and with a token."""

import base64
import re

import pytest

from remit.model import MANAGEMENT_SCOPES
from tests.api.conftest import ISSUER, SECRET
from tests.api.test_http_door import AGENT

RESOURCE = f"{ISSUER}/api/v1"
PAYMENTS = f"{ISSUER}/mcp/payments"
OWN = sorted(one for one in MANAGEMENT_SCOPES if one != "remit:tenants.cross")
APPROVALS = """\
access:
  invoices:
    scopes: [payments:invoices.read]
    people_roles: [support]
    agents: [billing-job]
    longest: 2h
  ledger:
    role: finance
    people_roles: [support]
    approver: sales-manager
  strong:
    role: finance
    people_roles: [support]
    acr: urn:remit:acr:mfa
emergency:
  break-glass:
    people: [dana]
    role: finance
    reviewer: sales-manager
"""
CONSOLE = """\
name: Console
owner: platform@acme.example
class: assistant
purpose: Administers Remit.
scopes: [{scopes}]
environments: [management]
tenants: [acme]
max_sensitivity: critical
clients:
  static:
    - client_id: console
      name: Console
      redirect_uris: ["http://127.0.0.1/callback"]
"""


@pytest.fixture
def environ():
    return {"REMIT_BILLING_JOB_SECRET": SECRET, "REMIT_OPERATOR_SECRET": SECRET}


@pytest.fixture
def settings(settings):
    """The example with offers, with a workload that administers, and with a console that people use."""
    repo = settings.repo
    (repo / "approvals.yaml").write_text(APPROVALS)
    (repo / "policies" / "workloads.cedar").unlink()
    scopes = ", ".join(OWN)
    text = AGENT.format(name="operator", scopes=scopes, tenant="acme")
    (repo / "agents" / "operator.yaml").write_text(text)
    (repo / "agents" / "console.yaml").write_text(CONSOLE.format(scopes=scopes))
    root = repo / "remit.yaml"
    root.write_text(re.sub(r"(max_scopes_per_\w+): \d+", r"\1: 60", root.read_text()))
    roles = repo / "roles.yaml"
    roles.write_text(
        roles.read_text().replace(
            "  support:\n", f"  steward:\n    scopes: [{scopes}]\n  support:\n", 1
        )
    )
    return settings


@pytest.fixture
async def people(management, dana):
    """The ids of Dana, who may ask, and of Mia, who may approve and review."""
    found = {}
    for name, role in (("Dana", "support"), ("Mia", "sales-manager")):
        body = {**dana, "username": name, "roles": [role, "steward"]}
        answer = await management.post("/api/v1/users", json=body)
        assert answer.status_code == 200, answer.text
        found[name] = answer.json()["id"]
    return found


async def workload_token(public, name="operator", resource=RESOURCE, **form):
    credentials = base64.b64encode(f"{name}:{SECRET}".encode()).decode()
    answer = await public.post(
        "/token",
        headers={"Authorization": f"Basic {credentials}"},
        data={"grant_type": "client_credentials", "resource": resource, **form},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def wish(offer="invoices", **changes):
    return {"offer": offer, "seconds": 600, "justification": {"reason": "month end"}, **changes}


# -- at the socket


@pytest.mark.usefixtures("people")
async def test_at_the_socket_one_says_for_whom(management):
    answer = await management.post("/api/v1/access", json=wish())
    assert answer.status_code == 400
    assert "holder" in answer.json()["detail"]
    answer = await management.post("/api/v1/access", json=wish(holder="dana"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "active"
    again = await management.post("/api/v1/access", json=wish(holder="dana"))
    assert again.status_code == 409
    assert again.json()["code"] == "access_held"


async def test_everything_that_is_offered_is_shown_at_the_socket(management):
    answer = await management.get("/api/v1/access-offers")
    names = {one["name"]: one["kind"] for one in answer.json()["offers"]}
    assert names == {
        "invoices": "offer",
        "ledger": "offer",
        "strong": "offer",
        "break-glass": "emergency",
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"until": 2**40}, 400),
        ({"seconds": None}, 400),
        ({"seconds": 7_201}, 400),
        ({"justification": {}}, 400),
        ({"offer": "nothing"}, 404),
        ({"offer": "strong"}, 403),
        ({"holder": "nobody"}, 404),
        ({"holder": "agent:nobody"}, 404),
        ({"more": 1}, 400),
    ],
    ids=str,
)
@pytest.mark.usefixtures("people")
async def test_what_cannot_be_had_is_refused_and_nothing_is(management, body, status):
    answer = await management.post("/api/v1/access", json=wish(**{"holder": "dana", **body}))
    assert answer.status_code == status, answer.text
    listed = await management.get("/api/v1/access")
    assert listed.json()["access"] == []


@pytest.mark.usefixtures("people")
async def test_nobody_takes_or_reviews_an_emergency_without_having_logged_in(management):
    taken = await management.post("/api/v1/emergency", json=wish("break-glass", holder="dana"))
    assert (taken.status_code, taken.json()["code"]) == (403, "stronger_authentication_needed")
    said = {"verdict": "justified", "reason": "fine"}
    reviewed = await management.post("/api/v1/emergency/acc_1/review", json=said)
    assert reviewed.status_code == 403


# -- a workload of its own


async def test_a_job_gets_for_one_run_what_it_asked_for_and_no_longer(app, management, public):
    """`payments:invoices.read` is the job's on request alone, for an offer names it."""
    asked = {"resource": PAYMENTS, "scope": "payments:invoices.read"}
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    form = {"grant_type": "client_credentials", **asked}
    refused = await public.post("/token", headers=headers, data=form)
    assert refused.status_code == 400
    made = (
        await management.post("/api/v1/access", json=wish(holder="agent:billing-job", seconds=300))
    ).json()
    body = await workload_token(public, "billing-job", **asked)
    assert body["scope"] == "payments:invoices.read"
    assert body["expires_in"] <= 300
    path = f"/api/v1/access/{made['id']}/end"
    ended = (await management.post(path, json={"reason": "the run is over"})).json()
    assert (ended["state"], ended["how"]) == ("ended", "revoked")
    assert len(app.directory.standing.revoked_tokens) == 1
    refused = await public.post("/token", headers=headers, data=form)
    assert refused.status_code == 400


async def test_a_workload_asks_for_itself_with_its_token_and_for_nobody_else(app, public):
    raw = (await workload_token(public, scope="remit:access.request"))["access_token"]
    await app.standing.now()
    headers = {"Authorization": f"Bearer {raw}"}
    offers = await public.get("/api/v1/access-offers", headers=headers)
    assert offers.json() == {"offers": []}
    for holder in ("dana", "agent:billing-job"):
        answer = await public.post("/api/v1/access", headers=headers, json=wish(holder=holder))
        assert answer.status_code == 403
    answer = await public.post("/api/v1/access", headers=headers, json=wish())
    assert answer.status_code == 404
    review = {"verdict": "justified", "reason": "x"}
    answer = await public.post("/api/v1/emergency/acc_1/review", headers=headers, json=review)
    assert answer.status_code == 403


async def test_without_the_scope_nothing_is_asked_shown_or_ended(app, public):
    raw = (await workload_token(public, scope="remit:agents.read"))["access_token"]
    await app.standing.now()
    headers = {"Authorization": f"Bearer {raw}"}
    for method, path in (
        ("GET", "/access"),
        ("GET", "/access/mine"),
        ("GET", "/access-offers"),
        ("GET", "/emergency"),
        ("POST", "/access"),
        ("POST", "/access/acc_1/end"),
        ("POST", "/access/acc_1/return"),
        ("POST", "/emergency"),
        ("POST", "/emergency/acc_1/review"),
    ):
        answer = await public.request(method, f"/api/v1{path}", headers=headers, json={})
        assert answer.status_code == 403, path
        assert "insufficient_scope" in answer.headers["www-authenticate"]
