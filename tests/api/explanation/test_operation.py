"""`audit.explain`, on a whole Remit with the example repository: decisions made through the gateway."""

import asyncio
import json
from dataclasses import replace

import httpx2
import pytest

from remit.api.explanation import operation
from remit.api.explanation.record import find_record
from remit.audit import read_events
from remit.audit.file_source import FileSource
from remit.model import AuditTreatment, CallLimits, Pinning, Sensitivity
from remit.tokens import AccessToken, audience_of, mint

URL = "http://127.0.0.1:8600"


def token(app, server="payments", **changes) -> str:
    now = app.clock.now()
    made = AccessToken(
        iss=URL, sub="usr_dana", aud=audience_of(URL, server), client_id="cli_1", jti="jti_1",
        iat=now, exp=now + 600, scopes=("payments:invoices.read", "payments:refunds.create"),
        grant_id="gnt_1", agent_id="support-assistant", organization_id="acme", environment="prod",
        sensitivity=Sensitivity.HIGH, roles=("support", "finance"), acr="urn:remit:acr:pwd",
        amr=("pwd",), auth_time=now - 60,
    )  # fmt: skip
    return mint(app.self_test._parts.keys, replace(made, **changes))


@pytest.fixture
def call(app, public):
    """Calls a tool through the gateway; the id of the decision."""
    # No server is started only to ask what it offers: that may take longer than standing is good for.
    catalog = app.directory.catalog
    servers = {name: replace(one, pinning=Pinning.OFF) for name, one in catalog.servers.items()}
    app.directory.replace_catalog(replace(catalog, servers=servers))

    async def called(tool, arguments, *, server="payments", raw=None, why=None, **claims) -> str:
        meta = {
            **({} if why is None else {"dev.remit/justification": why}),
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        message = {
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments, "_meta": meta},
        }  # fmt: skip
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": tool,
        }  # fmt: skip
        if raw != "":
            headers["Authorization"] = f"Bearer {raw or token(app, server, **claims)}"
        await app.standing.now()
        answer = await public.post(f"/mcp/{server}", json=message, headers=headers)
        return str(answer.json()["error"]["data"]["decision"])

    return called


@pytest.fixture
def explain(management):
    async def asked(decision) -> dict:
        answer = await management.get(f"/api/v1/audit/decisions/{decision}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    return asked


def refund(amount="900.00") -> dict:
    return {"amount": amount, "invoice_id": "inv-7", "reason": "secret words"}


async def test_a_forbidden_call_is_explained_whole(app, call, explain):
    decision = await call("refund", refund())
    found = await explain(decision)
    assert (found["decision"], found["outcome"]) == (decision, "deny")
    assert found["reason"] == "confirmation_needed"
    assert found["because"] == "a policy wants the person to confirm this very call"
    assert found["who"]["agent"] == "support-assistant"
    assert found["who"]["agent_owner"] == "support-lead@acme.example"
    assert (found["who"]["user"], found["who"]["tenant"]) == ("usr_dana", "acme")
    assert found["what"] == {
        "server": "payments", "method": "tools/call", "name": "refund", "operation": "write",
        "sensitivity": "high", "protocol_version": "2026-07-28",
    }  # fmt: skip
    (policy,) = found["policies"]
    assert (policy["id"], policy["effect"], policy["file"]) == (
        "refund-limit", "forbid", "policies/refunds.cedar",
    )  # fmt: skip
    text = (app.settings.repo / policy["file"]).read_text().splitlines()
    assert text[policy["line"] - 1].startswith("forbid")
    assert policy["reads"] == [
        {
            "attribute": "context.arguments.amount.value",
            "value": "900.00",
            "recorded": True,
            "held": "open",
        }
    ]
    assert found["scopes"] == [
        {
            "scope": "payments:refunds.create", "held": True, "token": ["payments:refunds.create"],
            "agent": ["payments:refunds.create"], "roles": ["support", "finance"], "forbidden": [],
        }
    ]  # fmt: skip
    assert found["versions"]["in_force"] is True
    assert found["now"] == {"outcome": "deny", "reason": "confirmation_needed"}
    assert [one["kind"] for one in found["nearest"]] == ["people", "policy"]
    assert found["notes"] == []


async def test_what_was_redacted_stays_redacted(call, explain):
    found = await explain(await call("refund", refund()))
    assert found["arguments"]["amount"] == "900.00"
    assert found["arguments"]["reason"].startswith("tok1.")
    assert "secret words" not in json.dumps(found)


async def test_missing_scopes_can_be_authorized(call, explain):
    found = await explain(await call("refund", refund("5.00"), scopes=("payments:invoices.read",)))
    assert (found["outcome"], found["reason"]) == ("challenge", "insufficient_scope")
    assert found["scopes"][0]["token"] == []
    assert [one["kind"] for one in found["nearest"]] == ["authorize"]


async def test_what_was_hidden_from_the_caller_is_not_hidden_here(call, explain):
    found = await explain(await call("close_ledger", {"month": "2026-01"}))
    assert found["reason"] == "above_clearance"
    assert "the caller was told that it does not exist" in found["because"]
    assert found["scopes"][0]["forbidden"] == ["payments:ledger.admin"]
    assert found["nearest"] == []
    assert found["tried"] > 0


def _recorded_as(app, audit):
    """What the log keeps of the amount of a refund from here on."""
    catalog = app.directory.catalog
    server = catalog.servers["payments"]
    tool = server.tools["refund"]
    arguments = tuple(
        replace(one, audit=audit) if one.name == "amount" else one for one in tool.arguments
    )
    tools = {**server.tools, "refund": replace(tool, arguments=arguments)}
    servers = {**catalog.servers, "payments": replace(server, tools=tools)}
    app.directory.replace_catalog(replace(catalog, servers=servers))


async def test_arguments_that_policies_read_and_the_log_has_not_are_named(app, call, explain):
    _recorded_as(app, AuditTreatment.DROP)
    found = await explain(await call("refund", refund()))
    assert found["now"]["outcome"] == "depends"
    assert any("policies read `amount`" in note for note in found["notes"])
    (reading,) = found["policies"][0]["reads"]
    assert reading["recorded"] is False
    assert reading["value"] is None
    assert found["nearest"] == []


async def test_an_argument_that_is_sealed_decides_again_and_is_shown_to_nobody(app, call, explain):
    _recorded_as(app, AuditTreatment.TOKEN)
    found = await explain(await call("refund", refund()))
    assert found["now"] == {"outcome": "deny", "reason": "confirmation_needed"}
    (reading,) = found["policies"][0]["reads"]
    assert reading["recorded"] is False
    assert reading["value"] is None
    assert str(refund()["amount"]) not in str(found["arguments"])


async def test_a_limit_is_explained_with_where_it_is_declared(app, call, explain):
    catalog = app.directory.catalog
    agent = replace(catalog.agents["support-assistant"], limits=CallLimits(calls_per_minute=1))
    agents = {**catalog.agents, agent.id: agent}
    app.directory.replace_catalog(replace(catalog, agents=agents))
    await call("refund", refund())
    found = await explain(await call("refund", refund("5.00")))
    assert found["reason"] == "rate_limited"
    assert found["limits"][0] == {
        "of": "agent", "declared": "agents/support-assistant.yaml", "calls_per_minute": 1,
        "concurrent_calls": None,
    }  # fmt: skip
    assert [one["kind"] for one in found["nearest"]] == ["wait"]


async def test_when_the_policies_have_changed_since_that_is_said(app, call, explain):
    decision = await call("refund", refund())
    policies = app.settings.repo / "policies/refunds.cedar"
    policies.write_text(policies.read_text().replace('decimal("500.00")', 'decimal("5000.00")'))
    await app.reload()
    found = await explain(decision)
    assert found["versions"]["in_force"] is False
    assert found["now"] == {"outcome": "allow", "reason": "permitted"}
    assert any("have changed since" in note for note in found["notes"])
    assert "it would be allowed now" in found["notes"]


async def test_nobody_who_proved_nothing_is_decided_again(call, explain):
    found = await explain(await call("refund", refund(), raw=""))
    assert found["reason"] == "missing_token"
    assert (found["who"]["agent"], found["nearest"], found["now"]) == (None, [], None)
    assert found["arguments"] == {}
    assert any("who called is not known" in note for note in found["notes"])


async def test_a_thing_that_is_not_there_is_said_not_to_be(call, explain):
    found = await explain(await call("nothing_of_the_kind", {}))
    assert found["reason"] == "not_found"
    assert "the catalog has nothing of that name" in found["notes"]


async def test_wrong_arguments_have_no_nearest_change(call, explain):
    found = await explain(
        await call("refund", {"amount": "no money", "invoice_id": "i", "reason": ""})
    )
    assert found["reason"] == "invalid_arguments"
    assert found["nearest"] == []
    assert any("the caller was told which" in note for note in found["notes"])


async def test_that_somebody_looked_is_recorded(app, call, explain):
    decision = await call("refund", refund())
    await explain(decision)
    (looked,) = [one for one in read_events(app.folder.audit) if one["kind"] == "audit.queried"]
    assert looked["body"]["query"] == {"decision": decision}


@pytest.mark.parametrize(
    "decision",
    [
        "dec_1",
        "gnt_06h006k76s71brxzmqgtq6g0fx",
        "dec_06H006K76S71BRXZMQGTQ6G0FX",
        "dec_" + "0" * 27,
    ],
)
async def test_what_is_no_id_of_a_decision_is_refused(management, decision):
    answer = await management.get(f"/api/v1/audit/decisions/{decision}")
    assert answer.status_code == 400


async def test_a_decision_that_is_not_there_is_not_found(management):
    answer = await management.get(f"/api/v1/audit/decisions/dec_{'0' * 26}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_decision_of_another_organisation_is_one_that_does_not_exist(app, call, public):
    """Over HTTP an administrator sees what belongs to the organisation of the token."""
    ours, theirs = (
        await call("refund", refund()),
        await call("refund", refund(), organization_id="globex"),
    )
    anonymous = await call("refund", refund(), raw="")
    _administer(app)
    raw = token(
        app, "remit", agent_id="console", scopes=("remit:audit.read",), roles=("auditor",),
        environment="management", sub="usr_audit", aud=audience_of(URL, "remit"),
    )  # fmt: skip

    async def looked_at(decision) -> httpx2.Response:
        path = f"/api/v1/audit/decisions/{decision}"
        return await public.get(path, headers={"Authorization": f"Bearer {raw}"})

    assert (await looked_at(ours)).status_code == 200
    missing = await looked_at(f"dec_{'0' * 26}")
    for decision in (theirs, anonymous):
        hidden = await looked_at(decision)
        assert (hidden.status_code, hidden.json()) == (missing.status_code, missing.json())


def _administer(app) -> None:
    """An agent and a role that may read the log."""
    catalog = app.directory.catalog
    auditor = replace(catalog.roles["support"], name="auditor", scopes=("remit:audit.read",))
    console = replace(
        catalog.agents["support-assistant"],
        id="console", scopes=("remit:audit.read",), environments=("management",),
    )  # fmt: skip
    app.directory.replace_catalog(
        replace(
            catalog,
            roles={**catalog.roles, "auditor": auditor},
            agents={**catalog.agents, "console": console},
        )
    )


async def test_a_record_is_found_among_many_and_a_torn_line_is_passed_over(tmp_path, app):
    stream = app.folder.audit / "main"
    (segment,) = sorted(stream.glob("*.jsonl"))
    copy = tmp_path / "audit" / "main"
    copy.mkdir(parents=True)
    for one in stream.iterdir():
        if one.is_file():
            (copy / one.name).write_bytes(one.read_bytes())
    torn = b'{"kind":"decision","body":{"decision_id":"dec_' + b"0" * 26
    (copy / segment.name).write_bytes(segment.read_bytes() + torn)
    assert find_record(FileSource(tmp_path / "audit"), f"dec_{'0' * 26}") is None


async def test_one_decision_is_explained_at_a_time(call, explain, monkeypatch):
    """Each loads all policies several times: whoever asks for many at once must not hold up those who call."""
    decision = await call("refund", refund())
    whole, under_way, most = operation._explained, [], []

    def counted(*given):
        under_way.append(1)
        most.append(len(under_way))
        try:
            return whole(*given)
        finally:
            under_way.pop()

    monkeypatch.setattr(operation, "_explained", counted)
    await asyncio.gather(*[explain(decision) for _ in range(3)])
    assert most == [1, 1, 1]
