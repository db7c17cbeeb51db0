"""Every endpoint, called from its description with what nobody would send: never a 5xx, never a status unsaid.

The management API is described by itself; the authorization server by
`openapi/authorization_server.yaml`. Against a running Remit, with a bounded number of
requests that are the same each time.
"""

import os
import re
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from remit.demo.stage import free_port
from remit.model import MANAGEMENT_SCOPES
from remit.repository import write_example

pytestmark = pytest.mark.timeout(300)
"""About 40 s on two cores with nothing else to do: a busy machine is not a defect."""

HERE = Path(__file__).parent
EXAMPLES = 3
EVERYTHING = " ".join(sorted(MANAGEMENT_SCOPES))


@dataclass
class Remit:
    """A running Remit, and an administrator of everything."""

    url: str
    secret: str
    token: str = field(default="")

    def authorize(self) -> dict[str, str]:
        """A header with a token, a new one when the last was refused: a fuzzed rotation of keys ends all."""
        resource = f"{self.url}/api/v1"
        if not self.token:
            answer = httpx2.post(
                f"{self.url}/token",
                auth=("steward", self.secret),
                data={
                    "grant_type": "client_credentials",
                    "resource": resource,
                    "scope": EVERYTHING,
                },
            )
            assert answer.status_code == 200, answer.text
            self.token = answer.json()["access_token"]
        return {"Authorization": f"Bearer {self.token}"}

    def forget(self) -> None:
        """Ask for another token next time."""
        self.token = ""


def _write_repository(folder: Path) -> None:
    write_example(folder)
    # Workloads only read, in the example; this one is to reach everything.
    (folder / "policies" / "workloads.cedar").unlink()
    root = folder / "remit.yaml"
    root.write_text(re.sub(r"(max_scopes_per_\w+): \d+", r"\1: 60", root.read_text()))
    (folder / "agents" / "steward.yaml").write_text(
        "name: Steward\nowner: platform@acme.example\nclass: workload\n"
        "purpose: Administers Remit.\n"
        f"scopes: [{EVERYTHING.replace(' ', ', ')}]\n"
        "environments: [management]\ntenants: [acme]\nmax_sensitivity: critical\n"
        "clients:\n  static:\n    - client_id: steward\n      name: Steward\n"
        "      grant_types: [client_credentials]\n      secret: env:REMIT_STEWARD_SECRET\n"
    )


@pytest.fixture(scope="module")
def remit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzzed")
    _write_repository(folder / "policy")
    port, secret = free_port(), secrets.token_urlsafe(24)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REMIT_")}
    command = [sys.executable, "-m", "remit", "serve", "--port", str(port)]
    command += ["--repo", str(folder / "policy"), "--data", str(folder / "data")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**kept, "REMIT_STEWARD_SECRET": secret}
        )
    running = Remit(f"http://127.0.0.1:{port}", secret)
    try:
        _wait(running.url, process, folder / "log")
        yield running
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx2.get(f"{url}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"remit did not start:\n{log.read_text()}")


def _fuzz(operation, url: str, mode: GenerationMode, *, headers=dict, refused=dict) -> int:
    """Call one operation a few times; how many answers were good."""
    documented = set(operation.definition.raw["responses"])
    good: list[int] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case) -> None:
        answer = case.call(base_url=url, headers=headers(), allow_redirects=False)
        said = f"{operation.label}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, said
        # What is no URL or no such method never reaches the endpoint.
        assert str(answer.status_code) in documented | {"404", "405"}, said
        good.append(answer.status_code < 400)
        if answer.status_code == 401:
            refused()

    try:
        call()
    except Unsatisfiable:
        # An operation that takes nothing has nothing that could be wrong.
        assert mode is GenerationMode.NEGATIVE
    return sum(good)


def _operations(document):
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_management_api_answers_anything_as_its_description_says(remit, mode):
    document = httpx2.get(f"{remit.url}/api/v1/openapi.json").json()
    answered = 0
    for operation in _operations(document):
        if operation.path == "/api/v1/audit/tail":
            continue  # `follow` has no end; tests/api/test_trail.py asks it
        answered += _fuzz(operation, remit.url, mode, headers=remit.authorize, refused=remit.forget)
    if mode is GenerationMode.POSITIVE:
        assert answered > 10


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_authorization_server_answers_anything_as_its_description_says(remit, mode):
    document = yaml.safe_load((HERE / "openapi" / "authorization_server.yaml").read_text())
    for operation in _operations(document):
        _fuzz(operation, remit.url, mode)
