"""`remit explain`: a decision, as a person reads it."""

import asyncio
import json

import httpx2
import pytest

from remit.app import build
from remit.cli.explain import _lines
from remit.settings import Settings

MISSING = f"dec_{'0' * 26}"
FORBIDDEN = {
    "decision": "dec_06h006k76s71brxzmqgtq6g0fx", "at": "2026-01-05T15:00:00.000Z",
    "outcome": "deny", "reason": "forbidden", "because": "forbidden by `refund-limit`",
    "who": {"agent": "assistant", "agent_owner": "lead@acme.example", "client": "cli_1", "user": "usr_1",
            "roles": ["support"], "tenant": "acme", "env": "prod", "grant": "gnt_1", "ip": "192.0.2.1"},
    "what": {"server": "payments", "method": "tools/call", "name": "refund", "operation": "write",
             "sensitivity": "high"},
    "scopes": [{"scope": "pay:refund", "held": False, "token": [], "agent": ["pay:refund"],
                "roles": [], "forbidden": ["pay:refund"]}],
    "policies": [{"id": "refund-limit", "effect": "forbid", "file": "policies/refunds.cedar", "line": 6,
                  "refusal": "ask a person", "reads": [
                      {"attribute": "context.arguments.amount.value", "value": "900", "held": "open", "recorded": True},
                      {"attribute": 'principal tag "department"', "value": None, "held": "missing", "recorded": False}]},
                 {"id": "gone", "effect": "forbid"}],
    "limits": [{"of": "agent", "declared": "agents/a.yaml", "calls_per_minute": 60, "concurrent_calls": None}],
    "arguments": {"amount": "900", "reason": "tok1.text.abc", "tags": ["a", "b"]},
    "engine": "cedar", "history": [], "justification": {"value": None, "held": "absent", "recorded": True},
    "errors": ["policy `x` failed"], "became": None,
    "versions": {"policies": "p" * 64, "catalog": "c" * 64, "in_force": False},
    "now": None, "nearest": [{"kind": "policy", "what": "the policy does not forbid it", "how": "change it"}],
    "tried": 3, "notes": ["something is not in the log"],
}  # fmt: skip


def read(found) -> str:
    return "\n".join(line.plain for line in _lines(found))


def test_everything_stands_where_it_is_looked_for():
    lines = read(FORBIDDEN).splitlines()
    assert lines[0].startswith("DENIED  forbidden  dec_06h006k76s71brxzmqgtq6g0fx")
    assert lines[1] == "Forbidden by `refund-limit`."
    text = "\n".join(lines)
    for part in (
        "agent     assistant (owner: lead@acme.example), client cli_1",
        "for       usr_1, roles: support",
        "asked for payments tools/call refund (write, high)",
        "scopes    pay:refund  token: no, agent's file: yes, roles: none, a guardrail forbids it",
        "policies  forbid refund-limit  policies/refunds.cedar:6",
        "  read  context.arguments.amount.value = 900",
        '  read  principal tag "department" = (not in the log)',
        "forbid gone  no longer in the repository",
        "limits    of the agent: 60 calls a minute  (agents/a.yaml)",
        "reason = (redacted)",
        "tags = [a, b]",
        "error     policy `x` failed",
        "others are in force now",
        "It would be allowed, if only\n  - the policy does not forbid it\n    change it",
        "note      something is not in the log",
    ):
        assert part in text, part


def test_what_nobody_can_change_alone_is_said_so():
    assert "No single change of the 3 that were tried" in read({**FORBIDDEN, "nearest": []})
    untried = read({**FORBIDDEN, "nearest": [], "tried": 0})
    assert "would allow it" not in untried


def test_what_was_allowed_has_nothing_near_and_says_what_became_of_it():
    allowed = {**FORBIDDEN, "outcome": "allow", "nearest": [], "became": {"outcome": "ok"}}
    text = read(allowed)
    assert text.startswith("ALLOWED")
    assert "became    ok" in text
    assert "would allow it" not in text


def test_nothing_that_a_caller_wrote_moves_the_cursor():
    hostile = {**FORBIDDEN, "arguments": {"a": "\x1b[2Jgone"}}
    assert "\x1b" not in read(hostile)


@pytest.fixture
def refused(folder) -> str:
    """The id of a decision in the log of `folder`."""

    async def make() -> str:
        settings = Settings(repo=folder / "policy", data=folder / "data")
        async with build(settings, environ={}) as app:
            transport = httpx2.ASGITransport(app.asgi)
            async with httpx2.AsyncClient(transport=transport, base_url=settings.issuer) as client:
                message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
                headers = {"Accept": "application/json, text/event-stream"}
                answer = await client.post("/mcp/crm", json=message, headers=headers)
                return str(answer.json()["error"]["data"]["decision"])

    return asyncio.run(make())


def test_a_decision_of_the_log_is_explained(cli, refused):
    done = cli("explain", refused)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"CHALLENGED  missing_token  {refused}")
    assert "nobody who proved who they are" in done.out
    machine = json.loads(cli("explain", refused, "--json").out)
    assert (machine["decision"], machine["reason"]) == (refused, "missing_token")


@pytest.mark.parametrize(
    ("decision", "says"), [(MISSING, "there is no such decision"), ("dec_1", "has an id such as")]
)
def test_what_cannot_be_explained_is_told_and_exits_1(cli, folder, decision, says):
    assert folder.exists()
    done = cli("explain", decision)
    assert done.code == 1
    assert says in done.err


def test_an_engine_elsewhere_is_named_with_what_it_said():
    rule = {"id": "pdp:refund-limit", "effect": "forbid", "of": "in the engine pdp"}
    text = read({**FORBIDDEN, "engine": "pdp", "policies": [rule]})
    assert "\nengine    pdp\n" in text
    assert "forbid pdp:refund-limit  in the engine pdp" in text


def test_of_the_engine_in_this_process_nothing_is_said():
    assert "engine    " not in read({**FORBIDDEN, "engine": "cedar"})
