"""What administrators see at the socket of a Remit that runs here; who answers is in tests/api/test_answerer.py."""

import json

import pytest

from remit.cli.approval_view import print_approvals, print_figures, print_seen
from remit.cli.exits import ExitCode

ONE = {
    "id": "apr_1", "state": "waiting", "about": "call", "tenant": "acme", "user": "usr_ada",
    "agent": "refunds", "client": "cli_1", "server": "payments", "kind": "tool",
    "name": "refund\x1b[2J\u202e", "environment": "prod",
    "needs": [
        {"kind": "approval", "role": "manager", "quorum": 2, "acr": None, "scope": None, "rule": "r"},
        {"kind": "confirmation", "role": None, "quorum": 1, "acr": None, "scope": None, "rule": ""},
    ],
    "asked": 1, "created_at": 1_767_625_200, "expires_at": 1_767_626_100, "opened_at": None,
    "escalated_at": None, "ended_at": None, "decision_id": "dec_1",
    "url": "https://remit.example/approvals/apr_1",
    "answers": [{"person": "usr_bob", "verdict": "approved", "capacity": "role:manager",
                 "at": 1, "seconds": 4, "reason": ""}],
}  # fmt: skip


@pytest.mark.usefixtures("dana")
def test_where_nothing_waits_that_is_said(cli):
    assert "nothing waits for anybody" in cli("approvals", "list").err
    assert json.loads(cli("approvals", "list", "--json").out) == []
    assert "everybody" in cli("approvals", "stats").out
    assert json.loads(cli("approvals", "stats", "--json").out)["figures"][0]["approved"] == 0
    assert "none: what was allowed" in cli("elevations", "list").err
    assert json.loads(cli("elevations", "list", "--json").out) == []


@pytest.mark.usefixtures("dana")
def test_what_is_not_there_or_not_for_the_socket_to_say_is_refused(cli):
    for arguments in (
        ("approvals", "show", "apr_none"),
        ("approvals", "approve", "apr_none"),
        ("approvals", "refuse", "apr_none"),
        ("approvals", "withdraw", "apr_none"),
        ("approvals", "list", "--mine"),
        ("approvals", "list", "--state", "other"),
        ("elevations", "revoke", "elv_none"),
    ):
        assert cli(*arguments).code == ExitCode.FOUND_WRONG, arguments
    assert "remit approvals list" in cli("approvals", "show", "apr_none").err


def test_there_is_no_flag_that_says_yes(cli):
    assert cli("approvals", "approve", "apr_1", "--yes").code == ExitCode.USAGE
    assert cli("approvals", "stats", "--days", "0").code == ExitCode.USAGE


@pytest.mark.usefixtures("dana")
def test_who_answers_in_whose_place_is_named_at_the_socket_for_somebody(cli):
    where = ("--role", "support", "--for", "dana")
    named = cli("deputies", "name", "never", *where, "--until", "2999-01-01")
    assert named.code == ExitCode.FOUND_WRONG
    assert cli("deputies", "name", "never", *where, "--until", "soon").code == ExitCode.USAGE
    assert cli("deputies", "name", "never", *where).code == ExitCode.USAGE
    assert cli("deputies", "remove", "never", *where).code == ExitCode.FOUND_WRONG
    assert cli("deputies", "list").code == ExitCode.FOUND_WRONG
    assert "nobody answers" in cli("deputies", "list", "--for", "dana").err


def test_no_name_moves_the_cursor_or_turns_the_writing_round(capsys):
    print_approvals([ONE])
    print_seen(
        ONE
        | {"arguments": {"note": "\x1b[2J\u202e"}, "justification": "\u202ex", "shown": "d",
           "demand_acr": "urn:remit:acr:phr", "demand_max_age": None}
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert "\u202e" not in shown
    assert "\x1b[2J" not in shown
    assert "manager x2, confirmation" in shown
    assert "approved by usr_bob (role:manager, after 4s)" in shown
    assert '{"note": "\\u001b[2J\\u202e"}' in shown


def test_how_people_answer_is_one_line_each(capsys):
    line = {"person": None, "rule": None, "approved": 3, "refused": 1, "expired": 0,
            "median_seconds": 12, "hasty": 1}  # fmt: skip
    print_figures(
        [
            line,
            line | {"person": "usr_bob", "median_seconds": None},
            line | {"rule": "large-refunds"},
        ]
    )
    shown = capsys.readouterr().out
    assert "everybody" in shown
    assert "usr_bob" in shown
    assert "rule large-refunds" in shown
    assert "12s" in shown
