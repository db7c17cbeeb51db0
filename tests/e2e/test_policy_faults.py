"""What goes wrong with policies refuses, or leaves what was in force: never a mixture, and always said.

The rest of it has tests where it happens: bundles that were altered or signed by nobody, two applies at once,
a clock that was set back (`tests/guard/test_standing.py`), and a database that is down (`tests/deployment`, `tests/app/test_bundle_book.py`); engines elsewhere that are slow,
wrong or dead (`tests/engines`, `tests/e2e/test_policy_engines.py`).
"""

import asyncio
import json
import re
from dataclasses import replace

import httpx2
import pytest

from remit.app import build
from remit.app.reload import load_policies
from remit.audit import read_events
from remit.cli.exits import ExitCode
from remit.model import EngineKind, ExternalEngine, Pinning, Sensitivity
from remit.policy import CedarEngine, PolicySource
from remit.repository import RepositoryInvalidError, write_example
from remit.settings import Settings
from remit.testing.clock import FixedClock
from remit.tokens import AccessToken, audience_of, mint
from tests.app.conftest import Remit

URL = "http://127.0.0.1:8600"
ENVIRON = {"REMIT_BILLING_JOB_SECRET": "a-secret-for-the-billing-job-of-the-example"}


class Desk:
    """A Remit in this process, whose payments server is never reached: a call that is let through fails there."""

    def __init__(self, app, http, clock) -> None:
        self.app, self.http, self.clock = app, http, clock

    async def refund(self, amount="5.00", **claims) -> dict:
        now = self.clock.now()
        token = AccessToken(**{
            "iss": URL, "sub": "usr_dana", "aud": audience_of(URL, "payments"), "client_id": "cli_1", "jti": "at_1",
            "iat": now, "exp": now + 600, "scopes": ("payments:refunds.create",), "grant_id": "gnt_1",
            "agent_id": "support-assistant", "organization_id": "acme", "environment": "prod",
            "sensitivity": Sensitivity.HIGH, "roles": ("support",), "acr": "urn:remit:acr:pwd", "amr": ("pwd",),
            "auth_time": now - 60, **claims,
        })  # fmt: skip
        raw = mint(self.app.self_test._parts.keys, token)
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        arguments = {"amount": amount, "invoice_id": "inv-1", "reason": "words"}
        answer = await self.http.post(
            "/mcp/payments",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                  "params": {"name": "refund", "arguments": arguments, "_meta": meta}},
            headers={"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28",
                     "Mcp-Method": "tools/call", "Mcp-Name": "refund", "Authorization": f"Bearer {raw}"},
        )  # fmt: skip
        return answer.json()

    def reason(self, answer) -> str:
        """Why it was refused; `let through` when it was not."""
        data = answer.get("error", {}).get("data", {})
        return data.get("reason", "let through") if "decision" in data else "let through"

    def events(self, kind) -> list[dict]:
        return [one for one in read_events(self.app.folder.audit) if one["kind"] == kind]

    def last(self) -> dict:
        return self.events("decision")[-1]["body"]

    def versions(self) -> tuple[str, str]:
        return self.app.directory.catalog.version, self.app.reload._in_force._decisions.version


@pytest.fixture
async def desk(tmp_path, clock: FixedClock):
    write_example(tmp_path / "policy")
    payments = tmp_path / "policy/servers/payments.yaml"
    text = re.sub(r"^pinning:.*$", 'pinning: "off"', payments.read_text(), flags=re.MULTILINE)
    payments.write_text(text)
    settings = Settings(repo=tmp_path / "policy", data=tmp_path / "data")
    async with build(settings, environ=ENVIRON, clock=clock) as app:
        transport = httpx2.ASGITransport(app.asgi)
        async with httpx2.AsyncClient(transport=transport, base_url=URL) as http:
            await app.standing.now()
            yield Desk(app, http, clock)


def publish(desk, text) -> None:
    """Let these policies decide, beside a permit for everything."""
    text = f'@id("all") permit(principal, action, resource);\n{text}'
    engine = CedarEngine.load([PolicySource(text, "policies/a.cedar")], desk.app.directory.catalog)
    desk.app.reload._in_force._decisions.publish(engine)


async def test_without_a_fault_it_is_let_through(desk):
    """Else none of the below would show anything."""
    await desk.refund()
    assert desk.last()["outcome"] == "allow"


class Broken:
    """An engine that raises, with words that nobody outside may see."""

    version = "v" * 64

    def evaluate(self, evaluation):
        del evaluation
        raise RuntimeError("the inner words of a defect")

    def history_read(self, resource):
        del resource
        return frozenset()


async def test_an_engine_that_raises_refuses_and_says_so_to_the_operator_alone(desk):
    desk.app.reload._in_force._decisions.publish(Broken())
    answer = await desk.refund()
    assert desk.reason(answer) == "engine_error"
    assert "inner words" not in json.dumps(answer)
    assert desk.last()["outcome"] == "deny"
    assert "inner words" in desk.last()["engine_errors"][0]


@pytest.mark.parametrize("effect", ["permit", "forbid"])
async def test_a_policy_that_fails_refuses_though_another_permits(desk, effect):
    publish(
        desk,
        f'@id("overflow") {effect}(principal, action in Remit::Action::"call", resource)\n'
        "when { context.time.epoch * 9223372036854775807 > 0 };\n",
    )
    assert desk.reason(await desk.refund()) == "engine_error"
    assert "`overflow`" in desk.last()["engine_errors"][0]


async def test_an_argument_of_another_type_is_refused_before_a_policy_is_asked(desk):
    for amount in ("much", "5.00001", "1e3"):
        answer = await desk.refund(amount)
        assert desk.reason(answer) == "invalid_arguments", answer
        assert desk.last()["outcome"] == "deny"


MISTAKES = {
    "an attribute that a question may lack": "context.ip.isIpv4()",
    "an attribute that is none": "context.time.our > 9",
    "another type": 'context.time.hour == "nine"',
    "a tag that may be absent": 'principal.getTag("department") == "x"',
}


@pytest.mark.parametrize("what", list(MISTAKES))
async def test_a_policy_that_could_fail_never_comes_into_force(desk, what):
    before = desk.versions()
    new = desk.app.settings.repo / "policies/new.cedar"
    new.write_text(f'@id("new") forbid(principal, action, resource) when {{ {MISTAKES[what]} }};\n')
    with pytest.raises(RepositoryInvalidError):
        await desk.app.reload()
    assert desk.versions() == before
    await desk.refund()
    assert desk.last()["outcome"] == "allow"
    (said,) = desk.events("bundle.refused")
    assert said["body"]["error"] == "repository_invalid"
    assert "policies/new.cedar" in said["body"]["detail"]


async def test_a_catalog_that_changed_under_a_policy_is_refused_with_it(desk):
    """The argument that `refund-limit` reads is called otherwise now: neither the one nor the other."""
    before = desk.versions()
    payments = desk.app.settings.repo / "servers/payments.yaml"
    text = payments.read_text()
    assert "amount:" in text
    payments.write_text(text.replace("amount:", "sum:"))
    with pytest.raises(RepositoryInvalidError):
        await desk.app.reload()
    assert desk.versions() == before
    assert desk.reason(await desk.refund("900.00")) == "confirmation_needed"
    assert desk.last()["catalog_version"] == before[0]
    assert desk.last()["policy_version"] == before[1]


@pytest.mark.parametrize(
    "name",
    ["remit.yaml", "scopes.yaml", "servers/payments.yaml", "agents/support-assistant.yaml", "policies/refunds.cedar"],
)  # fmt: skip
@pytest.mark.parametrize("part", [0.4, 0.9])
async def test_a_file_that_is_half_written_changes_nothing(desk, name, part):
    before = desk.versions()
    file = desk.app.settings.repo / name
    whole = file.read_text()
    file.write_text(whole[: int(len(whole) * part)])
    try:
        await desk.app.reload()
    except RepositoryInvalidError:
        assert desk.versions() == before
        assert desk.events("bundle.refused")
    else:
        # Cut where a shorter file is a file, too: then all of it holds, as one.
        loaded = load_policies(desk.app.settings.repo)
        assert desk.versions() == (loaded.catalog.version, loaded.engine.version)
    file.write_text(whole)
    await desk.app.reload()
    assert desk.versions() == before


async def test_calls_during_reloads_are_decided_by_one_version_or_the_other(desk):
    """Never by the catalog of the one and the policies of the other."""
    limit = desk.app.settings.repo / "policies/refunds.cedar"
    texts = [limit.read_text(), limit.read_text().replace("500.00", "4.00")]
    pairs = set()
    for number in range(6):
        limit.write_text(texts[number % 2])
        loaded = load_policies(desk.app.settings.repo)
        pairs.add((loaded.catalog.version, loaded.engine.version))
        await asyncio.gather(desk.app.reload(), *[desk.refund() for _ in range(4)])
    decided = [one["body"] for one in desk.events("decision")]
    assert len(decided) == 24
    seen = {(one["catalog_version"], one["policy_version"]) for one in decided}
    assert seen <= pairs
    by = {one["policy_version"]: one["reason"] for one in decided}
    assert len(set(by.values())) == len(by)


async def test_a_dead_engine_elsewhere_refuses_and_is_named(desk):
    catalog = desk.app.directory.catalog
    dead = ExternalEngine(name="dead", kind=EngineKind.AUTHZEN, url="http://127.0.0.1:9")
    payments = replace(catalog.servers["payments"], engine="dead", pinning=Pinning.OFF)
    desk.app.directory.replace_catalog(
        replace(catalog, engines={"dead": dead}, servers={**catalog.servers, "payments": payments})
    )
    assert desk.reason(await desk.refund()) == "engine_error"
    assert desk.last()["outcome"] == "deny"


async def test_a_token_from_the_future_is_none(desk):
    now = desk.clock.now()
    answer = await desk.refund(iat=now + 600, exp=now + 1_200)
    assert desk.reason(answer) == "invalid_token"


def test_a_reload_that_is_refused_says_so_with_its_exit_code(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    remit = Remit(folder, tmp_path_factory.mktemp("bytecode"))
    write_example(remit.repo)
    with remit.serving() as server:
        (remit.repo / "policies/new.cedar").write_text("forbid (")
        done = remit.run("reload")
        assert done.returncode == ExitCode.FOUND_WRONG
        assert "policies/new.cedar" in done.stderr
        assert "reload_refused" in server.log.read_text()
        tail = remit.ok("audit", "tail", "--kind", "bundle.refused", "--json")
        assert "policies/new.cedar" in tail
