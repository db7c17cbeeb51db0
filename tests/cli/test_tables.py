"""`remit test`: what it prints for people and machines, how it exits, and that it runs again when files change."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from remit.repository import write_example


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small example, in the working directory."""
    write_example(tmp_path / "policy")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "policy"


def raise_the_limit(policy: Path) -> None:
    refunds = policy / "policies" / "refunds.cedar"
    refunds.write_text(refunds.read_text().replace('decimal("500.00")', 'decimal("900.00")'))


def test_all_cases_of_the_example_pass(cli, policy):
    done = cli("test")
    assert done.code == 0, done.out
    assert "tests/refunds.yaml  .....................  21" in done.out
    assert " passed in " in done.out
    assert "no case makes these policies decide: " in done.out


def test_within_the_repository_no_folder_has_to_be_named(cli, policy, monkeypatch):
    monkeypatch.chdir(policy)
    assert cli("test").code == 0


def test_a_policy_that_was_weakened_is_told_with_place_difference_and_reason(cli, policy):
    raise_the_limit(policy)
    done = cli("test", "-k", "refunds")
    assert done.code == 1
    assert "tests/refunds.yaml  ..F.F" in done.out
    lines = done.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("FAILED"))
    assert lines[at].startswith("FAILED  tests/refunds.yaml:")
    assert lines[at].endswith("[3: 500.01, deny, refund-limit]")
    assert lines[at + 1 : at + 5] == [
        "        payments/refund for ann (acme: support) through support-assistant",
        "        outcome  expected deny  found allow",
        "        rules    expected refund-limit  found call-what-the-scopes-allow",
        "        because permitted by `call-what-the-scopes-allow`",
    ]


def test_a_part_is_chosen_by_words_files_and_folders(cli, policy):
    assert "\n1 passed" in cli("test", "-k", "nightly and not list").out
    assert cli("test", "policy/tests/workloads.yaml").out.startswith("tests/workloads.yaml  ...")
    assert cli("test", "tests/workloads.yaml").out.startswith("tests/workloads.yaml  ...")
    assert cli("test", "policy/tests").out.count("tests/") == 3
    assert "coverage" not in cli("test", "-k", "nightly").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["tests/nothing.yaml"], 2, "no decision tables in `tests/nothing.yaml`"),
        (["-k", "refund and"], 1, "chooses no cases"),
        (["-k", "no such words"], 1, "chooses no cases"),
        (["-k", "nosuchword"], 4, ""),
        (["--repo", "nowhere"], 1, "there is no folder"),
        (["--stage", "prod"], 1, "stage"),
        (["--min-coverage", "101"], 2, "less than or equal to 100"),
        (["--format", "xml"], 2, "xml"),
        (["--engines", "often"], 2, "often"),
    ],
)
def test_what_cannot_be_done_is_said_and_exits_as_documented(cli, policy, arguments, code, said):
    done = cli("test", *arguments)
    assert done.code == code, (done.out, done.err)
    assert said in done.err


def test_a_mistake_in_a_table_is_a_mistake_in_the_repository(cli, policy):
    table = policy / "tests" / "refunds.yaml"
    table.write_text(table.read_text().replace("refund-limit]", "refund-limits]", 1))
    for command in ("test", "check"):
        done = cli(command)
        assert done.code == 1
        assert "did you mean `refund-limit`?" in done.out + done.err
        assert "tests/refunds.yaml:" in done.out + done.err


def test_coverage_is_shown_and_may_be_demanded(cli, policy):
    done = cli("test", "--coverage")
    assert done.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if "  " in line}
    assert rows["workloads-only-read"][:2] == ["forbid", "never"]
    assert rows["payments/close_ledger"] == ["never", "1"]
    assert cli("test", "--min-coverage", "50").code == 0
    short = cli("test", "--min-coverage", "99")
    assert short.code == 1
    assert "which is less than 99 %" in short.out


def test_machines_get_json_and_junit(cli, policy):
    raise_the_limit(policy)
    done = cli("test", "--format", "json", "--junit", "results.xml")
    assert done.code == 1
    found = json.loads(done.out)
    failed = [one for one in found["results"] if one["status"] == "failed"]
    assert found["passed"] is False
    assert found["counts"]["failed"] == len(failed) == 4
    assert failed[0]["file"] == "tests/refunds.yaml"
    assert failed[0]["differences"][0] == {"what": "outcome", "expected": "deny", "found": "allow"}
    assert failed[0]["found"]["because"] == ["permitted by `call-what-the-scopes-allow`"]
    assert "workloads-only-read" in found["coverage"]["never_decided"]
    root = ET.parse(policy.parent / "results.xml").getroot()
    assert root.get("failures") == "4"


def test_the_complete_example_passes_and_leaves_no_policy_unproved(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("init", "all", "--complete").code == 0
    done = cli("test", "--repo", "all", "--min-coverage", "98")
    assert done.code == 0, done.out
    assert "no case makes" not in done.out
    checked = cli("check", "--repo", "all", "--strict")
    assert checked.code == 0, checked.out


def test_a_watched_repository_is_tested_again_after_a_change_and_ctrl_c_ends_it(policy):
    process = subprocess.Popen(
        [sys.executable, "-m", "remit", "test", "--repo", "policy", "--watch"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    try:
        assert " passed in " in _until(process, "Ctrl-C ends")
        raise_the_limit(policy)
        assert "4 failed" in _until(process, "Ctrl-C ends")
        (policy / "policies" / "refunds.cedar").write_text("nonsense")
        assert "error: " in _until(process, "Ctrl-C ends")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert "Traceback" not in rest
    assert process.returncode == 1


def _until(process: subprocess.Popen[str], words: str, within: float = 120) -> str:
    """What is printed until a line with `words`."""
    printed, end = "", time.monotonic() + within
    while time.monotonic() < end:
        line = process.stdout.readline()
        if not line:
            break
        printed += line
        if words in line:
            return printed
    raise AssertionError(printed)
