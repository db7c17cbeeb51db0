import json

import pytest

from remit.cli.access import print_access
from remit.cli.exits import ExitCode

APPROVALS = """\
access:
  invoices:
    scopes: [payments:invoices.read]
    people_roles: [support]
    agents: [billing-job]
    longest: 2h
  ledger:
    role: finance
    people_roles: [support]
    approver: sales-manager
emergency:
  break-glass:
    people: [dana]
    role: finance
    reviewer: sales-manager
"""


@pytest.fixture(autouse=True)
def _declared(folder):
    (folder / "policy" / "approvals.yaml").write_text(APPROVALS)


def requested(cli, *arguments, offer="invoices", who="dana"):
    return cli("access", "request", offer, "--for", who, "--reason", "month end", *arguments)


def test_everything_that_is_offered_is_listed(cli):
    shown = cli("access", "offers").out
    for word in (
        "invoices",
        "payments:invoices.read",
        "2h",
        "at once",
        "ledger",
        "sales-manager",
        "break-glass",
    ):
        assert word in shown


def test_an_offer_is_shown_to_whom_it_is_for(cli, dana):
    assert dana
    names = [
        one["name"] for one in json.loads(cli("access", "offers", "--for", "dana", "--json").out)
    ]
    assert names == ["invoices", "ledger", "break-glass"]
    names = [
        one["name"]
        for one in json.loads(cli("access", "offers", "--for", "agent:billing-job", "--json").out)
    ]
    assert names == ["invoices"]


def test_access_is_asked_for_shown_and_given_back(cli, dana):
    made = requested(cli, "--duration", "10m", "--ticket", "OPS-7")
    assert made.code == 0, made.err
    assert "invoices: active until" in made.out
    name = made.out.split()[0]
    assert dana == "dana"
    assert name in cli("access", "list").out
    assert name in cli("access", "mine", "--for", "dana").out
    shown = cli("access", "show", name).out
    for word in ("payments:invoices.read", "month end", "OPS-7", "any agent of theirs", "active"):
        assert word in shown
    assert cli("access", "return", name, "--for", "dana").out == f"{name} invoices: returned\n"
    again = cli("access", "return", name, "--for", "dana")
    assert again.code == ExitCode.FOUND_WRONG
    assert "over already" in again.err


@pytest.mark.usefixtures("dana")
def test_an_administrator_takes_it_away(cli):
    name = requested(cli, "--duration", "10m").out.split()[0]
    assert cli("access", "end", name, "--reason", "no").out == f"{name} invoices: revoked\n"


def test_an_agent_that_acts_for_itself_may_have_it(cli):
    made = requested(cli, "--duration", "15m", "--json", who="agent:billing-job")
    found = json.loads(made.out)
    assert (found["holder_kind"], found["holder"], found["seconds"]) == (
        "agent",
        "billing-job",
        900,
    )


@pytest.mark.usefixtures("dana")
def test_it_may_be_had_until_an_instant(cli):
    assert requested(cli, "--until", "2000-01-01").code == ExitCode.FOUND_WRONG
    assert requested(cli, "--until", "2999-01-01T00:00:00Z").code == ExitCode.FOUND_WRONG


@pytest.mark.usefixtures("dana")
def test_what_takes_a_yes_waits_for_it(cli):
    made = requested(cli, "--duration", "10m", offer="ledger")
    assert "waits for approval (apr_" in made.out
    name = made.out.split()[0]
    assert cli("access", "return", name, "--for", "dana").out == f"{name} ledger: returned\n"


@pytest.mark.usefixtures("dana")
def test_what_is_not_said_well_is_not_asked(cli):
    assert requested(cli).code == ExitCode.USAGE
    assert requested(cli, "--duration", "10m", "--until", "2999-01-01").code == ExitCode.USAGE
    assert requested(cli, "--duration", "soon").code == ExitCode.USAGE
    assert requested(cli, "--until", "soon").code == ExitCode.USAGE
    assert requested(cli, "--duration", "10m", "--tell", "reason=again").code == ExitCode.USAGE
    assert requested(cli, "--duration", "10m", "--tell", "what").code == ExitCode.USAGE
    assert requested(cli, "--duration", "3h").code == ExitCode.FOUND_WRONG
    assert requested(cli, "--duration", "10m", offer="nothing").code == ExitCode.FOUND_WRONG
    assert requested(cli, "--duration", "10m", who="nobody").code == ExitCode.FOUND_WRONG
    assert cli("access", "request", "invoices", "--duration", "10m").code == ExitCode.FOUND_WRONG
    assert cli("access", "show", "acc_nothing").code == ExitCode.FOUND_WRONG


@pytest.mark.usefixtures("dana")
def test_a_ticket_does_not_have_to_be_said_twice(cli, folder):
    said = APPROVALS.replace(
        "    longest: 2h\n", "    longest: 2h\n    justification: [reason, ticket]\n"
    )
    (folder / "policy" / "approvals.yaml").write_text(f"{said}justifications: {{ ticket: {{}} }}\n")
    made = requested(cli, "--duration", "10m", "--ticket", "OPS-7")
    assert made.code == 0, made.err
    shown = cli("access", "show", made.out.split()[0], "--json")
    assert json.loads(shown.out)["justification"] == {"reason": "month end", "ticket": "OPS-7"}


@pytest.mark.parametrize(
    ("overdue", "words"), [(False, "ended, unreviewed"), (True, "ended, review overdue")]
)
def test_a_review_that_is_late_is_listed_as_such(capsys, overdue, words):
    found = {"id": "acc_1", "offer": "glass", "holder_kind": "user", "holder": "usr_1", "state": "ended", "expires_at": 1,
             "justification": {}, "review_by": 1, "reviewed_at": None, "overdue": overdue}  # fmt: skip
    print_access([found], as_json=False)
    assert words in capsys.readouterr().out
