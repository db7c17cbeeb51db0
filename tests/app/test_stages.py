"""A server that is a stage, as a process: what is laid over the repository holds there, and is in the log by name."""

import json

import pytest

pytestmark = pytest.mark.timeout(180)


def lay(remit, **files: str) -> None:
    policy = remit.folder / "policy"
    with (policy / "remit.yaml").open("a") as stream:
        stream.write("\nstages: [dev, prod]\n")
    target = policy / "stages" / "prod" / "servers"
    target.mkdir(parents=True)
    (target / "payments.yaml").write_text("tools: {close_ledger: null}\ntitle: Payments (live)\n")


def loaded(remit) -> dict[str, object]:
    lines = [
        json.loads(line)
        for path in sorted((remit.folder / "data").rglob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [one for one in lines if "policy.loaded" in json.dumps(one)][-1]


def test_a_server_serves_its_stage_and_says_so(remit):
    lay(remit)
    with remit.serving("--stage", "prod"):
        shown = json.loads(remit.ok("servers", "list", "--json", "--data", "data"))
        assert "Payments (live)" in json.dumps(shown)
    event = json.dumps(loaded(remit))
    assert '"stage": "prod"' in event
    with remit.serving():
        shown = json.loads(remit.ok("servers", "list", "--json", "--data", "data"))
        assert "Payments (live)" not in json.dumps(shown)


def test_a_stage_that_nobody_declares_is_not_served(remit):
    lay(remit)
    refused = remit.run("serve", "--stage", "prd", "--data", "data", "--repo", "policy")
    assert refused.returncode == 1
    assert "there is no stage `prd`; did you mean `prod`?" in refused.stderr
