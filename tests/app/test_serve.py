"""`remit serve` as its users have it: a process, a port, a socket, signals."""

import base64
import json
import os
import re
import secrets
import signal
import stat
import subprocess
import sys
import time

import httpx2
import pytest

SECRET = "a-secret-for-the-billing-job-of-the-example"

pytestmark = pytest.mark.timeout(180)


def add_dana(remit) -> str:
    return remit.ok(
        "users", "add", "dana", "--tenant", "acme", "--role", "support", "--password-stdin",
        "--data", "data", stdin="correct horse battery staple\n",
    )  # fmt: skip


def call(server, token: str | None = None, host: str | None = None) -> httpx2.Response:
    """`get_invoice` through the gateway, as a client of the latest revision sends it."""
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "get_invoice",
    }
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if host is not None:
        headers["Host"] = host
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "get_invoice",
            "arguments": {"invoice_id": "inv-77"},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    }
    return server.post("/mcp/payments", json=message, headers=headers)


def token_for_billing(server, resource: str) -> str:
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    answer = server.post(
        "/token",
        headers={"Authorization": f"Basic {credentials}"},
        data={"grant_type": "client_credentials", "resource": resource},
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_a_server_from_its_start_to_its_end(remit):
    with remit.serving() as server:
        assert server.get("/healthz").json() == {"status": "ok"}
        ready = server.get("/readyz").json()
        assert ready["status"] == "ready"
        assert set(ready["checks"].values()) == {"ok"}

        discovery = server.get("/.well-known/oauth-authorization-server").json()
        assert discovery["issuer"] == server.url
        refused = call(server)
        assert refused.status_code == 401
        link = re.search(r'resource_metadata="([^"]+)"', refused.headers["www-authenticate"])
        assert link is not None
        assert httpx2.get(link[1]).json()["authorization_servers"] == [server.url]

        assert "dana may log in" in add_dana(remit)
        assert "no grants" in remit.run("grants", "list", "--data", "data").stderr
        found = json.loads(remit.ok("users", "list", "--json", "--data", "data"))
        assert [user["username"] for user in found] == ["dana"]

        numbers = server.get("/metrics").text
        labels = 'outcome="challenge",reason="missing_token",server="payments"'
        assert f"remit_decisions_total{{{labels}}} 1.0" in numbers
        assert "dana" not in numbers
        assert found[0]["id"] not in numbers

        assert server.stop() == 0
        assert not (remit.data / "remit.sock").exists()

    offline = remit.ok("users", "list", "--json", "--data", "data", "--repo", "policy")
    assert json.loads(offline) == found
    assert "no grants" in remit.run("grants", "list", "--data", "data", "--repo", "policy").stderr
    assert "audit log verified" in remit.ok("audit", "verify", "data/audit")
    assert "hunter" not in server.log.read_text()


def test_a_call_goes_through_until_the_agent_is_suspended(remit):
    with remit.serving() as server:
        token = token_for_billing(server, f"{server.url}/mcp/payments")
        allowed = call(server, token)
        assert allowed.status_code == 200, allowed.text
        assert "inv-77" in allowed.text

        out = remit.ok("agents", "suspend", "billing-job", "--reason", "odd", "--data", "data")
        assert out == "billing-job is suspended\n"
        # It is enforced when the command returns, not some time later.
        assert call(server, token).status_code in {401, 403}

        remit.ok("agents", "resume", "billing-job", "--data", "data")
        assert call(server, token).status_code == 200

        (grant,) = json.loads(remit.ok("grants", "list", "--json", "--data", "data"))
        remit.ok("grants", "revoke", grant["id"], "--data", "data")
        assert call(server, token).status_code == 401
        assert token not in server.log.read_text()
        assert server.stop() == 0


def test_the_data_folder_has_one_server(remit):
    with remit.serving() as server:
        second = remit.run("serve", "--repo", "policy", "--data", "data", "--port", "0")
        assert second.returncode == 3
        assert f"in use by process {server.process.pid}" in second.stderr
        assert "name another with --data" in second.stderr
        assert server.get("/readyz").status_code == 200


def test_what_it_keeps_is_closed_to_others(remit):
    with remit.serving():
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in [remit.data, *remit.data.iterdir()]
            if path.name != "remit.lock"
        }
        assert modes["data"] == 0o700
        for name in ("remit.sock", "master.key", "remit.sqlite3"):
            assert modes[name] == 0o600, name


def test_a_port_that_is_taken_is_told_before_anything_is_opened(remit):
    with remit.serving() as server:
        other = remit.run(
            "serve", "--repo", "policy", "--data", "other", "--port", str(server.port)
        )
    assert other.returncode == 3
    assert "address already in use" in other.stderr
    assert not (remit.folder / "other").exists()


def test_a_data_folder_whose_path_is_too_long_for_a_socket_is_told(remit):
    data = "d" * 120
    done = remit.run("serve", "--repo", "policy", "--data", data, "--port", "0")
    assert done.returncode == 3
    assert "about 100 characters" in done.stderr


def test_followers_of_the_log_are_let_go_when_the_server_stops_and_wait_for_the_next(remit):
    command = [sys.executable, "-m", "remit", "audit", "tail", "-f", "--json", "--data", "data"]
    seen: list[str] = []

    def until(kind: str) -> None:
        assert follower.stdout is not None
        for line in follower.stdout:
            event = json.loads(line)
            seen.append(event["id"])
            if event["kind"] == kind:
                return

    with remit.serving("--shutdown-grace", "300") as server:
        follower = subprocess.Popen(
            command, cwd=remit.folder, env=remit.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
        try:
            until("audit.queried")
            remit.ok("agents", "suspend", "billing-job", "--data", "data")
            until("agent.suspended")
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 90, "it waited for the grace"
        except BaseException:
            follower.kill()
            raise
    try:
        # Nobody begins to follow what nobody writes: it would hold the folder that a server wants.
        alone = remit.run("audit", "tail", "-f", "--data", "data")
        assert (alone.returncode, alone.stdout) == (3, "")
        assert "no server runs" in alone.stderr
        with remit.serving():
            until("audit.started")
            remit.ok("agents", "resume", "billing-job", "--data", "data")
            until("agent.resumed")
            assert len(set(seen)) == len(seen)
    finally:
        follower.terminate()
        _, said = follower.communicate(timeout=60)
    assert "waiting for it" in said
    assert "more came meanwhile" not in said


def test_settings_that_cannot_be_are_all_told_at_once(remit):
    done = remit.run(
        "serve", "--repo", "policy", "--port", "99999", "--public-url", "http://remit.example",
        environ={"REMIT_PROT": "1"},
    )  # fmt: skip
    assert done.returncode == 3
    for place in ("--port: ", "--public-url: ", "REMIT_PROT: "):
        assert place in done.stderr


def test_a_repository_with_a_mistake_does_not_start(remit):
    (remit.repo / "agents" / "support-assistant.yaml").write_text("name: x\nclas: y\n")
    done = remit.run("serve", "--repo", "policy", "--data", "data", "--port", "0")
    assert done.returncode == 1
    assert "agents/support-assistant.yaml:2:1" in done.stderr
    assert "remit check" in done.stderr


def test_a_broken_repository_keeps_what_was_in_force(remit):
    crm = remit.repo / "servers" / "crm.yaml"
    good = crm.read_text()
    with remit.serving() as server:
        before = json.loads(remit.ok("status", "--json", "--data", "data"))["catalog_version"]
        crm.write_text("title: [")
        broken = remit.run("reload", "--data", "data")
        assert broken.returncode == 1
        assert "servers/crm.yaml:" in broken.stderr
        assert (
            json.loads(remit.ok("status", "--json", "--data", "data"))["catalog_version"] == before
        )
        assert server.get("/readyz").status_code == 200
        assert call(server).status_code == 401

        crm.write_text(good.replace("Customer accounts", "Accounts of customers"))
        assert "is in force" in remit.ok("reload", "--data", "data")
        metadata = server.get("/.well-known/oauth-protected-resource/mcp/crm").json()
        assert metadata["resource_name"] == "Accounts of customers"


def test_a_hangup_signal_reads_the_repository_again(remit):
    crm = remit.repo / "servers" / "crm.yaml"
    with remit.serving() as server:
        crm.write_text(crm.read_text().replace("Customer accounts", "Accounts of customers"))
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        path = "/.well-known/oauth-protected-resource/mcp/crm"
        while server.get(path).json()["resource_name"] != "Accounts of customers":
            assert time.monotonic() < deadline, server.log.read_text()
            time.sleep(0.05)
        assert server.stop(signal.SIGINT) == 0


def test_what_a_killed_server_left_behind_is_taken_over(remit):
    with remit.serving() as server:
        add_dana(remit)
        server.stop(signal.SIGKILL)
    assert (remit.data / "remit.sock").exists()
    assert "dana" in remit.ok("users", "list", "--data", "data", "--repo", "policy")
    with remit.serving() as again:
        assert again.stop() == 0
    assert "audit log verified" in remit.ok("audit", "verify", "data/audit")


def test_a_log_in_which_one_byte_changed_does_not_verify(remit):
    with remit.serving() as server:
        add_dana(remit)
        assert server.stop() == 0
    (records,) = (remit.data / "audit" / "main").glob("*.jsonl")
    data = bytearray(records.read_bytes())
    data[data.index(b"account.created")] ^= 1
    records.write_bytes(data)
    done = remit.run("audit", "verify", "data/audit")
    assert done.returncode == 1
    assert "TAMPERED" in done.stdout


def test_metrics_are_not_for_everybody(remit):
    with remit.serving("--metrics-networks", "192.0.2.0/24") as server:
        assert server.get("/metrics").status_code == 404
    with remit.serving() as server:
        assert server.get("/metrics").status_code == 200
        # Through a proxy that nobody trusts, the peer is the proxy: whoever asks is not known.
        assert server.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404


def test_no_request_makes_the_server_show_itself(remit):
    with remit.serving() as server:
        for path in ("/nothing", "/%2e%2e/etc/passwd", "/api/v1", "/mcp/", "/static/../x"):
            answer = server.get(path)
            assert answer.status_code in {404, 405, 421}, path
            assert "Traceback" not in answer.text
            assert "server" not in answer.headers
            assert answer.headers["x-request-id"]
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.fixture
def shared_database(request) -> str:
    server = request.getfixturevalue("postgres")
    name = f"serve_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    return str(server.create(name))


def test_two_processes_on_one_postgresql_agree_within_a_second(remit, shared_database):
    environ = {
        "REMIT_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "REMIT_DATABASE_URL": shared_database,
    }
    first_data, second_data = remit.folder / "first", remit.folder / "second"
    with remit.serving("--instance", "first", data=first_data, environ=environ) as first:
        flags = ("--instance", "second", "--public-url", first.url)
        with remit.serving(*flags, data=second_data, environ=environ) as second:
            host = f"127.0.0.1:{first.port}"
            token = token_for_billing(first, f"{first.url}/mcp/payments")
            # What one has signed, the other believes.
            assert call(second, token, host).status_code == 200
            assert call(first, token).status_code == 200

            remit.ok("agents", "suspend", "billing-job", "--data", "first")
            told = time.monotonic()
            assert call(first, token).status_code in {401, 403}
            asked = time.monotonic()
            while call(second, token, host).status_code == 200:
                assert asked - told < 5.0, "not enforced, however busy the machine is"
                asked = time.monotonic()
            assert call(second, token, host).status_code in {401, 403}

            state = json.loads(
                remit.ok("agents", "show", "billing-job", "--json", "--data", "second")
            )
            assert state["state"] == "suspended"
            assert first.stop() == 0
            assert second.stop() == 0
    copied = remit.ok("audit", "dump", "copy", "--database-url", shared_database)
    assert [line.partition(":")[0] for line in copied.splitlines()] == [
        "remit/first", "remit/joined", "remit/second",
    ]  # fmt: skip
    assert "audit log verified" in remit.ok("audit", "verify", "copy")


def test_the_time_of_the_start_counts_from_the_process_imports_included():
    # Long before a line of the room runs; 10 ms is what the kernel's clock tick leaves unsaid.
    program = "import time; time.sleep(0.3); from remit.app.serve import _running_for; print(_running_for())"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert 0.3 <= float(done.stdout) + 0.01 <= time.monotonic() - began + 0.02
