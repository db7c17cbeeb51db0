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


def test_what_cannot_be_asked_for_is_refused_with_a_suggestion(cli, dana):
    for arguments, said in (
        (("--outcome", "maybe"), "`maybe` is not an outcome; there are `allow`"),
        (("--kind", "account.create"), "did you mean `account.created`?"),
        (("--since", "today"), "`since` is not an instant"),
        (("--user", "dan"), "no such account"),
    ):
        done = cli("audit", "tail", *arguments)
        assert (done.code, done.out) == (ExitCode.FOUND_WRONG, "")
        assert said in done.err


def test_events_are_chosen_by_each_condition(cli, dana):
    def kinds(*arguments: str) -> list[str]:
        return [line.split()[1] for line in cli("audit", "tail", *arguments).out.splitlines()]

    assert "account.created" in kinds("--since", "2020", "--tenant", "acme")
    assert kinds("--until", "2020") == []
    assert kinds("--tenant", "globex") == []
    for flag in ("--client", "--grant", "--server", "--agent"):
        assert kinds(flag, "nobody") == []
    assert all(kind.startswith("audit.") for kind in kinds("--kind", "audit.*"))
