import json

from remit.cli.exits import ExitCode


def test_the_latest_events_are_shown_oldest_first(cli, dana):
    lines = cli("audit", "tail", "-n", "3").out.splitlines()
    assert len(lines) == 3
    assert lines[-1].split()[1] == "audit.queried"
    assert any("account.created" in line for line in cli("audit", "tail").out.splitlines())


def test_machines_get_whole_records(cli, dana):
    out = cli("audit", "tail", "--kind", "account.created", "--json").out
    (record,) = [json.loads(line) for line in out.splitlines()]
    assert record["body"]["roles"] == ["support"]


def test_nothing_that_matches_is_told(cli, dana):
    done = cli("audit", "tail", "--kind", "token.issued")
    assert (done.code, done.out) == (0, "")
    assert "no such events" in done.err


def test_a_count_out_of_range_is_usage(cli, folder):
    assert cli("audit", "tail", "-n", "0").code == ExitCode.USAGE
