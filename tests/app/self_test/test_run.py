"""Before Remit answers anybody it tries what has to be refused, on itself, as it will serve."""

import base64
import json
import re
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from remit.app.self_test import SelfTestFailedError
from remit.audit import AuditUnavailableError, read_events
from remit.guard.ladder import Allowance, Ladder
from remit.guard.outcome import RefusalReason
from remit.model import CallLimits
from remit.policy import CedarEngine
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason, MatchedRule, RuleEffect
from remit.tokens import TokenVerifier

PERMITTED = Decision(
    outcome=DecisionOutcome.ALLOW,
    reason=DecisionReason.PERMITTED,
    rules=(MatchedRule(id="all", effect=RuleEffect.PERMIT),),
    policy_version="v",
    engine="sabotaged",
)


def recorded(app, kind) -> list[dict]:
    return [
        entry for entry in read_events(app.folder.audit) if entry["kind"] == kind
    ]  # fmt: skip


async def test_everything_forbidden_is_refused_and_recorded_in_nobodys_account(app):
    await app.self_test.run(app.asgi)
    decisions = recorded(app, "decision")
    assert {entry["body"]["server"] for entry in decisions} == {"crm", "payments", "remit"}
    assert {entry["body"]["outcome"] for entry in decisions} == {"deny", "challenge"}
    assert {entry["body"]["reason"] for entry in decisions} == {
        "missing_token", "invalid_token", "not_found", "insufficient_scope", "wrong_environment",
    }  # fmt: skip
    for entry in decisions:
        assert entry["actor"] == {"type": "system", "id": "self-test"}
        assert not any(entry[name] for name in ("agent", "user", "client", "grant", "tenant"))
    (finished,) = recorded(app, "selftest.finished")
    assert finished["body"] == {"tried": len(decisions) + 1, "failed": []}
    assert app.self_test.tried == len(decisions) + 1


async def test_it_leaves_nothing_behind(app):
    before = app.directory.standing
    numbers = app.self_test._parts.stores.metrics
    await app.self_test.run(app.asgi)
    assert app.directory.standing == before
    assert b"remit_decisions_total{" not in numbers.exposition()
    assert app.self_test._parts.guard._ladder._quota.remembered == 0
    tally = app.desk._tally
    tally.begin(lambda _agent: True)
    assert not any(tally.found().values()), "what it tried is not what is usual for a trial"
    tally.end()
    assert not app.self_test.seal.is_closed
    assert app.self_test.seal.asked == 0
    assert recorded(app, "call.completed") == []


async def test_limits_do_not_answer_in_the_place_of_what_is_tried(app):
    catalog = app.directory.catalog
    tight = CallLimits(calls_per_minute=1, concurrent_calls=1)
    agents = {name: replace(one, limits=tight) for name, one in catalog.agents.items()}
    app.directory.replace_catalog(replace(catalog, agents=agents))
    await app.self_test.run(app.asgi)
    assert not any(entry["body"]["reason"] == "rate_limited" for entry in recorded(app, "decision"))


async def test_a_repository_without_servers_is_tried_at_what_is_built_in(app):
    app.directory.replace_catalog(replace(app.directory.catalog, servers={}))
    await app.self_test.run(app.asgi)
    assert {entry["body"]["server"] for entry in recorded(app, "decision")} == {"remit"}


def _allowing(self, call):
    """A ladder that lets everybody through who has a token that is any good."""
    caller = self.authenticate(call)
    if not hasattr(caller, "agent"):
        return caller
    return Allowance(caller=caller, target=None, required=(), decision=PERMITTED)


@pytest.fixture
def sabotage(monkeypatch):
    """Break one part, by name."""

    def ladder():
        monkeypatch.setattr(Ladder, "decide", _allowing)

    def scopes():
        monkeypatch.setattr("remit.guard.ladder.within_limits", lambda *_a, **_k: None)
        monkeypatch.setattr(CedarEngine, "evaluate", lambda *_a: PERMITTED)

    def engine():
        monkeypatch.setattr(CedarEngine, "evaluate", lambda *_a: PERMITTED)

    def revocations():
        monkeypatch.setattr("remit.guard.authentication.is_backed", lambda *_a: True)

    def audience():
        real = TokenVerifier.verify

        def verify(self, raw, *, audience):
            del audience
            return real(self, raw, audience=_aud(raw))

        monkeypatch.setattr(TokenVerifier, "verify", verify)

    return {
        "ladder": ladder,
        "scopes": scopes,
        "engine": engine,
        "revocations": revocations,
        "audience": audience,
    }


def _aud(raw: str) -> str:
    part = raw.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["aud"]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("ladder", "was not refused"),
        ("scopes", "without the scopes it takes to .* was not refused"),
        ("engine", "a policy that fails does not refuse"),
        ("revocations", "a revoked token to .* was not refused"),
        ("audience", "a token for another server to .* was not refused"),
    ],
)
async def test_whatever_part_lets_something_through_it_does_not_open(app, sabotage, part, says):
    sabotage[part]()
    with pytest.raises(SelfTestFailedError, match=says) as failure:
        await app.self_test.run(app.asgi)
    (finished,) = recorded(app, "selftest.finished")
    assert finished["body"]["failed"][0] in failure.value.detail
    # What got through was on its way, and stopped: nothing was ever called.
    assert app.gateway._deps.upstreams._in_use == {}


async def test_a_refusal_that_is_not_in_the_log_is_none(app, monkeypatch):
    audit = app.audit
    real = type(audit).append

    async def forgetful(self, event):
        if event.kind == "decision" and event.reason == RefusalReason.INVALID_TOKEN.value:
            return None
        return await real(self, event)

    monkeypatch.setattr(type(audit), "append", forgetful)
    with pytest.raises(SelfTestFailedError, match=r"of \d+ refusals at \w+, \d+ are in the log"):
        await app.self_test.run(app.asgi)


async def test_a_log_that_takes_nothing_keeps_it_from_opening(app, monkeypatch):
    async def full(_self, _event):
        raise AuditUnavailableError("no space left")

    monkeypatch.setattr(type(app.audit), "append", full)
    with pytest.raises(AuditUnavailableError):
        await app.self_test.run(app.asgi)


async def test_an_answer_that_never_comes_is_no_refusal(app, monkeypatch):
    monkeypatch.setattr("remit.app.self_test.run._SECONDS", 0.01)

    async def hanging(_scope, receive, _send):
        while True:
            await receive()

    with pytest.raises(SelfTestFailedError, match="was not answered"):
        await app.self_test.run(hanging)


SABOTAGED = """
import sys
from remit.guard import ladder
from remit.policy import CedarEngine
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason, MatchedRule, RuleEffect
permitted = Decision(outcome=DecisionOutcome.ALLOW, reason=DecisionReason.PERMITTED, policy_version="v",
    rules=(MatchedRule(id="all", effect=RuleEffect.PERMIT),), engine="sabotaged")
if "ladder" in sys.argv:
    ladder.within_limits = lambda *a: None
CedarEngine.evaluate = lambda *a: permitted
sys.argv = ["remit", *sys.argv[2:]]
from remit.cli.main import main
main()
"""


@pytest.mark.parametrize("part", ["ladder", "engine"])
def test_a_sabotaged_process_does_not_open(remit, part):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = subprocess.run(
        [
            sys.executable, "-c", SABOTAGED, part, "serve", "--repo", "policy", "--data", "data",
            "--port", str(port),
        ],
        cwd=remit.folder, env=remit.environ, text=True, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "error: the self-test failed: " in done.stderr
    assert "next: do not serve with this installation" in done.stderr
    assert "listening" not in done.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))  # nobody listens there
    failed = remit.ok("audit", "verify", "data/audit")
    assert re.search(r"valid|verified", failed)
