import json

from remit.cli.exits import ExitCode


def test_a_good_repository_is_told_so(cli, folder):
    done = cli("check", "--repo", "policy")
    assert (done.code, done.out) == (0, "policy: no mistakes\n")


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
    assert {"file", "line", "column", "message", "expected"} == set(problems[0])


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
    (folder / "policy" / "roles.yaml").write_text("rolles: {}\n")
    problems = json.loads(cli("check", "--repo", "policy", "--json").out)
    last = cli("check", "--repo", "policy").out.splitlines()[-1]
    assert last.startswith(f"{len(problems)} mistake")
    (folder / "policy" / "roles.yaml").unlink()
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
