import json

from remit.cli.exits import ExitCode


def test_agents_are_listed_and_shown(cli, folder):
    assert "support-assistant" in cli("agents", "list").out
    ids = [agent["id"] for agent in json.loads(cli("agents", "list", "--json").out)]
    assert ids == ["billing-job", "support-assistant", "unregistered"]
    shown = cli("agents", "show", "billing-job").out
    assert "owner" in shown
    assert json.loads(cli("agents", "show", "billing-job", "--json").out)["class"] == "workload"


def test_an_agent_is_suspended_and_resumed(cli, folder):
    assert cli("agents", "suspend", "billing-job", "--reason", "odd").out == (
        "billing-job is suspended\n"
    )
    assert "odd" in cli("agents", "show", "billing-job").out
    assert cli("agents", "resume", "billing-job").out == "billing-job is active\n"


def test_an_agent_nobody_declared_is_told_so(cli, folder):
    for verb in ("show", "suspend", "resume"):
        done = cli("agents", verb, "nobody")
        assert done.code == ExitCode.FOUND_WRONG
        assert "no such agent" in done.err


def test_clients_are_listed_disabled_and_enabled(cli, folder):
    assert "billing-job" in cli("clients", "list").out
    assert cli("clients", "disable", "billing-job").out == "billing-job is disabled\n"
    (client,) = json.loads(cli("clients", "list", "--json").out)
    assert client["state"] == "disabled"
    assert cli("clients", "enable", "billing-job").out == "billing-job is active\n"
    assert cli("clients", "disable", "https://client.example/x").code == ExitCode.FOUND_WRONG


def test_no_grants_says_how_one_comes_about(cli, folder):
    done = cli("grants", "list")
    assert (done.code, done.out) == (0, "")
    assert "after a person has consented" in done.err
    assert json.loads(cli("grants", "list", "--json", "--all").out) == []


def test_a_grant_that_is_not_there_cannot_be_revoked(cli, folder):
    done = cli("grants", "revoke", "gnt_none")
    assert done.code == ExitCode.FOUND_WRONG
    assert "no such grant" in done.err


def test_grants_of_somebody_nobody_knows_is_a_mistake_and_no_empty_list(cli, folder):
    assert cli("grants", "list", "--user", "nobody").code == ExitCode.FOUND_WRONG
