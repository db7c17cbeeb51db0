import json
import os
import re
import subprocess
import sys
import time

import pytest

from remit.cli.exits import ExitCode


@pytest.fixture(autouse=True)
def _nobody_elsewhere(request):
    """The example believes an issuer on the network; tests/cli/test_issuers.py has one of its own."""
    if "folder" in request.fixturenames:
        (request.getfixturevalue("folder") / "policy" / "trust.yaml").unlink()


def about(done, level: str) -> set[str]:
    return {one["about"] for one in json.loads(done.out) if one["level"] == level}


def test_what_is_out_of_reach_is_down_and_has_its_mend(cli, folder):
    done = cli("doctor")
    assert done.code == ExitCode.DONE, "nothing is unsafe about it"
    assert "DOWN    server crm: " in done.out
    assert "mend: start it" in done.out
    assert about(cli("doctor", "--json"), "down") == {"secrets", "server crm"}


def test_it_speaks_of_the_key_that_signs_and_of_issuers_that_do_not_answer(cli, folder):
    (folder / "policy" / "people.yaml").write_text(
        "providers:\n  corp:\n    title: Corp\n    issuer: http://127.0.0.1:1\n"
        "    client_id: remit\n    tenant: acme\n    private_network: true\n"
    )
    found = {one["about"]: one for one in json.loads(cli("doctor", "--json").out)}
    assert found["signing key"]["level"] == "fine"
    assert found["provider corp"]["level"] == "down"
    assert "people.yaml" in found["provider corp"]["mend"]


def test_every_finding_that_is_not_fine_has_a_mend(cli, folder):
    found = json.loads(cli("doctor", "--json").out)
    assert [one for one in found if one["level"] != "fine" and not one["mend"]] == []


def test_nothing_unsafe_is_a_good_end(cli, folder, monkeypatch):
    for name in ("crm", "payments"):
        path = folder / "policy" / "servers" / f"{name}.yaml"
        text = path.read_text()
        if "http:" in text:
            lines = [line for line in text.splitlines() if "bearer" not in line]
            path.write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("REMIT_BILLING_JOB_SECRET", "M2fQm7pXw0kq9sVt4yZa8bCd")
    monkeypatch.setenv("CRM_GATEWAY_TOKEN", "M2fQm7pXw0kq9sVt4yZa8bCd")
    done = cli("doctor", "--json")
    # The CRM of the example does not run here; everything else is well.
    assert (done.code, about(done, "unsafe"), about(done, "down")) == (0, set(), {"server crm"})


@pytest.fixture
def serving(cli, folder):
    """A server with settings that the doctor is not told; its URL."""
    environ = {**os.environ, "CRM_GATEWAY_TOKEN": "x" * 24, "REMIT_BILLING_JOB_SECRET": "x" * 24}
    (folder / "policy").rename(folder / "rules")
    command = [
        sys.executable, "-m", "remit", "serve", "--repo", "rules", "--data", "data", "--port", "0",
        "--log-format", "json", "--database-url", f"sqlite:///{folder / 'data/other.sqlite3'}",
    ]  # fmt: skip
    with (
        (folder / "serve.log").open("wb") as log,
        subprocess.Popen(command, stderr=log, env=environ) as server,
    ):
        try:
            yield _url(folder / "serve.log", server)
        finally:
            server.terminate()


def _url(log, server) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        found = re.search(r'"url": "([^"]+)"', log.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def test_of_a_server_that_runs_it_tells_the_servers_settings(cli, folder, serving):
    done = cli("doctor", "--data", "data", "--json")
    found = {one["about"]: one for one in json.loads(done.out)}
    assert done.code == ExitCode.DONE, done.out
    assert found["issuer"]["text"].startswith(serving)
    assert found["repository"]["text"].startswith(f"`{folder / 'rules'}` checks")
    assert found["database"] == {
        "level": "fine", "about": "database", "text": "SQLite, the server's own", "mend": "",
    }  # fmt: skip
    assert found["signing key"]["text"] == "signs since less than a day"
    assert found["settings"]["text"] == "those of the server that runs"
    assert "the server that runs does not use `x`" in cli("doctor", "--repo", "x").out


def test_a_broken_repository_is_unsafe(cli, folder):
    (folder / "policy" / "remit.yaml").write_text("nonsense: [")
    done = cli("doctor", "--json")
    assert done.code == ExitCode.FOUND_WRONG
    assert "repository" in about(done, "unsafe")


def test_settings_that_cannot_be_used_are_all_it_says(cli, folder, monkeypatch):
    monkeypatch.setenv("REMIT_PROT", "1")
    done = cli("doctor", "--json")
    assert done.code == ExitCode.FOUND_WRONG
    (finding,) = json.loads(done.out)
    assert finding["text"].startswith("REMIT_PROT: ")


def test_it_changes_nothing(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli("doctor")
    assert list(tmp_path.iterdir()) == []


def test_it_looks_at_the_repository_as_it_holds_in_a_stage(cli, folder):
    root = folder / "policy" / "remit.yaml"
    if "\nstages:" not in root.read_text():
        root.write_text(root.read_text() + "\nstages: [prod]\n")
    overlay = folder / "policy" / "stages" / "prod" / "servers" / "crm.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("environment: produktion\n")
    staged = {
        one["about"]: one for one in json.loads(cli("doctor", "--json", "--stage", "prod").out)
    }
    assert staged["repository"]["level"] == "unsafe"
    assert "--stage prod" in staged["repository"]["mend"]
    overlay.write_text("title: Another\n")
    found = {
        one["about"]: one for one in json.loads(cli("doctor", "--json", "--stage", "prod").out)
    }
    assert "in stage `prod`" in found["repository"]["text"]
