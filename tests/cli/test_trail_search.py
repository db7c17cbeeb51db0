import json

import pytest


@pytest.fixture
def suspended(cli, folder):
    assert cli("agents", "suspend", "billing-job", "--reason", "odd").code == 0
    return "billing-job"


def test_events_are_found_by_field_and_value(cli, suspended):
    done = cli("audit", "search", f"agent={suspended}", "kind=agent.*")
    assert done.code == 0, done.err
    (line,) = done.out.splitlines()
    assert "agent.suspended" in line
    assert "odd" in line
    assert "remit/main: records 0 to " in done.err


def test_for_programs_each_event_is_a_line_with_its_leaf(cli, suspended):
    done = cli("audit", "search", "kind=agent.suspended", "--json")
    (found,) = [json.loads(line) for line in done.out.splitlines()]
    assert found["log"] == "remit/main"
    assert found["record"]["seq"] == found["seq"]
    assert len(found["leaf"]) == 64


def test_a_story_is_told_from_its_beginning(cli, suspended):
    assert cli("agents", "resume", suspended, "--reason", "even").code == 0
    done = cli("audit", "timeline", "agent", suspended, "kind=agent.*")
    kinds = [line.split()[1] for line in done.out.splitlines()]
    assert kinds == ["agent.suspended", "agent.resumed"]


def test_one_record_is_shown_whole_by_number_and_by_id(cli, suspended):
    (found,) = [json.loads(one) for one in cli("audit", "search", "kind=agent.suspended", "--json").out.splitlines()]  # fmt: skip
    for name in (f"{found['log']}#{found['seq']}", found["record"]["id"]):
        done = cli("audit", "show", name, "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["record"] == found["record"]
    assert '"kind": "agent.suspended"' in cli("audit", "show", f"remit/main#{found['seq']}").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "agent"), "write `field=value`"),
        (("search", "agnet=x"), "did you mean `agent`?"),
        (("search", "agent=x", "agent=y"), "twice"),
        (("search", "agent="), "write `field=value`"),
        (("show", "nonsense"), "write `LOG#NUMBER`"),
        (("timeline", "planet", "x"), "planet"),
    ],
)
def test_a_question_that_could_be_misread_is_refused(cli, folder, arguments, said):
    done = cli("audit", *arguments)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize(
    "record", ["remit/main#999", "remit/none#0", "evt_0000000000ffffffffffffffff"]
)
def test_a_record_that_there_is_not_is_said(cli, folder, suspended, record):
    assert cli("audit", "show", record).code != 0


def test_what_is_found_in_pages_is_one_answer_of_one_opening(cli, folder, suspended, monkeypatch):
    monkeypatch.setattr("remit.cli.trail_search._PAGE", 2)
    found = [
        json.loads(one) for one in cli("audit", "search", "-n", "7", "--json").out.splitlines()
    ]
    assert len(found) == 7
    assert [one["seq"] for one in found] == sorted({one["seq"] for one in found})
    done = cli("audit", "search", "kind=audit.started", "--json")
    assert len(done.out.splitlines()) == 3  # who suspended, and each search


def test_for_programs_what_was_looked_at_stands_beside_the_lines(cli, folder, suspended):
    done = cli("audit", "search", "-n", "1", "--json")
    assert len(done.out.splitlines()) == 1
    assert "there are older ones" in done.err
    assert "remit/main: records 0 to " in done.err
