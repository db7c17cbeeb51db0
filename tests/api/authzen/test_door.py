"""Another gateway asks, over HTTP, with the secret of the server that it stands before."""

import base64
import json

import pytest

from remit.api.authzen.batch import MAX_EVALUATIONS
from remit.testing.dpop import ProofKey
from tests.api.conftest import ISSUER, SECRET

ASKER = "a-secret-with-which-payments-may-ask"
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SEARCH = "/access/v1/search/resource"
WATCHED = """\
watched:
  mode: observe
  require_justification: {}
  things: [payments/get_invoice]
"""
BASIC = "Basic " + base64.b64encode(f"payments:{ASKER}".encode()).decode()


@pytest.fixture
def environ():
    return {"REMIT_BILLING_JOB_SECRET": SECRET, "PAYMENTS_ASKS": ASKER}


@pytest.fixture
def settings(settings):
    path = settings.repo / "servers" / "payments.yaml"
    path.write_text(
        path.read_text()
        .replace("pinning: first_use", "pinning: off", 1)
        .replace(
            "environment: prod\n", "environment: prod\nintrospection_secret: env:PAYMENTS_ASKS\n", 1
        )
    )
    rules = settings.repo / "rules"
    rules.mkdir()
    (rules / "door.yaml").write_text(WATCHED)
    return settings


@pytest.fixture
def ask(public):
    async def asked(path, document, *, authorization=BASIC, **headers):
        named = {"Authorization": authorization} if authorization else {}
        return await public.post(path, json=document, headers={**named, **headers})

    return asked


def question(token, name="get_invoice", arguments=None, **more):
    return {
        "subject": {
            "type": "agent",
            "id": "billing-job",
            "properties": {"access_token": token},
        },
        "action": {
            "name": "tools/call",
            "properties": {
                "arguments": {"invoice_id": "inv_1"} if arguments is None else arguments
            },
        },
        "resource": {"type": "tool", "id": name},
        **more,
    }


def recorded(settings):
    """The log as it stands on the disk."""
    files = sorted((settings.data / "audit").rglob("*"))
    return "\n".join(path.read_text(errors="replace") for path in files if path.is_file())


async def test_what_the_gateway_would_permit_is_permitted(ask, grant):
    answer = await ask(EVALUATION, question(grant))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert document["decision"] is True
    assert document["context"]["id"].startswith("dec_")


async def test_a_tool_that_the_caller_may_not_know_of_and_one_that_is_not_there_are_denied_alike(
    ask, grant
):
    hidden = (await ask(EVALUATION, question(grant, "close_ledger", {"month": "2026-01"}))).json()
    missing = (await ask(EVALUATION, question(grant, "open_ledger", {"month": "2026-01"}))).json()
    for one in (hidden, missing):
        assert one["decision"] is False
        one["context"].pop("id")
        one["context"]["error"]["data"].pop("decision")
    assert hidden == missing
    assert hidden["context"]["error"]["data"]["reason"] == "not_found"


async def test_an_action_that_nobody_knows_is_denied(ask, grant):
    document = question(grant)
    document["action"]["name"] = "can_read"
    answer = await ask(EVALUATION, document)
    assert answer.status_code == 200
    assert answer.json()["decision"] is False


async def test_an_action_on_a_thing_of_another_kind_is_denied(ask, grant):
    document = question(grant)
    document["action"]["name"] = "resources/read"
    assert (await ask(EVALUATION, document)).json()["decision"] is False


async def test_arguments_that_policies_read_are_held_against_the_catalog(ask, grant):
    answer = (await ask(EVALUATION, question(grant, arguments={"invoice_id": 7}))).json()
    assert answer["decision"] is False
    assert answer["context"]["error"]["data"]["reason"] == "invalid_arguments"


async def test_a_bad_token_is_a_denial_with_the_challenge_to_pass_on(ask):
    answer = await ask(EVALUATION, question("no-token"))
    assert answer.status_code == 200
    context = answer.json()["context"]
    assert answer.json()["decision"] is False
    assert context["status"] == 401
    challenge = context["headers"]["WWW-Authenticate"]
    assert 'error="invalid_token"' in challenge
    assert f"{ISSUER}/.well-known/oauth-protected-resource/mcp/payments" in challenge


async def test_a_token_for_another_server_opens_nothing(ask, public):
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    answer = await public.post(
        "/token",
        headers={"Authorization": f"Basic {credentials}"},
        data={"grant_type": "client_credentials", "resource": f"{ISSUER}/mcp/crm"},
    )
    token = answer.json().get("access_token", "none")
    assert (await ask(EVALUATION, question(token))).json()["decision"] is False


async def test_a_revoked_token_is_denied_at_once(ask, grant, public):
    assert (await ask(EVALUATION, question(grant))).json()["decision"] is True
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    await public.post(
        "/revoke", headers={"Authorization": f"Basic {credentials}"}, data={"token": grant}
    )
    assert (await ask(EVALUATION, question(grant))).json()["decision"] is False


@pytest.mark.parametrize(
    "subject",
    [
        {"type": "agent", "id": "somebody-else"},
        {"type": "user", "id": "billing-job"},
    ],
    ids=["another", "of-another-type"],
)
async def test_a_subject_that_the_token_does_not_name_is_a_bad_request(ask, grant, subject):
    document = question(grant)
    document["subject"] |= subject
    answer = await ask(EVALUATION, document)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_question"


async def test_who_somebody_is_is_not_taken_on_trust(ask):
    document = question("x")
    del document["subject"]["properties"]
    answer = await ask(EVALUATION, document)
    assert answer.status_code == 400
    assert "access_token" in answer.json()["detail"]


async def test_a_server_asks_about_itself_alone(ask, grant):
    document = question(grant)
    document["resource"]["properties"] = {"server": "crm"}
    assert (await ask(EVALUATION, document)).status_code == 400


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic " + base64.b64encode(b"payments:wrong").decode(),
        "Basic " + base64.b64encode(f"crm:{ASKER}".encode()).decode(),
        "Basic " + base64.b64encode(f"nobody:{ASKER}".encode()).decode(),
        "Basic " + base64.b64encode(f"billing-job:{SECRET}".encode()).decode(),
    ],
    ids=["nobody", "wrong-secret", "another-server", "unknown", "a-client"],
)
async def test_nobody_but_a_server_with_its_secret_may_ask(ask, grant, authorization):
    for path in (EVALUATION, EVALUATIONS, SEARCH):
        answer = await ask(path, question(grant), authorization=authorization)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert "decision" not in answer.json()


async def test_a_callers_own_token_is_no_credential_of_a_server(ask, grant):
    answer = await ask(EVALUATION, question(grant), authorization=f"Bearer {grant}")
    assert answer.status_code in {400, 401}
    assert "decision" not in answer.json()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b'{"subject": {}, "subject": {}}', "application/json"),
        (b"[]", "application/json"),
        (b"subject=x", "application/x-www-form-urlencoded"),
        (b"\xff\xfe{", "application/json"),
    ],
    ids=["half", "twice", "list", "form", "utf-16"],
)
async def test_what_is_no_json_object_is_a_bad_request(public, content, kind):
    headers = {"Authorization": BASIC, "Content-Type": kind}
    answer = await public.post(EVALUATION, content=content, headers=headers)
    assert answer.status_code == 400


async def test_a_bound_token_needs_the_proof_that_its_holder_made(ask, public, app):
    key, resource = ProofKey(), f"{ISSUER}/mcp/payments"
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    }
    form = {"grant_type": "client_credentials", "resource": resource}
    for _ in range(2):
        nonce = headers.get("DPoP-Nonce")
        headers["DPoP"] = key.proof("POST", f"{ISSUER}/token", at=app.clock.now(), nonce=nonce)
        answer = await public.post("/token", headers=headers, data=form)
        headers["DPoP-Nonce"] = answer.headers.get("DPoP-Nonce", "")
    token = answer.json()["access_token"]
    assert (await ask(EVALUATION, question(token))).json()["decision"] is False

    async def with_proof(of, nonce=None, uri=resource):
        proof = of.proof("POST", resource, at=app.clock.now(), token=token, nonce=nonce)
        context = {"dpop": {"proof": proof, "method": "POST", "uri": uri}}
        return await ask(EVALUATION, question(token, context=context))

    first = (await with_proof(key)).json()
    nonce = first["context"]["headers"]["DPoP-Nonce"]
    assert first["decision"] is False
    assert (await with_proof(key, nonce)).json()["decision"] is True
    assert (await with_proof(ProofKey(), nonce)).json()["decision"] is False
    assert (await with_proof(key, nonce, f"{ISSUER}/mcp/crm")).status_code == 400


async def test_several_questions_share_values_and_keep_their_order(ask, grant):
    document = {
        **question(grant),
        "evaluations": [
            {},
            {"resource": {"type": "tool", "id": "close_ledger"}},
            {"resource": {"type": "tool", "id": "get_invoice"}},
        ],
    }
    answer = await ask(EVALUATIONS, document)
    assert [one["decision"] for one in answer.json()["evaluations"]] == [True, False, True]


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("execute_all", [False, True, False]),
        ("deny_on_first_deny", [False]),
        ("permit_on_first_permit", [False, True]),
    ],
)
async def test_the_semantic_says_when_to_stop(ask, grant, semantic, expected):
    document = {
        **question(grant, "close_ledger"),
        "evaluations": [{}, {"resource": {"type": "tool", "id": "get_invoice"}}, {}],
        "options": {"evaluations_semantic": semantic, "unheard_of": 1},
    }
    answer = await ask(EVALUATIONS, document)
    assert [one["decision"] for one in answer.json()["evaluations"]] == expected


@pytest.mark.parametrize("listed", [None, []], ids=["absent", "empty"])
async def test_no_list_of_evaluations_is_one_question(ask, grant, listed):
    document = question(grant) if listed is None else question(grant, evaluations=listed)
    assert (await ask(EVALUATIONS, document)).json()["decision"] is True


async def test_one_bad_question_among_several_decides_none(ask, grant, settings):
    document = {**question(grant), "evaluations": [{}, {"resource": {"type": "tool"}}]}
    answer = await ask(EVALUATIONS, document)
    assert answer.status_code == 400
    assert "delegated" not in recorded(settings)


async def test_more_questions_than_a_request_may_hold_are_refused(ask, grant):
    document = {**question(grant), "evaluations": [{}] * (MAX_EVALUATIONS + 1)}
    assert (await ask(EVALUATIONS, document)).status_code == 400


async def test_a_list_holds_what_the_token_may_use(ask, grant):
    document = {**question(grant), "resource": {"type": "tool"}}
    answer = await ask(SEARCH, document)
    names = [one["id"] for one in answer.json()["results"]]
    assert "get_invoice" in names
    assert "close_ledger" not in names


async def test_a_list_for_a_bad_token_is_empty(ask):
    document = {**question("nobody"), "resource": {"type": "tool"}}
    assert (await ask(SEARCH, document)).json() == {"results": []}


async def test_the_metadata_names_the_endpoints_under_the_issuer(public):
    answer = await public.get("/.well-known/authzen-configuration")
    document = answer.json()
    assert document["policy_decision_point"] == ISSUER
    assert document["access_evaluation_endpoint"] == ISSUER + EVALUATION
    assert document["access_evaluations_endpoint"] == ISSUER + EVALUATIONS
    assert document["search_resource_endpoint"] == ISSUER + SEARCH


async def test_the_request_id_comes_back(ask, grant):
    answer = await ask(EVALUATION, question(grant), **{"X-Request-ID": "bfe9eb29"})
    assert answer.headers["x-request-id"] == "bfe9eb29"


async def test_no_secret_and_no_token_is_in_an_answer_or_the_log(ask, grant, settings):
    answer = await ask(EVALUATION, question(grant, "close_ledger"))
    assert grant not in answer.text
    assert ASKER not in answer.text
    for path in settings.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert grant.encode() not in data
            assert ASKER.encode() not in data


async def test_a_permit_is_recorded_as_decided_for_another_gateway(ask, grant, settings):
    document = (await ask(EVALUATION, question(grant))).json()
    of_it = [line for line in recorded(settings).splitlines() if document["context"]["id"] in line]
    assert [json.loads(line)["kind"] for line in of_it] == ["decision", "call.completed"]
    assert '"delegated"' in of_it[1]


async def test_the_caller_says_why_through_the_asker_and_what_is_observed_is_told_of(
    ask, grant, settings
):
    silent = (await ask(EVALUATION, question(grant))).json()
    why = {"justification": "ticket 4711"}
    told = (await ask(EVALUATION, question(grant, context=why))).json()
    assert silent["decision"] is told["decision"] is True
    lines = {
        document["context"]["id"]: line
        for document in (silent, told)
        for line in recorded(settings).splitlines()
        if document["context"]["id"] in line and '"decision"' in line
    }
    assert "rules/door#watched" in lines[silent["context"]["id"]]
    assert "rules/door#watched" not in lines[told["context"]["id"]]
    assert "tok1.text." in lines[told["context"]["id"]]
    assert "ticket 4711" not in recorded(settings)
    refused = await ask(EVALUATION, question(grant, context={"justification": ["x"]}))
    assert refused.status_code == 400
