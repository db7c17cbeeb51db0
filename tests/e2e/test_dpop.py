"""A strict OAuth client with a key of its own: bound tokens from every grant, and a tool called with them."""

import json
import shutil

import orjson
import pytest

from tests.app.conftest import SECRET, Remit
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.peer import node_peer

pytestmark = [pytest.mark.e2e, pytest.mark.node]

ACCOUNT = json.dumps({"organization_id": "acme", "account_id": "acc-1001"})
INVOICE = json.dumps({"invoice_id": "inv-77"})


def assert_called(answer, says):
    """The tool answered the bound token with its proof, and nobody the mere token."""
    assert answer["tokens"]["token_type"].casefold() == "dpop"
    called = answer["called"]
    assert called["status"] == 200, called
    assert called["nonce"]
    assert says in called["body"], called
    bearer = answer["bearer"]
    assert bearer["status"] == 401
    assert bearer["challenge"].startswith('DPoP error="invalid_token"')


async def test_a_person_lets_it_in_and_its_tokens_are_good_with_its_key_alone(stage, dana):
    arguments = (
        stage.url, stage.server("crm"), REDIRECT_URI, "crm:accounts.read", "get_account", ACCOUNT
    )  # fmt: skip
    async with node_peer("dpop.mjs", *arguments) as peer:
        answer = await peer.authorize(dana, REDIRECT_URI)
    assert "error" not in answer, answer
    assert answer["unproved"] == "invalid_grant"  # the code was asked for with the key
    assert answer["stolen"] == "invalid_grant"
    assert answer["refreshed"]["token_type"].casefold() == "dpop"
    assert answer["refreshed"]["refresh_token"] != answer["tokens"]["refresh_token"]
    assert_called(answer, "Juniper Bakery")


@pytest.fixture
def workload(tmp_path, tmp_path_factory):
    """A Remit whose payments take only tokens that are bound to a key."""
    remit = Remit(tmp_path, tmp_path_factory.getbasetemp() / "pycache")
    remit.ok("init", str(remit.repo))
    payments = remit.repo / "servers" / "payments.yaml"
    payments.write_text(payments.read_text() + "\ndpop: required\n")
    with remit.serving() as server:
        yield server
    shutil.rmtree(remit.data, ignore_errors=True)


async def test_a_workload_gets_a_bound_token_and_calls_a_server_that_takes_no_other(workload):
    payments = f"{workload.url}/mcp/payments"
    arguments = (
        workload.url, payments, "client_credentials", "payments:invoices.read",
        "get_invoice", INVOICE, "billing-job", SECRET,
    )  # fmt: skip
    async with node_peer("dpop.mjs", *arguments) as peer:
        answer = await peer.read()
    assert "error" not in answer, answer
    assert_called(answer, "inv-77")
    form = {"grant_type": "client_credentials", "client_id": "billing-job", "client_secret": SECRET}
    bearer = workload.post("/token", data=form | {"resource": payments})
    assert (bearer.status_code, bearer.json()["error"]) == (400, "invalid_dpop_proof")
    metadata = workload.get("/.well-known/oauth-protected-resource/mcp/payments")
    assert orjson.loads(metadata.content)["dpop_bound_access_tokens_required"] is True
    accept = {"Accept": "application/json, text/event-stream"}
    challenged = workload.post("/mcp/payments", json={}, headers=accept)
    assert challenged.status_code == 401
    assert challenged.headers["www-authenticate"].startswith("DPoP ")
