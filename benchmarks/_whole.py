"""A whole Remit for the gateway benchmark: one server, one tool, one workload that may call it."""

import base64
import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

SECRET = "a-secret-for-the-benchmark-and-nothing-else"

FILES = {
    "remit.yaml": """\
version: 1
issuer: { name: Benchmark }
tenants: { acme: { name: Acme, time_zone: Europe/Berlin } }
environments: [prod]
unregistered:
  { name: Nobody, owner: nobody, scopes: [], environments: [], tenants: [], max_sensitivity: low }
""",
    "scopes.yaml": """\
bench:customers.read: { title: Read customers, description: Names and cities of customers. }
""",
    "roles.yaml": "roles: { reader: { scopes: [bench:customers.read] } }\n",
    "servers/bench.yaml": """\
title: Benchmark
owner: bench
shared: true
environment: prod
upstream: { http: { url: UPSTREAM } }
tools:
  find:
    operation: read
    scopes: [bench:customers.read]
    sensitivity: low
    arguments: { limit: { type: integer } }
""",
    "agents/job.yaml": """\
name: Job
owner: bench
class: workload
scopes: [bench:customers.read]
environments: [prod]
tenants: [acme]
max_sensitivity: low
clients:
  static:
    - { client_id: job, name: Job, grant_types: [client_credentials], secret: env:REMIT_JOB_SECRET }
""",
    "agents/web.yaml": """\
name: Web
owner: bench
class: assistant
scopes: [bench:customers.read]
environments: [prod]
tenants: [acme]
max_sensitivity: low
clients:
  static:
    - client_id: web
      name: Web
      redirect_uris: [https://client.example/callback]
      secret: env:REMIT_JOB_SECRET
""",
    "policies/all.cedar": """\
@id("issue") permit (principal, action == Remit::Action::"issue", resource);
@id("call") permit (principal, action in Remit::Action::"call", resource)
when { context.token.client_id == "job" };
@id("few") forbid (principal, action == Remit::Action::"bench/find", resource)
when { context.arguments has limit && context.arguments.limit > 100 };
""",
}


def start(
    folder: Path,
    *,
    upstream: str,
    port: int,
    pin: Callable[[list[str]], list[str]] = lambda command: command,
) -> subprocess.Popen[bytes]:
    """`remit serve` on a repository of its own; returns when it is ready."""
    for name, text in FILES.items():
        path = folder / "policy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("UPSTREAM", upstream))
    command = [
        sys.executable, "-m", "remit", "serve", "--repo", str(folder / "policy"),
        "--data", str(folder / "data"), "--port", str(port),
    ]  # fmt: skip
    with (folder / "remit.log").open("wb") as log:
        process = subprocess.Popen(
            pin(command), stdout=log, stderr=log, env={**os.environ, "REMIT_JOB_SECRET": SECRET}
        )
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                if answer.status == 200:
                    return process
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    process.kill()
    raise SystemExit((folder / "remit.log").read_text())


def token(port: int) -> str:
    """An access token of the workload for the server `bench`."""
    form = {"grant_type": "client_credentials", "resource": f"http://127.0.0.1:{port}/mcp/bench"}
    credentials = base64.b64encode(f"job:{SECRET}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/token",
        data=urllib.parse.urlencode(form).encode(),
        headers={"authorization": f"Basic {credentials}"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["access_token"])
