import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from remit.cli.exits import ExitCode

FAX = "\ncrm:fax.send: {title: Send faxes, description: Send a fax.}\n"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def stages(folder: Path) -> None:
    with (folder / "policy" / "remit.yaml").open("a") as stream:
        stream.write("\nstages: [dev, prod]\n")
    overlay = folder / "policy" / "stages" / "prod" / "servers"
    overlay.mkdir(parents=True)
    (overlay / "crm.yaml").write_text("title: Customers (live)\n")


@pytest.mark.parametrize("shape", [("--json",), ("--format", "sarif")], ids=["json", "sarif"])
def test_what_a_machine_reads_has_no_difference_in_it(cli, shape):
    done = cli("check", "--diff", *shape)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert "--diff" in done.err


def test_a_good_repository_is_told_so(cli, folder):
    done = cli("check", "--repo", "policy")
    assert (done.code, done.out) == (0, "policy: no mistakes\n")


def test_without_a_name_it_is_this_folder_or_the_folder_policy(cli, folder, monkeypatch):
    assert cli("check").out == "policy: no mistakes\n"
    monkeypatch.chdir(folder / "policy")
    assert cli("check").out == "policy: no mistakes\n"
    monkeypatch.chdir(folder / "data")
    done = cli("check")
    assert done.code == ExitCode.FOUND_WRONG
    assert done.err == (
        "error: there is no folder `policy`\n"
        "  next: name one with --repo, or write one: remit init policy\n"
    )


def test_every_mistake_has_its_place_and_a_caret(cli, folder):
    (folder / "policy" / "agents" / "billing-job.yaml").write_text("nam: x\nownr: y\n")
    done = cli("check", "--repo", "policy")
    assert done.code == ExitCode.FOUND_WRONG
    assert "agents/billing-job.yaml:1:1" in done.out
    assert "agents/billing-job.yaml:2:1" in done.out
    assert "^^^" in done.out
    assert done.out.count("mistakes in") == 1
    assert "mistakes" not in done.err, "said once"
    problems = json.loads(cli("check", "--repo", "policy", "--json").out)
    assert set(problems[0]) == {
        "file", "line", "column", "code", "severity", "message", "expected", "why", "mend",
        "stages", "fixable",
    }  # fmt: skip
    assert problems == json.loads(cli("check", "--repo", "policy", "--format", "json").out)


def test_a_folder_that_is_not_there_is_a_mistake(cli, folder):
    for command in ("check", "serve", "status"):
        done = cli(command, "--repo", "elsewhere")
        assert (done.code, done.out) == (ExitCode.FOUND_WRONG, "")
        assert done.err == (
            "error: there is no folder `elsewhere`\n"
            "  next: name one with --repo, or write one: remit init policy\n"
        )
    assert "down" in cli("doctor", "--repo", "elsewhere", "--json").out


def test_one_mistake_is_one(cli, folder):
    roles = folder / "policy" / "roles.yaml"
    whole = roles.read_text()
    roles.write_text("rolles: {}\n")
    problems = json.loads(cli("check", "--repo", "policy", "--json").out)
    last = cli("check", "--repo", "policy").out.splitlines()[-1]
    assert last.startswith(f"{len(problems)} mistake")
    roles.write_text(whole)
    shutil.rmtree(folder / "policy" / "tests")
    (folder / "policy" / "agents" / "billing-job.yaml").write_text("{")
    done = cli("serve")
    assert done.err.count("agents/billing-job.yaml") == 1
    assert done.err.startswith("error: 1 mistake in the policy repository\n")


def test_what_could_not_be_checked_is_said_last(cli, folder):
    (folder / "policy" / "scopes.yaml").write_text("a: [\n")
    done = cli("check", "--repo", "policy")
    assert done.code == ExitCode.FOUND_WRONG
    last = done.err.strip().splitlines()[-1]
    assert last.startswith("not all could be checked: `scopes.yaml` was checked no further")


def test_a_remark_says_why_and_what_to_do_and_fails_only_when_strict(cli, folder):
    with (folder / "policy" / "scopes.yaml").open("a") as stream:
        stream.write(FAX)
    done = cli("check")
    assert done.code == 0
    assert "warning[unused-scope] nothing takes, grants or holds `crm:fax.send`" in done.out
    assert "why: A scope that nobody needs is one that somebody will be given." in done.out
    assert "do:  Remove it. `--fix` does." in done.out
    assert "^^^^^^^^^^^^" in done.out
    assert done.out.endswith("1 warning\npolicy: no mistakes\n")
    assert cli("check", "--strict").code == ExitCode.FOUND_WRONG


def test_a_remark_that_is_worth_a_mistake_fails(cli, folder):
    with (folder / "policy" / "scopes.yaml").open("a") as stream:
        stream.write(FAX)
    root = folder / "policy" / "remit.yaml"
    root.write_text(root.read_text().replace("\nlint:\n", "\nlint:\n  unused-scope: error\n"))
    done = cli("check")
    assert done.code == ExitCode.FOUND_WRONG
    assert "error[unused-scope]" in done.out


def test_a_stage_is_checked_when_it_is_asked_for(cli, folder, monkeypatch):
    stages(folder)
    done = cli("check")
    assert (done.code, done.out) == (0, "policy: no mistakes\n")
    assert done.err == "stages not checked: dev, prod; --all-stages checks them\n"
    assert cli("check", "--stage", "prod").out == "policy: no mistakes in stage prod\n"
    assert cli("check", "--all-stages").out == "policy: no mistakes in 2 stages\n"
    monkeypatch.setenv("REMIT_STAGE", "prod")
    assert cli("check").out == "policy: no mistakes in stage prod\n"
    assert cli("check", "--stage", "prd").code == ExitCode.FOUND_WRONG


def test_the_example_has_neither_mistakes_nor_remarks_nor_stages(cli, folder):
    done = cli("check", "--strict", "--all-stages")
    assert (done.code, done.out) == (0, "policy: no mistakes; remit.yaml lists no stages\n")


def test_a_mistake_of_one_stage_says_which(cli, folder):
    stages(folder)
    overlay = folder / "policy" / "stages" / "prod" / "servers" / "crm.yaml"
    overlay.write_text("environment: produktion\n")
    assert cli("check").code == 0
    done = cli("check", "--all-stages")
    assert done.code == ExitCode.FOUND_WRONG
    assert "stages/prod/servers/crm.yaml:1:14  unknown environment `produktion`" in done.out
    assert "in stage prod\n" in done.out
    assert done.out.splitlines()[-1].startswith("1 mistake in 1 file")
    [problem] = json.loads(cli("check", "--all-stages", "--json").out)
    assert (problem["code"], problem["stages"]) == ("reference", ["prod"])


@pytest.mark.parametrize(
    "arguments",
    [["--format", "xml"], ["--stage", "prod", "--all-stages"], ["--nonsense"]],
)
def test_what_cannot_be_understood_is_usage(cli, folder, arguments):
    assert cli("check", *arguments).code == ExitCode.USAGE


def test_a_fix_keeps_everything_else_and_changes_nothing_the_second_time(cli, folder):
    path = folder / "policy" / "scopes.yaml"
    before = path.read_text()
    path.write_text(before + FAX)
    path.chmod(0o640)
    done = cli("check", "--diff")
    assert done.out.startswith("--- a/scopes.yaml\n+++ b/scopes.yaml\n")
    assert "-crm:fax.send: {title: Send faxes, description: Send a fax.}\n" in done.out
    assert path.read_text() == before + FAX, "a difference is only shown"
    done = cli("check", "--fix")
    assert (done.code, done.out) == (0, "policy: no mistakes\n")
    assert done.err == "mended scopes.yaml: unused-scope\n"
    assert path.read_text().rstrip() == before.rstrip()
    assert path.stat().st_mode & 0o777 == 0o640
    assert not list(path.parent.glob(".remit-*"))
    once = path.read_bytes()
    assert cli("check", "--fix").err == ""
    assert path.read_bytes() == once


def test_a_fix_does_not_touch_what_has_mistakes_it_cannot_see_past(cli, folder):
    path = folder / "policy" / "scopes.yaml"
    path.write_text(path.read_text() + FAX)
    (folder / "policy" / "roles.yaml").write_text("roles: [\n")
    before = path.read_bytes()
    assert cli("check", "--fix").code == ExitCode.FOUND_WRONG
    assert path.read_bytes() == before


def test_it_is_a_command_of_its_own_process(folder):
    """What an editor or a CI job sees: the exit code, and a log alone on standard output."""
    (folder / "policy" / "roles.yaml").write_text("roles: {support: {scopes: [crm:all]}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "remit", "check", "--format", "sarif", "--all-stages"],
        cwd=folder / "policy",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.FOUND_WRONG
    results = json.loads(done.stdout)["runs"][0]["results"]
    assert "general-scope" in {one["ruleId"] for one in results}
