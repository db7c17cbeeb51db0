import json

import pytest

from remit.cli.exits import ExitCode


@pytest.mark.usefixtures("folder")
def test_a_preview_shows_what_would_be_kept_and_why(cli, tmp_path):
    arguments = tmp_path / "arguments.json"
    arguments.write_text(json.dumps({"account_id": "acc_1", "note": "x"}))
    call = ("audit", "preview", "crm/get_account", str(arguments), "--tenant", "acme")
    shown = cli(*call, "--justification", "INC-7")
    assert "/note" in shown.out
    assert "nothing said" in shown.out
    assert "justification: tok1.text." in shown.out
    found = json.loads(cli(*call, "--json").out)
    assert found["input"]["note"].startswith("tok1.text.")


@pytest.mark.parametrize("content", ["[]", "{", None])
def test_arguments_that_are_no_object_are_not_previewed(cli, tmp_path, content):
    arguments = tmp_path / "arguments.json"
    if content is not None:
        arguments.write_text(content)
    assert cli("audit", "preview", "crm/get_account", str(arguments)).code == ExitCode.USAGE


@pytest.mark.usefixtures("folder")
def test_a_hold_is_asked_for_and_forbids_erasing(cli):
    whom = ("--agent", "billing-job", "--tenant", "acme")
    assert cli("audit", "hold", "list").err.strip().endswith("no holds")
    asked = json.loads(cli("audit", "hold", "request", *whom, "--reason", "a case", "--json").out)
    assert asked["state"] == "requested"
    shown = cli("audit", "hold", "list")
    assert asked["id"] in shown.out
    assert "from the first record that a hold covers on" in " ".join(
        (shown.out + shown.err).split()
    )
    by_oneself = cli("audit", "hold", "set", asked["id"])
    assert by_oneself.code == ExitCode.FOUND_WRONG
    assert "somebody else" in by_oneself.err
    erased = cli("audit", "erase", *whom, "--basis", "b", "--yes")
    assert erased.code == ExitCode.FOUND_WRONG
    lifting = cli("audit", "hold", "request-lift", asked["id"], "--reason", "a mistake")
    assert lifting.out == f"{asked['id']}: holds until somebody else lifts it\n"
    assert cli("audit", "hold", "lift", asked["id"]).code == ExitCode.FOUND_WRONG


@pytest.mark.usefixtures("folder")
def test_what_is_sealed_is_erased_if_it_is_meant(cli):
    whom = ("--agent", "billing-job", "--tenant", "acme", "--basis", "b")
    assert cli("audit", "erase", *whom).code == ExitCode.FOUND_WRONG
    assert cli("audit", "erase", "--basis", "b", "--yes").code == ExitCode.USAGE
    assert cli("audit", "erase", *whom, "--yes").out == "0 keys destroyed\n"
