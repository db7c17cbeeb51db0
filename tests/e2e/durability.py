"""A whole Remit that is killed, cut off and filled up, in front of a server that counts what reaches it.

`python -m benchmarks audit_kills` kills a gateway a hundred times with this.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from remit.audit import read_events, verify_log
from remit.demo.person import Person
from remit.demo.stage import (
    Stage,
    _process,
    _remit,
    _until_listening,
    _write_repository,
    free_port,
)
from tests.e2e.application import application
from tests.e2e.wire import headers, message

PATIENCE = 60.0
START_PATIENCE = 120.0
PASSWORD = "correct horse"
SHIM = Path(__file__).parent / "servers" / "forgetful_disk.c"


@dataclass(slots=True)
class ForgetfulDisk:
    """The disk under a real process: what was not synced is gone when the power is (`forgetful_disk.c`)."""

    root: Path
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.journal.touch()
        self.set("0")
        subprocess.run(
            ["cc", "-O1", "-shared", "-fPIC", "-o", str(self.library), str(SHIM)], check=True
        )

    @staticmethod
    def is_possible() -> bool:
        return sys.platform == "linux" and shutil.which("cc") is not None

    @property
    def library(self) -> Path:
        return self.folder / "disk.so"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.library),
            "DISK_ROOT": f"{self.root}/",
            "DISK_JOURNAL": str(self.journal),
            "DISK_FAULT": str(self.folder / "fault"),
        }

    def set(self, fault: str) -> None:
        """`0` works, `e` fails, `r` is read-only, `f` is full, `l` lies."""
        with (self.folder / "fault").open(
            "r+b" if (self.folder / "fault").exists() else "wb"
        ) as file:
            file.write(fault.encode())

    def syncs(self) -> int:
        return self.journal.read_bytes().count(b"\nS ")

    def cut_power(self, chance: random.Random) -> dict[str, int]:
        """Leave of each file what was synced, and of the rest some; how many bytes each lost."""
        stable: dict[Path, int] = {}
        for line in self.journal.read_text().splitlines():
            what, size, path = line.split(" ", 2)
            if what == "S":
                stable[Path(path)] = int(size)
            elif what == "T":
                stable[Path(path)] = min(stable.get(Path(path), 0), int(size))
        lost: dict[str, int] = {}
        for path in sorted(self.root.rglob("*")):
            if path.suffix != ".jsonl" and path.name != "checkpoints":
                continue
            size, kept = path.stat().st_size, stable.get(path, 0)
            kept += chance.randint(0, max(0, size - kept))
            os.truncate(path, kept)
            lost[path.name] = size - kept
        return lost


@dataclass(slots=True)
class Told:
    """What callers were told, by the account that each call was about."""

    allowed: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)
    unanswered: set[str] = field(default_factory=set)
    asked: int = 0


@dataclass(slots=True)
class House:
    """A Remit whose process the test holds, in front of a CRM that counts."""

    folder: Path
    port: int
    environment: dict[str, str]
    data: Path
    options: tuple[str, ...] = ()
    process: asyncio.subprocess.Process | None = None
    token: str = ""
    told: Told = field(default_factory=Told)
    prefix: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stage(self) -> Stage:
        return Stage(
            folder=self.folder, url=self.url, username="dana", password=PASSWORD, ready_seconds=0
        )

    async def remit(self, *arguments: str, stdin: str = "") -> str:
        """Run `remit …` against this house's data."""
        process = await asyncio.create_subprocess_exec(
            *_remit(*arguments, "--data", str(self.data)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(stdin.encode())
        assert process.returncode == 0, output.decode()
        return output.decode()

    async def start(self, *, ready: bool = True) -> float:
        """Start Remit; seconds until it is ready, or at least answers."""
        began = time.monotonic()
        with (self.folder / "remit.log").open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *self.prefix,
                *_remit(
                    "serve",
                    "--repo", str(self.folder / "policy"),
                    "--data", str(self.data),
                    "--port", str(self.port),
                    *self.options,
                ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**_clean(), **self.environment},
                start_new_session=True,
            )  # fmt: skip
        await self._until_answers({200} if ready else {200, 503})
        return time.monotonic() - began

    async def _until_answers(self, statuses: set[int]) -> None:
        deadline = time.monotonic() + START_PATIENCE
        assert self.process is not None
        async with httpx2.AsyncClient(timeout=5) as http:
            while time.monotonic() < deadline and self.process.returncode is None:
                with contextlib.suppress(httpx2.HTTPError):
                    if (await http.get(f"{self.url}/readyz")).status_code in statuses:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError((self.folder / "remit.log").read_text()[-2000:])

    async def kill(self) -> None:
        """End it as a power cut would, with everything that it started."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), PATIENCE)
        except TimeoutError:
            await self.kill()

    async def log_in(self) -> None:
        """Let Dana give an application a token."""
        person = Person(username="dana", password=PASSWORD, keeps=lambda _: True)
        async with application(self.stage) as client:
            callback = await person.walk(client.request(), client.redirect_uri)
            (code,) = parse_qs(urlsplit(callback).query)["code"]
            self.token = (await client.redeem(code))["access_token"]

    async def call(self, account: str, http: httpx2.AsyncClient | None = None) -> httpx2.Response:
        """One call about `account`, and what it was told."""
        params = {
            "name": "get_account",
            "arguments": {"organization_id": "acme", "account_id": account},
        }
        body = message("tools/call", params) | {"id": account}
        named = headers("tools/call", name="get_account", token=self.token)
        self.told.asked += 1
        async with AsyncExitStack() as stack:
            http = http or await stack.enter_async_context(httpx2.AsyncClient(timeout=60))
            try:
                answer = await http.post(f"{self.url}/mcp/crm", json=body, headers=named)
            except httpx2.HTTPError:
                self.told.unanswered.add(account)
                raise
        if answer.status_code == 200 and f"{account} of acme" in answer.text:
            self.told.allowed.add(account)
        else:
            self.told.refused[answer.status_code] += 1
        return answer

    async def hurry(self, name: str, *, callers: int, until: asyncio.Event) -> None:
        """Call and call, `callers` at once, until told to stop or cut off."""

        async def caller(number: int) -> None:
            async with httpx2.AsyncClient(timeout=60) as http:
                for n in range(10**6):
                    if until.is_set():
                        return
                    try:
                        await self.call(f"{name}-{number}-{n}", http)
                    except httpx2.HTTPError:
                        return

        await asyncio.gather(*(caller(number) for number in range(callers)))

    def executed(self) -> list[str]:
        """The accounts of the calls that reached the server, in its own words."""
        path = self.folder / "executed"
        return path.read_text().split() if path.exists() else []

    async def readiness(self) -> dict[str, Any]:
        async with httpx2.AsyncClient(timeout=10) as http:
            found: dict[str, Any] = (await http.get(f"{self.url}/readyz")).json()
        return found


@dataclass(frozen=True, slots=True)
class Account:
    """What the log says of calls, and whether that fits what callers and server say."""

    exit_code: int
    decided: frozenset[str]
    """By the id of the JSON-RPC request, which is the account that was asked about."""
    outcomes: Counter[str]
    answered: frozenset[str]
    """Of whose calls an outcome is recorded that somebody knows."""

    @classmethod
    def of(cls, house: House) -> "Account":
        decisions: dict[str, str] = {}
        outcomes: dict[str, str] = {}
        for entry in read_events(house.data / "audit" / "main"):
            body = entry["body"]
            assert isinstance(body, dict)
            if entry["kind"] == "decision" and body["outcome"] == "allow":
                if body["jsonrpc_id"] is not None and body["method"] == "tools/call":
                    decisions[str(body["decision_id"])] = str(body["jsonrpc_id"])
            elif entry["kind"] == "call.completed" and body["method"] == "tools/call":
                assert body["decision_id"] not in outcomes, "one outcome for each call"
                outcomes[str(body["decision_id"])] = str(body["outcome"])
        return cls(
            verify_log(house.data / "audit").exit_code,
            frozenset(decisions.values()),
            Counter(outcomes.values()),
            frozenset(decisions[one] for one, what in outcomes.items() if what == "ok"),
        )

    def check(self, house: House) -> None:
        """Nothing that was answered is missing, and nothing happened that is not there."""
        assert self.exit_code == 0
        executed = house.executed()
        assert len(executed) == len(set(executed)), "each call reached the server once"
        assert house.told.allowed <= self.answered, "who was answered has its outcome recorded"
        assert set(executed) <= self.decided, "nothing happened without a record of intent"
        assert house.told.allowed <= set(executed)
        # The server's own count is ours, give or take those of which nobody knows.
        known, unknown = self.outcomes["ok"], self.outcomes["unknown"]
        assert (
            known
            <= len(executed)
            <= known + unknown + self.outcomes["cancelled"] + self.outcomes["upstream_failed"]
        )


@asynccontextmanager
async def house_in(
    folder: Path,
    *options: str,
    data: Path | None = None,
    environment: dict[str, str] | None = None,
    prefix: tuple[str, ...] = (),
) -> AsyncIterator[House]:
    """A house with Dana in it, whose token may call a great deal."""
    crm_port, port = free_port(), free_port()
    _write_repository(folder / "policy", crm_port)
    rules = folder / "policy" / "remit.yaml"
    rules.write_text(_without_limits(rules.read_text()))
    secrets = {"CRM_GATEWAY_TOKEN": "gateway", "REMIT_BILLING_JOB_SECRET": "a job's secret"}
    crm = [sys.executable, "-m", "tests.e2e.servers.counting_crm", str(crm_port), str(folder)]
    house = House(
        folder=folder,
        port=port,
        environment={**secrets, **(environment or {})},
        data=data or folder / "data",
        options=options,
        prefix=prefix,
    )
    async with _process(crm, folder / "crm.log", secrets):
        try:
            await house.start()
            await _until_listening(crm_port, folder / "crm.log")
            await house.remit(
                "users", "add", "dana", "--tenant", "acme", "--role", "support",
                "--password-stdin", stdin=f"{PASSWORD}\n",
            )  # fmt: skip
            await house.log_in()
            yield house
        finally:
            await house.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.02)


def _without_limits(text: str) -> str:
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        for name in ("limits_per_agent", "limits_per_user"):
            if line.strip().startswith(f"{name}:"):
                begin = line[: line.index(name)]
                lines[number] = (
                    f"{begin}{name}: {{ calls_per_minute: 600000, concurrent_calls: 256 }}\n"
                )
    return "".join(lines)


def _clean() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REMIT_")}
    return {**kept, "NO_COLOR": "1"}


async def kill_under_load(
    house: House, *, kills: int, chance: random.Random, name: str = "k"
) -> list[float]:
    """Kill it so many times while sixteen callers hurry; seconds that each new start took."""
    starts: list[float] = []
    for number in range(kills):
        until_killed = asyncio.Event()
        load = asyncio.create_task(house.hurry(f"{name}-{number}", callers=16, until=until_killed))
        before = len(house.told.allowed)
        await until(lambda before=before: len(house.told.allowed) > before)
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        await house.kill()
        until_killed.set()
        await load
        starts.append(await house.start())
    return starts
