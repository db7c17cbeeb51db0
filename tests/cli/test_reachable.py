"""`remit who-can` and `remit what-can`, as a person types them."""

import json

import pytest

from remit.cli.exits import ExitCode
from remit.cli.reachable_lines import _terms


def test_of_a_folder_roles_stand_for_people(cli, folder):
    done = cli("who-can", "payments/refund", "--repo", "policy", "--tenant", "acme")
    assert done.code == 0, done.err
    assert "if  whoever is support or finance, in acme" in done.out
    assert "unless `refund-limit`  policies/refunds.cedar:" in done.out
    assert "looks at the argument amount" in done.out
    assert "roles stand for those who hold them" in done.out


def test_of_an_installation_accounts_are_counted(cli, folder):
    for name in ("dana", "bo"):
        arguments = ("--tenant", "acme", "--role", "support", "--password-stdin")
        assert (
            cli("users", "add", name, *arguments, stdin="correct horse battery staple\n").code == 0
        )
    done = cli("who-can", "payments/refund")
    assert done.code == 0, done.err
    assert "2 people (bo, dana)" in done.out
    one = cli("what-can", "support-assistant", "--user", "dana")
    assert "for 1 person (dana), in acme" in one.out
    assert "yes get_invoice" in one.out


def test_what_is_known_settles_it(cli, folder):
    done = cli("who-can", "payments/refund", "--repo", "policy", "--argument", "amount=5", "--json")
    verdicts = {one["verdict"] for one in json.loads(done.out)["answers"]}
    assert verdicts == {"always", "never"}


def test_all_says_why_not(cli, folder):
    done = cli("what-can", "billing-job", "--repo", "policy", "--all")
    assert "no  payments/close_ledger" in done.out
    assert "a guardrail forbids it" in done.out
    few = cli("what-can", "billing-job", "--repo", "policy")
    assert "close_ledger" not in few.out
    assert "--all shows why" in few.out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("who-can", "payments/nothing"), "no such tool"),
        (("who-can", "payments/refund", "--at", "noon"), "with its offset"),
        (("who-can", "payments/refund", "--ip", "home"), "no address"),
        (("who-can", "payments/refund", "--argument", "colour=red"), "declared: `amount`"),
        (("what-can", "nobody"), "no such agent"),
        (("what-can", "support-assistant", "--tenant", "acme", "--role", "king"), "no such role"),
        (("what-can", "support-assistant"), "name the organisation"),
    ],
)
def test_what_cannot_be_asked_is_told(cli, folder, command, words):
    done = cli(*command, "--repo", "policy")
    assert done.code == ExitCode.FOUND_WRONG
    assert words in done.err


def test_an_argument_is_a_name_and_a_value(cli, folder):
    done = cli("who-can", "payments/refund", "--repo", "policy", "--argument", "amount")
    assert done.code == ExitCode.USAGE


def test_a_repository_with_a_mistake_answers_nothing(cli, folder):
    (folder / "policy/policies/refunds.cedar").write_text("forbid nothing;")
    done = cli("who-can", "payments/refund", "--repo", "policy")
    assert done.code == ExitCode.FOUND_WRONG
    assert done.out == ""


def test_of_a_folder_the_stage_counts_that_is_named(cli, folder, monkeypatch):
    root = folder / "policy" / "remit.yaml"
    if "\nstages:" not in root.read_text():
        root.write_text(root.read_text() + "\nstages: [prod]\n")
    overlay = folder / "policy" / "stages" / "prod" / "agents" / "support-assistant.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("scopes: [crm:accounts.read]\n")
    asked = ("what-can", "support-assistant", "--repo", "policy", "--tenant", "acme")
    assert "get_invoice" in cli(*asked).out
    monkeypatch.setenv("REMIT_STAGE", "prod")
    staged = cli(*asked)
    assert staged.code == 0, staged.err
    assert "get_invoice" not in staged.out


def test_a_folder_has_no_engines_to_ask(cli, folder):
    for asked in (("who-can", "payments/refund"), ("what-can", "support-assistant")):
        done = cli(*asked, "--repo", "policy", "--ask-engine")
        assert done.code == ExitCode.USAGE
        assert "leave out" in done.err


def test_of_an_installation_without_engines_none_is_asked(cli, folder):
    done = cli("who-can", "payments/refund", "--ask-engine")
    assert done.code == 0, done.err
    assert "no external engine permits any of this" in done.out


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "the engine `pdp` decides, asked when a call comes"),
        (
            {
                "answer": "yes",
                "asked": "list",
                "rules": [],
                "needs": ["require_approval cfo"],
                "why": None,
            },
            "the engine `pdp` says yes to some such call\n         and wants require_approval cfo",
        ),
        (
            {"answer": "no", "asked": "call", "rules": ["pdp:few"], "needs": [], "why": None},
            "the engine `pdp` says no to this call  pdp:few",
        ),
        (
            {"answer": "unknown", "asked": "call", "rules": [], "needs": [], "why": "no answer"},
            "the engine `pdp` did not say: no answer",
        ),
    ],
    ids=["unasked", "yes", "no", "unknown"],
)
def test_what_an_engine_says_stands_under_the_answer(said, words):
    answer = {
        "observed": False,
        "engine": "pdp",
        "engine_says": said,
        "conditions": [],
        "step_up": [],
    }
    assert words in "\n".join(line.plain for line in _terms(answer))
