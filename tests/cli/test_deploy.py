"""`remit apply`, `promote`, `rollback`, with a bundle from wherever it comes."""

import json
import shutil

import pytest

from remit.cli.exits import ExitCode
from remit.repository import write_example


def rename(folder, name: str) -> None:
    """A change that nobody has to look at."""
    path = folder / "policy" / "remit.yaml"
    text = path.read_text()
    path.write_text(text.replace("name: Remit example", f"name: Remit {name}"))


def widen(folder) -> None:
    """Loosens the rules of deployment, which is privileged."""
    path = folder / "policy" / "remit.yaml"
    path.write_text(f"{path.read_text()}\ndeployment: {{second_person: never}}\n")


def test_a_folder_is_applied_and_gone_back_from(cli, folder):
    rename(folder, "one")
    first = cli("apply", "--reason", "a test")
    assert "is in force" in first.out
    assert "no server runs: this command judged it" in first.err
    assert "the folder that the settings name" in first.err
    listed = cli("bundles", "list").out
    assert "apply" in listed
    assert "a test" in listed
    path = folder / "policy" / "remit.yaml"
    path.write_text(path.read_text().replace("Remit one", "Remit two"))
    cli("apply")
    assert "is in force" in cli("rollback").out
    assert "no bundle was in force before" in cli("rollback", "--last").err
    found = json.loads(cli("bundles", "list", "--json").out)
    assert [one["how"] for one in found["activations"]] == ["rollback", "apply", "apply"]


def test_what_has_to_be_looked_at_waits_and_says_so_with_its_exit_code(cli, folder):
    cli("apply")
    widen(folder)
    done = cli("apply", "--repo", "policy")
    assert done.code == ExitCode.INCOMPLETE
    assert "waits for approval: remit proposals show prp_" in done.out
    assert "a second person" in done.out
    assert "start one, and let somebody else do so" in done.err
    (proposal,) = json.loads(cli("proposals", "list", "--state", "waits", "--json").out)
    shown = cli("proposals", "show", proposal["id"]).out
    assert "privileged" in shown
    refused = cli("proposals", "approve", proposal["id"], "--yes")
    assert refused.code == ExitCode.FOUND_WRONG
    # Without a server there is no socket that says who asks, and so nobody who could be a second person.
    assert "it is not known who approves" in refused.err
    assert "is rejected" in cli("proposals", "reject", proposal["id"]).out


def test_whoever_approves_is_shown_which_expected_results_are_gone(cli, folder):
    cli("apply")
    for table in (folder / "policy" / "tests").rglob("*.yaml"):
        table.unlink()
    done = cli("apply", "--repo", "policy")
    assert done.code == ExitCode.INCOMPLETE
    assert "expected results are gone or weaker" in done.out
    assert "nothing asks it any more" in done.out
    assert "take away or weaken what those in force expect" in done.out


def test_a_bundle_goes_from_one_installation_to_another(cli, folder, tmp_path):
    rename(folder, "of staging")
    cli("apply")
    digest = json.loads(cli("bundles", "list", "--json").out)["in_force"]
    other = tmp_path / "prod"
    other.mkdir(mode=0o700)
    for name in ("remit.sqlite3", "master.key"):
        shutil.copy(folder / "data" / name, other / name)
    write_example(tmp_path / "example")
    to = ("--data", str(other), "--repo", str(tmp_path / "example"))
    exported = tmp_path / "staging.bundle"
    assert digest in cli("bundles", "export", digest[:12], "--out", str(exported)).err
    wrong = cli("promote", "--from", str(exported), "--stage", "prod", *to)
    assert "this remit is stage `none`" in wrong.err
    again = cli("promote", "--from", str(exported), *to)
    assert again.code in {ExitCode.DONE, ExitCode.FOUND_WRONG}
    assert digest[:12] in again.out + again.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("apply", "--bundle", "nowhere.bundle"), "cannot read the bundle"),
        (("apply", "--repo", "policy", "--bundle", "x"), "name two bundles"),
        (("apply", "--repo", "nowhere"), "there is no folder"),
        (("apply", "--bundle", "policy/remit.yaml"), "it is no bundle"),
        (("promote",), "say where the bundle was in force"),
        (("promote", "--from", "nowhere"), "cannot read the bundle"),
        (("promote", "--from", "https://remit.example"), "--from-token-env"),
        (("rollback", "0" * 64), "no bundle of that name"),
        (("rollback", "x", "--last"), "name a bundle, or say --last"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_told_is_refused_before_anything_is_sent(cli, folder, arguments, said):
    done = cli(*arguments)
    assert done.code in {ExitCode.FOUND_WRONG, ExitCode.USAGE}
    assert said in done.err
