"""A bundle comes into force everywhere: two gateways on one PostgreSQL and a server that guards itself, real processes.

How long it took is left in `seconds.json` in the folder of the test; what is asserted is that it happens.
"""

import asyncio
import json
import secrets
import time
from base64 import b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from remit.demo.agent import Keyring
from remit.demo.stage import Stage, _process, _remit, free_port
from tests.e2e.guarded import Guarded, _is_ready, _until, dance, guarded
from tests.e2e.wire import headers, message

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

RULES = """
deployment: {second_person: never, tests_required: false, replay_days: 0, newly_allowed_reviewed: false}
"""
NOTHING = '@id("e2e-nothing")\nforbid (principal, action, resource);\n'
ACME = {"organization_id": "acme", "account_id": "acc-1001"}
WITHIN = 60.0
"""Seconds to wait for what is expected within two: a busy machine is no failing test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where an agent calls: a gateway, or a server that guards itself."""

    name: str
    url: str
    tool: str
    arguments: dict[str, str]
    token: str
    host: dict[str, str] = field(default_factory=dict)
    """For a gateway that is reached otherwise than by the public URL, as behind a proxy."""

    async def answered(self) -> dict[str, object]:
        """What becomes of the very same call."""
        params = {"name": self.tool, "arguments": self.arguments}
        told = headers("tools/call", name=self.tool, token=self.token) | self.host
        async with httpx2.AsyncClient(timeout=60) as http:
            answer = await http.post(self.url, json=message("tools/call", params), headers=told)
        return dict(answer.json())

    async def is_open(self) -> bool:
        """Whether it is carried out."""
        return "result" in await self.answered()

    async def until(self, *, opened: bool) -> float:
        """When it was first so."""
        ends = time.monotonic() + WITHIN
        while ("result" in (answer := await self.answered())) is not opened:
            assert time.monotonic() < ends, (self.name, answer)
        return time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Three of them, of one installation."""

    stage: Stage
    doors: tuple[Door, ...]
    streams: tuple[Path, ...]

    async def everywhere(self, *, opened: bool, since: float) -> dict[str, float]:
        """For each door how long it took."""
        found = await asyncio.gather(*(one.until(opened=opened) for one in self.doors))
        return {
            door.name: round(when - since, 2) for door, when in zip(self.doors, found, strict=True)
        }

    async def close(self, *flags: str) -> str:
        """Put a bundle in force under which nothing is allowed."""
        policy = self.stage.repository / "policies" / "e2e-nothing.cedar"
        policy.write_text(NOTHING)
        try:
            return await self.stage.remit(
                "apply", "--repo", str(self.stage.repository), "--reason", "a test", *flags
            )
        finally:
            policy.unlink()

    async def open(self) -> str:
        return await self.stage.remit("rollback", "--reason", "a test")

    def events(self) -> list[dict[str, object]]:
        return [
            json.loads(line)
            for stream in self.streams
            for path in sorted(stream.glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def doors(tmp_path_factory, postgres):
    folder = tmp_path_factory.mktemp("deployment")
    async with guarded(folder, serving=False) as guard:
        root = guard.stage.repository / "remit.yaml"
        root.write_text(root.read_text() + RULES)
        shared = {
            "REMIT_DATABASE_URL": postgres.create("deployment"),
            "REMIT_MASTER_KEY": b64encode(secrets.token_bytes(32)).decode(),
            "REMIT_PUBLIC_URL": guard.stage.url,
            # Read in each folder below, while the processes write.
            "REMIT_AUDIT_STORE": "files",
        }
        async with guard.remit(**shared), _second(guard, shared) as port, guard.server("sdk"):
            await guard.add_dana()
            payments, crm = Keyring(), Keyring()
            await dance(guard, payments, guard.stage.server("payments"))
            await dance(guard, crm)
            invoice = {
                "tool": "get_invoice",
                "arguments": {"invoice_id": "inv-78"},
                "token": payments.tokens.access_token,
            }
            yield Doors(
                stage=guard.stage,
                doors=(
                    Door(name="one", url=guard.stage.server("payments"), **invoice),
                    Door(name="two", url=f"http://127.0.0.1:{port}/mcp/payments", host={"host": guard.stage.url.removeprefix("http://")}, **invoice),
                    Door(name="guard", url=guard.url, tool="get_account", arguments=ACME, token=crm.tokens.access_token),
                ),
                streams=(folder / "data" / "audit" / "main", folder / "second" / "audit" / "second"),
            )  # fmt: skip


def _second(guard: Guarded, shared: dict[str, str]):
    """Another gateway on the same database, with a folder of its own that nobody ever reads again."""

    @asynccontextmanager
    async def serving():
        folder, port = guard.stage.folder, free_port()
        command = _remit(
            "serve", "--repo", str(guard.stage.repository), "--data", str(folder / "second"),
            "--port", str(port), "--instance", "second",
        )  # fmt: skip
        log = folder / "second.log"
        told = shared | {"CRM_GUARD_SECRET": guard.secret}
        async with _process(command, log, told) as process:
            await _until(lambda: _is_ready(f"http://127.0.0.1:{port}/readyz"), process, log)
            yield port

    return serving()


async def test_it_is_in_force_everywhere_and_so_is_going_back(doors):
    await doors.everywhere(opened=True, since=time.monotonic())
    assert "is in force" in await doors.close()
    closed = await doors.everywhere(opened=False, since=time.monotonic())
    assert "is in force" in await doors.open()
    opened = await doors.everywhere(opened=True, since=time.monotonic())
    took = {"apply": closed, "rollback": opened}
    (doors.stage.folder / "seconds.json").write_text(json.dumps(took))


async def test_no_decision_is_taken_by_half_of_one_bundle_and_half_of_another(doors):
    done = asyncio.Event()

    async def calling(door: Door) -> None:
        while not done.is_set():
            await door.is_open()

    callers = [asyncio.create_task(calling(door)) for door in doors.doors for _ in range(2)]
    try:
        for _ in range(2):
            await doors.close()
            await doors.open()
    finally:
        done.set()
        await asyncio.gather(*callers)
    await doors.everywhere(opened=True, since=time.monotonic())
    events = doors.events()
    bundles = {
        (one["body"]["catalog_version"], one["body"]["policy_version"])
        for one in events
        if one["kind"] == "policy.loaded"
    }
    decided = {
        (one["body"]["catalog_version"], one["body"]["policy_version"])
        for one in events
        if one["kind"] == "decision" and one["body"]["reason"] in {"permitted", "forbidden"}
    }
    assert len(bundles) == 2
    assert decided <= bundles
    assert len(decided) == 2


async def test_a_trial_that_refuses_what_is_usual_is_taken_back_by_itself(doors):
    await doors.everywhere(opened=True, since=time.monotonic())
    gateways = doors.doors[:2]
    said = await doors.close("--trial", "100")
    assert "on trial for 100 % of the agents" in said
    await asyncio.gather(*(door.until(opened=False) for door in gateways))
    async with asyncio.timeout(WITHIN):
        while any([not await door.is_open() for door in gateways]):
            pass
    ended = [one["body"] for one in doors.events() if one["kind"] == "bundle.trial_ended"]
    assert [one["outcome"] for one in ended] == ["returned"]
    tried = [
        one["body"]
        for one in doors.events()
        if one["kind"] == "decision" and one["body"].get("on_trial")
    ]
    assert len(tried) >= 20
    assert {one["catalog_version"] for one in tried} == {ended[0]["bundle"]}
    listed = json.loads(await doors.stage.remit("proposals", "list", "--json"))
    assert listed[0]["state"] == "returned"
