"""The management API on the network: tokens, scopes, organisations, policies, the record of it all."""

import base64
import json
import re

import pytest

from remit.model import MANAGEMENT_SCOPES
from tests.api.conftest import ISSUER, PASSWORD, SECRET

RESOURCE = f"{ISSUER}/api/v1"
METADATA = "/.well-known/oauth-protected-resource/api/v1"
CROSS = "remit:tenants.cross"
EVERYTHING = " ".join(sorted(MANAGEMENT_SCOPES))
AGENT = """\
name: {name}
owner: platform@acme.example
class: workload
purpose: Administers Remit.
scopes: [{scopes}]
environments: [management]
tenants: [{tenant}]
max_sensitivity: critical
clients:
  static:
    - client_id: {name}
      name: {name}
      grant_types: [client_credentials]
      secret: env:REMIT_OPERATOR_SECRET
"""
PROVIDERS = """\
providers:
  ours:
    title: Ours
    issuer: https://login.ours.example
    client_id: remit
    tenant: acme
  shared:
    title: Shared
    issuer: https://login.shared.example
    client_id: remit
    tenant: acme
    rules:
      - claims: { org: globex }
        tenant: globex
  ruled:
    title: Ruled
    issuer: https://login.ruled.example
    client_id: remit
    rules:
      - claims: { org: acme }
        tenant: acme
      - claims: { org: globex }
        tenant: globex
"""


@pytest.fixture
def environ():
    return {"REMIT_BILLING_JOB_SECRET": SECRET, "REMIT_OPERATOR_SECRET": SECRET}


@pytest.fixture
def settings(settings):
    """The example, with an administrator of everything and one of `acme`, who may all but look across."""
    repo = settings.repo
    (repo / "policies" / "workloads.cedar").unlink()
    scopes = sorted(MANAGEMENT_SCOPES)
    own = [scope for scope in scopes if scope != CROSS]
    for name, held in (("steward", scopes), ("operator", own)):
        text = AGENT.format(name=name, scopes=", ".join(held), tenant="acme")
        (repo / "agents" / f"{name}.yaml").write_text(text)
    root = repo / "remit.yaml"
    root.write_text(re.sub(r"(max_scopes_per_\w+): \d+", r"\1: 60", root.read_text()))
    roles = repo / "roles.yaml"
    roles.write_text(
        roles.read_text().replace(
            "\nattributes:",
            f"\n  root:\n    description: All.\n    scopes: [{CROSS}]\n\nattributes:",
        )
    )
    return settings


@pytest.fixture
def token(public):
    """Asks for an access token, as one of the administrators."""

    async def asked(name="steward", scope=EVERYTHING, resource=RESOURCE):
        credentials = base64.b64encode(f"{name}:{SECRET}".encode()).decode()
        answer = await public.post(
            "/token",
            headers={"Authorization": f"Basic {credentials}"},
            data={"grant_type": "client_credentials", "resource": resource, "scope": scope},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    return asked


@pytest.fixture
def ask(app, public, token):
    """Makes a request as an administrator with the scopes given."""

    async def asked(method, path, *, name="steward", scope=EVERYTHING, **options):
        headers = {"Authorization": f"Bearer {await token(name, scope)}"}
        await (
            app.standing.now()
        )  # nothing reads it by itself here, and a busy machine takes its time
        return await public.request(method, f"/api/v1{path}", headers=headers, **options)

    return asked


async def events(management, **query):
    answer = await management.get("/api/v1/audit/tail", params={"count": 1000, **query})
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_metadata_says_which_authorization_server_and_which_scopes(public):
    document = (await public.get(METADATA)).json()
    assert document["resource"] == RESOURCE
    assert document["authorization_servers"] == [ISSUER]
    assert document["scopes_supported"] == sorted(MANAGEMENT_SCOPES)


async def test_without_a_token_one_is_told_where_to_come_by_one_and_for_which_scope(public):
    answer = await public.get("/api/v1/agents")
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert "error=" not in challenge
    assert f'resource_metadata="{ISSUER}{METADATA}"' in challenge
    assert 'scope="remit:agents.read"' in challenge


async def test_a_token_without_the_scope_is_told_which_it_takes(ask):
    answer = await ask("POST", "/agents/billing-job/suspend", scope="remit:agents.read", json={})
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert "remit:agents.write" in answer.headers["www-authenticate"]
    shown = await ask("GET", "/agents/billing-job", scope="remit:agents.read")
    assert shown.json()["state"] == "active"


async def test_a_token_for_an_mcp_server_opens_nothing_here_and_the_reverse(public, grant, token):
    headers = {"Authorization": f"Bearer {grant}"}
    assert (await public.get("/api/v1/agents", headers=headers)).status_code == 401
    headers = {"Authorization": f"Bearer {await token()}"}
    refused = await public.request("DELETE", "/mcp/payments", headers=headers)
    assert refused.status_code == 401


async def test_the_gateway_has_no_server_of_that_name(public, token):
    headers = {"Authorization": f"Bearer {await token()}"}
    assert (await public.post("/mcp/remit", headers=headers, json={})).status_code == 404
    assert (await public.get("/.well-known/oauth-protected-resource/mcp/remit")).status_code == 404


async def test_no_scope_of_the_management_api_is_offered_to_every_client(public):
    offered = (await public.get("/.well-known/oauth-authorization-server")).json()
    assert not [one for one in offered["scopes_supported"] if one.startswith("remit:")]


async def test_nobody_holds_a_scope_that_neither_role_nor_agent_names(public):
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    answer = await public.post(
        "/token",
        headers={"Authorization": f"Basic {credentials}"},
        data={
            "grant_type": "client_credentials",
            "resource": RESOURCE,
            "scope": "remit:agents.read",
        },
    )
    assert answer.status_code == 400


async def test_each_call_is_a_decision_and_an_outcome_and_says_who_the_administrator_is(
    ask, management
):
    assert (await ask("POST", "/agents/billing-job/suspend", json={"reason": "odd"})).json()[
        "state"
    ] == "suspended"
    (decision,) = await events(management, kind="decision", server="remit")
    assert decision["body"]["name"] == "agents.suspend"
    assert decision["body"]["outcome"] == "allow"
    (outcome,) = await events(management, kind="call.completed", server="remit")
    assert outcome["body"]["outcome"] == "ok"
    (suspended,) = await events(management, kind="agent.suspended")
    assert suspended["actor"] == {"type": "admin", "id": "steward"}
    assert suspended["trace"]["trace_id"] == decision["trace"]["trace_id"]


async def test_a_policy_is_asked_about_each_operation(ask, management, settings):
    (settings.repo / "policies" / "calm.cedar").write_text(
        '@id("calm")\n@refusal("Not today.")\nforbid (\n  principal,\n'
        '  action == Remit::Action::"remit/agents.suspend",\n  resource\n);\n'
    )
    assert (await management.post("/api/v1/reload", json={})).status_code == 200
    refused = await ask("POST", "/agents/billing-job/suspend", json={})
    assert refused.status_code == 403
    assert "www-authenticate" not in refused.headers
    assert (await ask("GET", "/agents")).status_code == 200


async def test_a_suspended_administrator_administers_nothing(public, token, management):
    headers = {"Authorization": f"Bearer {await token()}"}
    assert (await public.get("/api/v1/agents", headers=headers)).status_code == 200
    await management.post("/api/v1/agents/steward/suspend", json={})
    assert (await public.get("/api/v1/agents", headers=headers)).status_code == 401


async def test_a_scope_taken_out_of_the_repository_counts_no_more(
    public, token, management, settings
):
    headers = {"Authorization": f"Bearer {await token()}"}
    file = settings.repo / "agents" / "steward.yaml"
    file.write_text(file.read_text().replace("remit:users.read, ", ""))
    await management.post("/api/v1/reload", json={})
    assert (await public.get("/api/v1/users", headers=headers)).status_code == 403
    assert (await public.get("/api/v1/agents", headers=headers)).status_code == 200


async def _people(management):
    for name, tenant in (("dana", "acme"), ("gil", "globex")):
        body = {"username": name, "tenant": tenant, "password": PASSWORD}
        assert (await management.post("/api/v1/users", json=body)).status_code == 200


async def test_an_administrator_of_one_organisation_sees_and_changes_its_people_alone(
    ask, management
):
    await _people(management)
    own = {"name": "operator", "scope": EVERYTHING.replace(CROSS, "")}
    seen = (await ask("GET", "/users", **own)).json()["users"]
    assert [user["username"] for user in seen] == ["dana"]
    assert (await ask("GET", "/users?tenant=globex", **own)).status_code == 403
    for method, path, body in (
        ("GET", "/users/gil", None),
        ("GET", "/users/gil/sessions", None),
        ("GET", "/users/gil/identities", None),
        ("GET", "/users/gil/consents", None),
        ("GET", "/users/gil/connections", None),
        ("PATCH", "/users/gil", {"display_name": "Nobody"}),
        ("POST", "/users/gil/identities/link", {"provider": "corp", "subject": "s"}),
        ("POST", "/users/gil/identities/unlink", {"provider": "corp", "subject": "s"}),
        ("POST", "/users/gil/consents/withdraw", {"client_id": "support"}),
        ("POST", "/users/gil/connections/crm/withdraw", {}),
        ("POST", "/users/gil/disable", {}),
        ("POST", "/users/gil/enable", {}),
        ("POST", "/users/gil/password", {"password": PASSWORD}),
        ("POST", "/users/gil/factors/reset", {}),
        ("POST", "/users/gil/sessions/end", {}),
        ("GET", "/grants?user=gil", None),
        ("POST", "/grants/revoke", {"user": "gil"}),
    ):
        options = {} if body is None else {"json": body}
        answer = await ask(method, path, **own, **options)
        assert answer.status_code == 404, (path, answer.text)
        assert answer.json()["detail"] == "there is no such account"
    new = {"username": "eve", "tenant": "globex", "password": PASSWORD}
    assert (await ask("POST", "/users", json=new, **own)).status_code == 403
    everyone = (await ask("GET", "/users")).json()["users"]
    assert [user["username"] for user in everyone] == ["dana", "gil"]
    assert {user["state"] for user in everyone} == {"active"}


async def test_an_administrator_of_one_organisation_links_nobody_of_a_provider_that_serves_another(
    ask, management, settings
):
    """A subject that they gave to an account of theirs would be shut out of the other one."""
    await _people(management)
    (settings.repo / "people.yaml").write_text(PROVIDERS)
    assert (await management.post("/api/v1/reload", json={})).status_code == 200
    own = {"name": "operator", "scope": EVERYTHING.replace(CROSS, "")}
    for provider in ("shared", "ruled"):
        wanted = {"provider": provider, "subject": "00u1"}
        refused = await ask("POST", "/users/dana/identities/link", **own, json=wanted)
        assert refused.status_code == 403, refused.text
        allowed = await ask("POST", "/users/dana/identities/link", json=wanted)
        assert allowed.status_code == 200, allowed.text
    wanted = {"provider": "ours", "subject": "00u1"}
    allowed = await ask("POST", "/users/dana/identities/link", **own, json=wanted)
    assert allowed.status_code == 200, allowed.text


async def test_what_is_everybodys_takes_the_scope_for_every_organisation(ask):
    own = {"name": "operator", "scope": EVERYTHING.replace(CROSS, "")}
    for method, path in (
        ("GET", "/keys"), ("POST", "/keys/rotate"), ("GET", "/status"), ("POST", "/reload"),
        ("GET", "/registrations"), ("GET", "/registration-tokens"),
    ):  # fmt: skip
        options = {} if method == "GET" else {"json": {}}
        assert (await ask(method, path, **own, **options)).status_code == 403, path
        assert (await ask(method, path, **options)).status_code == 200, path


async def test_an_agent_of_several_organisations_is_not_one_organisations_to_stop(ask):
    own = {"name": "operator", "scope": EVERYTHING.replace(CROSS, "")}
    agents = (await ask("GET", "/agents")).json()["agents"]
    shared = [one["id"] for one in agents if {"acme"} < set(one["tenants"])]
    assert shared
    seen = (await ask("GET", "/agents", **own)).json()["agents"]
    assert {tuple(one["tenants"]) for one in seen if one["id"] in shared} == {("acme",)}
    for agent in shared:
        answer = await ask("POST", f"/agents/{agent}/suspend", json={}, **own)
        assert answer.status_code == 403
    answer = await ask("POST", "/agents/billing-job/suspend", json={}, **own)
    assert answer.status_code == 200


async def test_a_server_that_organisations_share_is_reviewed_by_who_acts_for_all(ask):
    own = {"name": "operator", "scope": EVERYTHING.replace(CROSS, "")}
    servers = (await ask("GET", "/servers", **own)).json()["servers"]
    assert {one["tenant"] for one in servers} <= {None, "acme"}
    body = {"thing": "tool", "name": "get_invoice", "digest": "0" * 64}
    for verb, json_body in (("admit", body), ("reject", body), ("discover", {})):
        answer = await ask("POST", f"/servers/payments/{verb}", json=json_body, **own)
        assert answer.status_code == 403, answer.text
    assert (await ask("GET", "/servers/payments/review", **own)).status_code == 200


async def test_nobody_makes_or_takes_over_an_account_with_more_rights_than_their_own(
    ask, management
):
    own = {"name": "operator", "scope": EVERYTHING.replace(CROSS, "")}
    new = {"username": "eve", "tenant": "acme", "password": PASSWORD, "roles": ["root"]}
    assert (await ask("POST", "/users", json=new, **own)).status_code == 403
    assert (await management.get("/api/v1/users/eve")).status_code == 404
    assert (await ask("POST", "/users", json=new)).status_code == 200
    for path, body in (
        ("password", {"password": PASSWORD}), ("factors/reset", {}), ("disable", {}),
        ("sessions/end", {}), ("identities/link", {"provider": "corp", "subject": "s"}),
        ("identities/unlink", {"provider": "corp", "subject": "s"}),
    ):  # fmt: skip
        answer = await ask("POST", f"/users/eve/{path}", json=body, **own)
        assert answer.status_code == 403, path
        assert "more than you may" in answer.json()["detail"]


async def test_nobody_gives_an_account_more_rights_than_their_own_by_a_change(
    ask, management, settings
):
    await _people(management)
    own = {"name": "operator", "scope": EVERYTHING.replace(CROSS, "")}
    roles = settings.repo / "roles.yaml"
    roles.write_text(f"{roles.read_text()}  - when: {{ post: chief }}\n    roles: [root]\n")
    assert (await management.post("/api/v1/reload", json={})).status_code == 200
    for change in ({"add_roles": ["root"]}, {"attributes": {"post": "chief"}}):
        answer = await ask("PATCH", "/users/dana", json=change, **own)
        assert answer.status_code == 403, change
        assert "more than you may" in answer.json()["detail"]
    shown = (await management.get("/api/v1/users/dana")).json()
    assert (shown["roles"], shown["attributes"]) == ([], {})
    # What only lessens the rights of somebody above is not theirs to do either.
    assert (await ask("PATCH", "/users/dana", json={"add_roles": ["root"]})).status_code == 200
    answer = await ask("PATCH", "/users/dana", json={"remove_roles": ["root"]}, **own)
    assert answer.status_code == 403
    answer = await ask("PATCH", "/users/dana", json={"remove_roles": ["root"]})
    assert answer.json()["roles"] == []
    assert not await events(management, kind="account.updated", tenant="globex")
    changes = await events(management, kind="account.updated", tenant="acme")
    assert [one["actor"]["id"] for one in changes] == ["steward"] * 2


async def test_a_change_of_a_person_takes_the_scope_for_it(ask, management):
    await _people(management)
    for method, path, scope in (
        ("PATCH", "/users/dana", "remit:users.read"),
        ("POST", "/users/dana/identities/link", "remit:users.read"),
        ("POST", "/users/dana/consents/withdraw", "remit:grants.read"),
        ("POST", "/users/dana/connections/crm/withdraw", "remit:grants.read"),
    ):
        answer = await ask(method, path, scope=scope, json={})
        assert answer.status_code == 403, path
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_the_log_shows_one_organisation_what_is_its_own(ask, management):
    await _people(management)
    own = {"name": "operator", "scope": "remit:audit.read"}
    answer = await ask("GET", "/audit/tail?count=1000", **own)
    assert {json.loads(line)["tenant"] for line in answer.text.splitlines()} == {"acme"}
    assert (await ask("GET", "/audit/tail?tenant=globex", **own)).status_code == 403


async def test_grants_are_those_of_ones_own_organisation_page_by_page(ask, token, management):
    for scope in ("remit:agents.read", "remit:users.read", "remit:keys.read"):
        await token("operator", scope)
    found, cursor = [], None
    for _ in range(9):
        query = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = (await ask("GET", "/grants", params=query)).json()
        found += [grant["id"] for grant in page["grants"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) >= 4
    assert (await ask("GET", "/grants?cursor=e30")).status_code == 400
    assert (await ask("GET", "/grants?limit=0")).status_code == 400


async def test_ending_all_of_an_agent_ends_its_tokens(public, ask, token):
    headers = {"Authorization": f"Bearer {await token('operator', 'remit:agents.read')}"}
    assert (await public.get("/api/v1/agents", headers=headers)).status_code == 200
    ended = await ask("POST", "/grants/revoke", json={"agent": "operator", "reason": "left"})
    assert ended.json()["revoked"] == 1
    assert (await public.get("/api/v1/agents", headers=headers)).status_code == 401
    assert (await ask("POST", "/grants/revoke", json={})).status_code == 400


async def test_after_a_compromise_every_token_is_refused_when_the_answer_comes(public, ask, token):
    headers = {"Authorization": f"Bearer {await token()}"}
    rotated = await ask("POST", "/keys/rotate", json={"now": True})
    assert rotated.json()["state"] == "signs"
    assert (await public.get("/api/v1/keys", headers=headers)).status_code == 401
    states = [key["state"] for key in (await ask("GET", "/keys")).json()["keys"]]
    assert states == ["signs", "retired"]
    (published,) = (await public.get("/jwks")).json()["keys"]
    assert published["kid"] == rotated.json()["kid"]
