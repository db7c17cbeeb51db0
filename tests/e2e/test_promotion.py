"""From one installation to the next: two real Remits on loopback, two stages, one bundle; over HTTP and nothing else."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from remit.repository import write_example
from tests.app.conftest import Remit, Server
from tests.e2e.test_ci_script import GUIDE, Platform
from tests.e2e.tls import Authority, tls_before

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

OVERLAY = "name: Policy review of production\n"
RULES = """
stages: [staging, prod]
deployment: {replay_days: 0}
"""
FROM = "deployment: {from_stages: [staging]}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A Remit that serves one stage, and a job's token for its management API."""

    remit: Remit
    server: Server
    token: str

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """A command that asks it over HTTP, from a machine that has nothing of it."""
        elsewhere = self.remit.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-m", "remit", *arguments],
            cwd=elsewhere, text=True, capture_output=True, timeout=120, check=False,
            env={
                **self.remit.environ, "REMIT_URL": self.server.url, "REMIT_TOKEN": self.token,
                **environ,
            },
        )  # fmt: skip

    def ok(self, *arguments: str, **environ: str) -> str:
        done = self.run(*arguments, **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def events(self, kind: str) -> list[dict[str, object]]:
        folder = self.remit.data / "audit" / "main"
        lines = [
            line for one in sorted(folder.glob("*.jsonl")) for line in one.read_text().splitlines()
        ]
        return [one["body"] for one in map(json.loads, lines) if one["kind"] == kind]


@pytest.fixture(scope="module")
def platform():
    made = Platform()
    yield made
    made.server.shutdown()
    made.server.server_close()


def declare(repo: Path, platform: Platform) -> None:
    """The example, the jobs of the guide, two stages; production calls one agent otherwise."""
    write_example(repo)
    jwks = json.dumps({"keys": [platform.key.as_dict(private=False)]})
    for name, text in re.findall(
        r'^```yaml title="([^"]+)"\n(.*?)^```', GUIDE.read_text(), re.DOTALL | re.MULTILINE
    ):
        (repo / name).write_text(
            text.replace("    algorithms:", f"    jwks: {jwks}\n    algorithms:")
        )
    root = repo / "remit.yaml"
    root.write_text(root.read_text() + RULES)
    laid = repo / "stages/prod"
    (laid / "agents").mkdir(parents=True)
    (laid / "agents/policy-review.yaml").write_text(OVERLAY)
    # Not in the base: it would hold in staging too, and nothing could come there from anywhere.
    (laid / "remit.yaml").write_text(FROM)


def renamed(repo: Path, title: str) -> None:
    """Nobody may do more or less by it."""
    crm = repo / "servers/crm.yaml"
    crm.write_text(re.sub(r"^title: .*$", f"title: {title}", crm.read_text(), flags=re.MULTILINE))


def token_of(remit: Remit, server: Server, platform: Platform) -> str:
    file = remit.folder / "token"
    done = remit.run(
        "login", "--url", server.url, "--token-file", str(file),
        environ={**platform.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o077 == 0
    return file.read_text()


@pytest.fixture(scope="module")
def both(tmp_path_factory, platform):
    bytecode = tmp_path_factory.mktemp("bytecode")
    staging, prod = (Remit(tmp_path_factory.mktemp(name), bytecode) for name in ("staging", "prod"))
    for one in (staging, prod):
        declare(one.repo, platform)
    with staging.serving("--stage", "staging") as at_staging:
        keys = prod.folder / "staging.jwks.json"
        keys.write_text(staging.ok("bundles", "key"))
        with prod.serving("--stage", "prod", "--bundle-keys", str(keys)) as at_prod:
            yield (
                Installation(remit=staging, server=at_staging, token=token_of(staging, at_staging, platform)),
                Installation(remit=prod, server=at_prod, token=token_of(prod, at_prod, platform)),
            )  # fmt: skip


def in_force(one: Installation) -> str:
    return str(json.loads(one.ok("bundles", "list", "--json"))["in_force"])


def promoted(
    prod: Installation, source: str, *flags: str, token: str = "", **environ: str
) -> list[str]:
    """The exit code and what was said."""
    done = prod.run(
        "promote", "--from", source, "--from-token-env", "STAGING_TOKEN", *flags,
        STAGING_TOKEN=token, **environ,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return [str(done.returncode), done.stdout + done.stderr]


def test_what_was_never_in_force_there_is_not_taken_here(both, tmp_path):
    staging, prod = both
    before = in_force(prod)
    renamed(staging.remit.repo, "Never tried")
    applied = prod.run("apply", "--repo", str(staging.remit.repo))
    assert applied.returncode == 1
    assert "not signed" in applied.stderr
    # What only waits in staging is signed by it, and was in force nowhere.
    root = staging.remit.repo / "remit.yaml"
    kept = root.read_text()
    root.write_text(kept.replace("replay_days: 0", "replay_days: 0, tests_required: false"))
    waits = staging.run("apply", "--repo", str(staging.remit.repo), "--json")
    root.write_text(kept)
    assert waits.returncode == 4, waits.stderr
    file = tmp_path / "waits.bundle"
    staging.ok("bundles", "export", json.loads(waits.stdout)["bundle"], "--out", str(file))
    code, said = promoted(prod, str(file))
    assert (code, "only what was in force" in said) == ("1", True), said
    assert in_force(prod) == before


def test_the_same_bundle_goes_from_one_to_the_next_and_each_lays_its_own_files_over_it(
    both, tmp_path
):
    staging, prod = both
    renamed(staging.remit.repo, "Customers")
    assert "is in force" in staging.ok("apply", "--repo", str(staging.remit.repo))
    digest = in_force(staging)
    code, said = promoted(prod, staging.server.url, "--stage", "staging", token=staging.token)
    assert (code, "this remit is stage `prod`" in said) == ("1", True), said
    file = tmp_path / "exported.bundle"
    staging.ok("bundles", "export", digest, "--out", str(file))
    exported = json.loads(file.read_bytes())
    assert exported["provenance"]["stage"] == "staging"
    for name, value in (("stage", "prod"), ("bundle", "0" * 64), ("seal", "")):
        altered = exported | {"provenance": exported["provenance"] | {name: value}}
        file.write_text(json.dumps(altered))
        code, said = promoted(prod, str(file))
        assert (code, "not believed here" in said) == ("1", True), said
    assert in_force(prod) != digest

    code, said = promoted(prod, staging.server.url, "--stage", "prod", token=staging.token)
    assert (code, "is in force" in said) == ("0", True), said
    assert in_force(prod) == in_force(staging) == digest
    here, there = (one.events("policy.loaded")[-1] for one in both)
    assert (here["bundle"], here["stage"]) == (digest, "staging")
    assert (there["bundle"], there["stage"]) == (digest, "prod")
    assert here["catalog_version"] != there["catalog_version"], "something is laid over it"
    (activated,) = [one for one in prod.events("bundle.activated") if one["how"] == "promote"]
    assert (activated["bundle"], activated["stage"]) == (digest, "prod")
    kept = json.loads(prod.ok("bundles", "show", digest, "--json"))["provenance"]
    assert (kept["stage"], kept["is_in_force"]) == ("staging", True)


def test_it_is_promoted_over_tls_by_a_private_authority_and_by_no_other(both, tmp_path):
    """Remit behind a proxy with a certificate of the organisation's own authority, as `SSL_CERT_FILE` names it."""
    staging, prod = both
    renamed(staging.remit.repo, "Customers, over TLS")
    staging.ok("apply", "--repo", str(staging.remit.repo))
    before, wanted = in_force(prod), in_force(staging)
    authority, other = Authority(tmp_path / "own"), Authority(tmp_path / "other")
    with (
        tls_before(staging.server.url, authority.certificate("localhost")) as (port, asked),
        tls_before(staging.server.url, authority.certificate("elsewhere.example")) as (wrong, _),
    ):
        for where, trusted in ((port, None), (port, other.file), (wrong, authority.file)):
            environ = {} if trusted is None else {"SSL_CERT_FILE": str(trusted)}
            code, said = promoted(
                prod, f"https://localhost:{where}", token=staging.token, **environ
            )
            assert (code != "0", "cannot be reached" in said) == (True, True), said
            assert in_force(prod) == before
        assert asked == [], "the token was shown to nobody"
        code, said = promoted(
            prod,
            f"https://localhost:{port}",
            token=staging.token,
            SSL_CERT_FILE=str(authority.file),
        )
    assert (code, "is in force" in said) == ("0", True), said
    assert in_force(prod) == wanted != before
    assert len(asked) == 2, "what is in force there, and its content"


def test_of_a_bundle_that_is_too_large_it_is_said_what_to_do(both, tmp_path):
    staging, _ = both
    before = in_force(staging)
    folder = tmp_path / "large"
    subprocess.run(["cp", "-r", str(staging.remit.repo), str(folder)], check=True)
    for number in range(8):
        (folder / f"policies/large-{number}.cedar").write_text(("//" + "x" * 97 + "\n") * 2_000)
    refused = staging.run("apply", "--repo", str(folder))
    assert refused.returncode == 1
    assert "`max_request_body`" in refused.stderr
    assert in_force(staging) == before


def test_no_token_of_either_is_in_a_log_or_an_event(both):
    for one in both:
        written = [one.server.log, *(one.remit.data / "audit").rglob("*.jsonl")]
        for path in written:
            text = path.read_text()
            assert not any(other.token in text for other in both), path
