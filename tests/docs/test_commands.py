"""The commands of the documentation are run, as they stand on the page."""

import asyncio
import functools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from remit.demo.agent import connect
from remit.demo.person import Person
from remit.demo.stage import free_port

ROOT = Path(__file__).resolve().parents[2]
FIRST_STEPS = ROOT / "docs/guides/first-steps.md"
README = ROOT / "README.md"

PASSWORD = "correct horse battery staple"
CALLS = {
    "payments": ("get_invoice", {"invoice_id": "inv-77"}, "129.00"),
    "crm": ("list_accounts", {"organization_id": "acme"}, "Juniper Bakery"),
}

pytestmark = pytest.mark.e2e


def _commands(page: Path) -> list[str]:
    """Every command of a page's console blocks, in order, comments cut off."""
    blocks = re.findall(r"^ *```console\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line[2:].split("#")[0].strip() for line in lines if line.startswith("$ ")]


def _blocks_for_files(page: Path) -> list[tuple[str, str]]:
    """The page's YAML blocks that name a file of the policy repository, each with that name."""
    return re.findall(
        r'^```yaml title="([^"]+)"\n(.*?)^```', page.read_text(), re.DOTALL | re.MULTILINE
    )


class Shell:
    """Runs a page's commands in one folder, on ports of its own; what serves goes on in the background."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {"8600": str(free_port()), "8611": str(free_port())}
        self.serving: dict[str, subprocess.Popen[bytes]] = {}
        self.called: list[str] = []
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("REMIT_", "CRM_"))},
            "REMIT_PORT": self.ports["8600"],
            "NO_COLOR": "1",
        }

    def run(self, command: str) -> None:
        for written, ours in self.ports.items():
            command = command.replace(written, ours)
        words = shlex.split(command.removeprefix("uvx "))
        variables = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
        words = words[len(variables) :]
        if words[:3] == ["claude", "mcp", "add"]:
            asyncio.run(self._connect(*words[-2:]))
        elif words[:2] == ["python", "-m"]:
            self._start(words[2], [sys.executable, *words[1:]], variables)
            self._wait(f"http://127.0.0.1:{self.ports['8611']}/", log=words[2])
        elif words[:2] == ["remit", "serve"]:
            self._stop("remit")
            self._start("remit", [sys.executable, "-m", *words], variables)
            self._wait(f"http://127.0.0.1:{self.ports['8600']}/readyz", log="remit")
        elif words[0] == "remit":
            self._remit(words)

    def _remit(self, words: list[str]) -> None:
        stdin = ""
        if words[1:3] == ["users", "add"]:
            words, stdin = [*words, "--password-stdin"], f"{PASSWORD}\n"
        if "GRANT" in words:
            listed = self._done("remit", "grants", "list", "--data", "data", "--json")
            words[words.index("GRANT")] = json.loads(listed)[0]["id"]
        self._done(*words, stdin=stdin)
        if words[1] == "init":
            crm = self.folder / "policy/servers/crm.yaml"
            crm.write_text(crm.read_text().replace("8611", self.ports["8611"]))

    def _done(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=self.folder, env=self.environment, input=stdin, text=True,
            capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout

    async def _connect(self, name: str, url: str) -> None:
        """What the client that the page names would do: authorize as dana, and call a tool."""
        redirect_uri = f"http://127.0.0.1:{free_port()}/callback"
        dana = Person(username="dana", password=PASSWORD, keeps=lambda _: True)
        browse = functools.partial(dana.walk, redirect_uri=redirect_uri)
        tool, arguments, expected = CALLS[name]
        async with connect(url, redirect_uri=redirect_uri, browse=browse) as session:
            answer = await session.call(tool, arguments)
        assert not answer.is_error, answer
        assert expected in str(answer.content)
        self.called.append(name)

    def _start(self, name: str, words: list[str], variables: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.serving[name] = subprocess.Popen(
                words,
                cwd=self.folder,
                env={**self.environment, **variables},
                stdout=log,
                stderr=log,
            )

    def _wait(self, url: str, *, log: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.serving[log].poll() is None:
            try:
                if httpx2.get(url).status_code < 500:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        raise AssertionError((self.folder / f"{log}.log").read_text())

    def _stop(self, name: str) -> None:
        if name in self.serving:
            process = self.serving.pop(name)
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def close(self) -> None:
        for name in tuple(self.serving):
            self._stop(name)


@pytest.fixture
def shell(tmp_path):
    running = Shell(tmp_path)
    try:
        yield running
    finally:
        running.close()


def test_the_commands_of_the_readme_work_in_order(shell):
    ours = [command for command in _commands(README) if command.startswith("uvx remit ")]
    assert len(ours) >= 4
    for command in ours:
        shell.run(command)


def test_the_commands_of_the_examples_own_page_work_in_order(shell):
    shell.run("remit init policy")
    commands = _commands(shell.folder / "policy/README.md")
    assert len(commands) == 3
    for command in commands:
        shell.run(command)


@pytest.mark.timeout(400)  # every program of the page, one after another
def test_a_newcomer_gets_through_the_first_steps(shell):
    """Every command of the page in order; where it adds a client, an official one calls a tool."""
    commands = _commands(FIRST_STEPS)
    for command in commands[: commands.index("remit reload --data data") - 1]:
        shell.run(command)
    assert shell.called == ["payments", "crm"]
    for name, text in _blocks_for_files(FIRST_STEPS):
        path = shell.folder / "policy" / name
        path.write_text((path.read_text() if path.exists() else "") + text)
    for name in ("roles.yaml", "agents/support-assistant.yaml"):
        path = shell.folder / "policy" / name
        path.write_text(
            re.sub(r"( *)- crm:accounts.read", r"\1- notes:notes.read\n\g<0>", path.read_text())
        )
    for command in ("remit check --repo policy", "remit reload --data data"):
        assert command in commands
        shell.run(command)
    status = json.loads(shell._done("remit", "status", "--data", "data", "--json"))
    assert status["servers"] == 3


def test_the_readmes_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for page in (README, FIRST_STEPS, ROOT / "CONTRIBUTING.md")
        for word in re.findall(r"\bmake ([a-z-]+)\b", page.read_text())
    }
    assert {"demo", "test", "check"} <= named <= targets | {"no"}


@pytest.mark.parametrize(
    "page",
    sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]),
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
