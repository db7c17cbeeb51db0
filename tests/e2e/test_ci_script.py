"""The pipeline that `remit init` writes, run against a real Remit; GitHub's part is played by the test."""

import http.server
import json
import os
import re
import shlex
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import typer.main
import yaml
from joserfc import jwt
from joserfc.jwk import RSAKey

from remit.cli.main import app
from remit.repository import write_example
from tests.app.conftest import SECRET, Remit

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/guides/continuous-integration.md"
ISSUER = "https://token.actions.githubusercontent.com"
BEARER = "what-the-runner-shows-to-ask-for-an-identity"
PUSH = {"repository_id": "123456789", "ref": "refs/heads/main", "event_name": "push"}
PULL_REQUEST = {**PUSH, "ref": "refs/pull/7/merge", "event_name": "pull_request"}

pytestmark = pytest.mark.e2e


class Platform:
    """What GitHub is to a job: it signs who the job is, for the audience that the job names."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1"})
        self.claims: dict[str, str] = dict(PUSH)
        platform = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = parse_qs(urlsplit(self.path).query)
                if self.headers["Authorization"] != f"Bearer {BEARER}":
                    self.send_error(401)
                    return
                body = json.dumps({"value": platform.identity(asked["audience"][0])}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def environ(self) -> dict[str, str]:
        port = self.server.server_address[1]
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{port}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
        }

    def identity(self, audience: str) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": "repo:acme.example/policy:ref:refs/heads/main", "aud": audience,
            "iat": now, "exp": now + 300, "jti": str(uuid4()), **self.claims,
        }  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)


@pytest.fixture(scope="module")
def platform():
    made = Platform()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def remit(tmp_path_factory, platform):
    """A Remit with the example repository and what the guide adds to it."""
    made = Remit(tmp_path_factory.mktemp("ci"), tmp_path_factory.mktemp("bytecode"))
    write_example(made.repo)
    blocks = re.findall(
        r'^```yaml title="([^"]+)"\n(.*?)^```', GUIDE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert [name for name, _ in blocks] == [
        "agents/policy-review.yaml", "agents/policy-pipeline.yaml", "trust.yaml",
    ]  # fmt: skip
    jwks = json.dumps({"keys": [platform.key.as_dict(private=False)]})
    for name, text in blocks:
        # Its keys stand in the file: the test has no way to GitHub.
        known = text.replace("    algorithms:", f"    jwks: {jwks}\n    algorithms:")
        (made.repo / name).write_text(known)
    return made


@pytest.fixture(scope="module")
def server(remit):
    with remit.serving() as serving:
        yield serving


@pytest.fixture(scope="module")
def branch(remit, tmp_path_factory):
    """A checkout of the repository, as a job has it."""
    folder = tmp_path_factory.mktemp("checkout") / "policy"
    subprocess.run(["cp", "-r", str(remit.repo), str(folder)], check=True)
    return folder


def run(
    folder: Path, script: str, remit: Remit, **environ: str
) -> subprocess.CompletedProcess[str]:
    words = shlex.split(script)
    return subprocess.run(
        ["sh", *words], cwd=folder, text=True, capture_output=True, timeout=300, check=False,
        env={
            **remit.environ, "POLICY_REMIT": f"{sys.executable} -m remit", **environ,
        },
    )  # fmt: skip


def job(folder: Path, step: str, remit: Remit, server, platform, **environ: str):
    return run(
        folder, f"ci/policy.sh {step}", remit, REMIT_URL=server.url, **platform.environ, **environ
    )


def test_check_and_test_need_nothing_but_the_folder(remit, branch):
    checked = run(branch, "ci/policy.sh check", remit)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    sarif = json.loads((branch / ".policy-results/check.sarif").read_text())
    assert sarif["version"] == "2.1.0"
    tested = run(branch, "ci/policy.sh test", remit)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert (branch / ".policy-results/tests.xml").read_text().startswith("<?xml")


def test_a_mistake_ends_the_pipeline_and_stands_in_the_findings(remit, branch, tmp_path):
    subprocess.run(["cp", "-r", str(branch), str(tmp_path / "p")], check=True)
    (tmp_path / "p/policies/refunds.cedar").write_text('@id("x") forbid (principal')
    checked = run(tmp_path / "p", "ci/policy.sh check", remit)
    assert checked.returncode == 1
    sarif = json.loads((tmp_path / "p/.policy-results/check.sarif").read_text())
    assert "refunds.cedar" in json.dumps(sarif["runs"][0]["results"])


def test_a_pull_request_is_planned_with_an_identity_and_no_key(remit, branch, server, platform):
    platform.claims = dict(PULL_REQUEST)
    planned = job(branch, "plan", remit, server, platform)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert (branch / ".policy-results/plan.md").read_text()
    assert not (branch / ".policy-results/.token").exists()
    assert BEARER not in planned.stdout + planned.stderr


def test_a_pull_request_changes_nothing(remit, branch, server, platform):
    platform.claims = dict(PULL_REQUEST)
    applied = job(branch, "apply", remit, server, platform)
    assert applied.returncode == 1, applied.stdout + applied.stderr
    assert not (branch / ".policy-results/.token").exists()


def test_a_stranger_gets_no_token(remit, branch, server, platform):
    platform.claims = {**PUSH, "repository_id": "666"}
    refused = job(branch, "apply", remit, server, platform)
    assert refused.returncode == 1
    assert "refused with 400" in refused.stderr


def test_without_an_identity_nothing_is_asked(remit, branch, server):
    refused = run(branch, "ci/policy.sh apply", remit, REMIT_URL=server.url)
    assert refused.returncode == 1
    assert "id-token: write" in refused.stderr
    nowhere = run(branch, "ci/policy.sh apply", remit)
    assert nowhere.returncode == 2
    assert "REMIT_URL" in nowhere.stderr


def test_on_merge_policies_come_into_force(remit, branch, server, platform):
    """The amount that an agent may refund goes down, which widens nothing."""
    platform.claims = dict(PUSH)
    refunds = branch / "policies/refunds.cedar"
    refunds.write_text(refunds.read_text().replace('decimal("500.00")', 'decimal("400.00")'))
    for table in (branch / "tests").rglob("*.yaml"):
        table.unlink()
    applied = job(branch, "apply", remit, server, platform)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    listed = remit.ok("bundles", "list", "--json")
    assert json.loads(listed), listed
    (event, *_) = [
        json.loads(line)
        for line in remit.ok("audit", "tail", "--json", "-n", "200").splitlines()
        if '"bundle.' in line
    ]
    assert "policy-pipeline" in json.dumps(event)


def test_the_token_of_the_job_is_in_no_log(remit, server):
    log = server.log.read_text()
    assert BEARER not in log
    assert "eyJ" not in log


GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$GH_CALLS"
case "$*" in *--paginate*) printf '%s' "$GH_KNOWN" ;; esac
"""


@pytest.mark.parametrize(
    ("known", "method"), [("", "POST repos/acme/policy/issues/7"), ("99\n", "PATCH repos/acme/policy/issues/comments/99")]
)  # fmt: skip
def test_the_plan_becomes_one_comment_that_is_kept_up_to_date(
    remit, branch, tmp_path, known, method
):
    calls = gh(tmp_path)
    results = branch / ".policy-results"
    results.mkdir(exist_ok=True)
    plan = "**usr** → `call` ⚠️\n" * 3_100
    (results / "plan.md").write_text(plan)
    done = run(
        branch, "ci/github.sh comment", remit, GH_CALLS=str(calls), GH_KNOWN=known, PULL_REQUEST="7",
        GITHUB_REPOSITORY="acme/policy", PATH=f"{tmp_path}:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert method in calls.read_text()
    # Anybody may write a comment that begins as ours does, and change it afterwards.
    assert '.user.login == "github-actions[bot]" and' in calls.read_text()
    comment = (results / "comment.md").read_text()
    assert comment == f"<!-- remit plan -->\n{plan}", "cut by nobody: a fence would stay open"
    assert len(comment) < 65_536 < len(comment.encode())


def test_where_there_is_no_plan_the_comment_says_so(remit, branch, tmp_path, server, platform):
    """Neither this run's old file nor the pull request's old comment may pass for it."""
    calls = gh(tmp_path)
    results = branch / ".policy-results"
    results.mkdir(exist_ok=True)
    (results / "plan.md").write_text("of yesterday\n")
    platform.claims = {**PULL_REQUEST, "repository_id": "666"}
    assert job(branch, "plan", remit, server, platform).returncode == 1
    done = run(
        branch, "ci/github.sh comment", remit, GH_CALLS=str(calls), GH_KNOWN="99\n", PULL_REQUEST="7",
        GITHUB_REPOSITORY="acme/policy", GITHUB_SHA="5ca1ab1e", PATH=f"{tmp_path}:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "issues/comments/99" in calls.read_text()
    comment = (results / "comment.md").read_text()
    assert "No policy plan" in comment
    assert "5ca1ab1e" in comment
    assert "yesterday" not in comment


def test_the_comment_is_written_when_the_plan_is_what_fails(branch):
    workflow = yaml.safe_load((branch / ".github/workflows/policy.yml").read_text())
    (comment,) = [one for one in workflow["jobs"]["plan"]["steps"] if one.get("name") == "Comment"]
    assert comment["if"] == "success() || failure()"


def test_what_the_pipeline_leaves_behind_is_in_no_commit(remit, branch):
    run(branch, "ci/policy.sh check", remit)
    assert (branch / ".policy-results/check.sarif").exists()
    git = ["git", "-C", str(branch)]
    subprocess.run([*git, "init", "-q"], check=True)
    said = subprocess.run([*git, "status", "--porcelain", "-uall"], check=True, text=True, capture_output=True)  # fmt: skip
    assert ".policy-results" not in said.stdout


def test_findings_go_to_code_scanning(remit, branch, tmp_path):
    calls = gh(tmp_path)
    assert run(branch, "ci/policy.sh check", remit).returncode in {0, 1}
    done = run(
        branch, "ci/github.sh annotate", remit, GH_CALLS=str(calls), GITHUB_REPOSITORY="acme/policy",
        GITHUB_SHA="0" * 40, GITHUB_REF="refs/heads/main", PATH=f"{tmp_path}:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "repos/acme/policy/code-scanning/sarifs" in calls.read_text()


def gh(folder: Path) -> Path:
    """A `gh` that only notes what it was asked."""
    made = folder / "gh"
    made.write_text(GH)
    made.chmod(made.stat().st_mode | stat.S_IXUSR)
    return folder / "calls"


@pytest.mark.parametrize("script", ["policy.sh", "github.sh"])
def test_a_step_that_nobody_knows_is_a_mistake(remit, branch, script):
    done = run(branch, f"ci/{script} deploy", remit)
    assert done.returncode == 2
    assert "usage" in done.stderr


def test_the_workflow_holds_what_its_kind_must(branch):
    text = (branch / ".github/workflows/policy.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    wanted = {
        "check": {"contents": "read", "security-events": "write"},
        "plan": {"contents": "read", "id-token": "write", "pull-requests": "write"},
        "apply": {"contents": "read", "id-token": "write"},
    }
    assert {name: one["permissions"] for name, one in workflow["jobs"].items()} == wanted
    for one in workflow["jobs"].values():
        assert one["timeout-minutes"] <= 20
        for step in one["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
                assert step["with"] == {"persist-credentials": False}
            else:
                # What others wrote comes in by variables, never into the text of a script.
                assert "${{" not in step["run"]
    assert "secrets." not in text
    # `pull_request_target` would run a stranger's script with our rights.
    events = workflow.get("on", workflow.get(True))
    assert set(events) == {"pull_request", "push"}


def test_the_workflow_installs_this_very_version(branch):
    text = (branch / ".github/workflows/policy.yml").read_text()
    version = re.search(
        r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert version is not None
    assert set(re.findall(r"remit==(\S+)", text)) == {version[1]}


def test_every_step_calls_what_there_is(branch):
    workflow = (branch / ".github/workflows/policy.yml").read_text()
    scripts = {name: (branch / f"ci/{name}.sh").read_text() for name in ("policy", "github")}
    for name, step in re.findall(r"sh ci/(\w+)\.sh (\w+)", workflow):
        assert re.search(rf"^  {step}\)$", scripts[name], re.MULTILINE), step
    commands = typer.main.get_command(app).commands
    verbs = set(re.findall(r"\$remit (\w+)", scripts["policy"]))
    assert verbs == {"check", "test", "plan", "apply", "login"}
    for verb in verbs:
        flags = {flag for one in commands[verb].params for flag in one.opts}
        for used in re.findall(rf"\$remit {verb} ([^\n|]*)", scripts["policy"]):
            assert {one for one in used.split() if one.startswith("--")} <= flags, verb


def test_the_secret_of_the_example_is_not_needed_by_the_pipeline(branch):
    assert SECRET not in (branch / "ci/policy.sh").read_text()
