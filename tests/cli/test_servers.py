import json
import shlex
import sys

import pytest

from remit.cli.definition_review import Decisions, review
from remit.cli.exits import ExitCode
from remit.cli.options import Where
from remit.clock import EpochSeconds
from remit.db import Database
from remit.policy.evaluation import ResourceKind
from remit.registry.definition import offers_of
from remit.registry.definition_store import Seen
from remit.registry.pinning import observe
from remit.repository import check_repository, load_repository

TOOL = {
    "name": "get_invoice",
    "description": "Read one invoice.",
    "inputSchema": {"type": "object"},
}
HOSTILE = TOOL | {
    "description": "Read one invoice.\n\x1b[2J\u202eerased\u200b <b>[red]and this</b>\nthing admitted"
}
NEW = {"name": "speak\x1b[0m", "description": "Say something."}


@pytest.fixture
def sees(folder, events):
    """Have Remit see what the payments server of the example offers."""

    def look(*items, seen=Seen.OWN):
        catalog = load_repository(folder / "policy").catalog
        server = catalog.servers["payments"]
        offers = offers_of(ResourceKind.TOOL, "name", items, server)
        database = Database.open(f"sqlite:///{folder / 'data' / 'remit.sqlite3'}", recorder=events)
        database.run_now(
            lambda tx: observe(
                tx, server, offers, catalog=catalog, seen=seen, now=EpochSeconds(1_800_000_000)
            )
        )
        database.close()

    return look


def test_servers_are_listed_with_what_waits(cli, sees):
    sees(TOOL, NEW)
    (crm, payments) = json.loads(cli("servers", "list", "--json").out)
    assert (crm["name"], crm["waiting"]) == ("crm", 0)
    assert (payments["admitted"], payments["waiting"]) == (1, 1)
    assert "payments" in cli("servers", "list").out


def test_a_server_is_shown_with_the_state_of_its_things(cli, sees):
    sees(TOOL, NEW)
    shown = cli("servers", "show", "payments").out
    for word in ("admitted", "unseen", "quarantined", "speak⟨U+001B⟩[0m", "first_use"):
        assert word in shown
    assert "\x1b" not in shown
    assert json.loads(cli("servers", "show", "payments", "--json").out)["server"]["tools"] == 3


def test_a_server_that_there_is_not_is_refused(cli, folder):
    for command in ("show", "review", "discover"):
        done = cli("servers", command, "nothing")
        assert done.code == ExitCode.FOUND_WRONG
        assert "there is no such server" in done.err


def test_with_nothing_to_review_a_review_is_done(cli, folder):
    done = cli("servers", "review", "payments")
    assert (done.code, done.out.strip()) == (0, "nothing on payments waits for review")


def test_what_changed_is_shown_so_that_nothing_hides_in_it(cli, sees):
    sees(TOOL)
    sees(HOSTILE)
    done = cli("servers", "review", "payments")
    assert done.code == ExitCode.FOUND_WRONG
    assert "changed  differs in description" in done.out
    assert "+ ⟨U+001B⟩[2J⟨U+202E⟩erased⟨U+200B⟩ <b>[red]and this</b>" in done.out
    assert "    + thing admitted" in done.out
    assert not set("\x1b\u202e\u200b") & set(done.out)
    assert "1 thing waiting" in done.err


def test_what_a_caller_alone_was_shown_is_said_to_be(cli, sees):
    sees(TOOL)
    sees(HOSTILE, seen=Seen.CALLER)
    assert "in a caller's list" in cli("servers", "review", "payments").out


def test_what_the_repository_lacks_is_said_to_be(cli, sees):
    sees(NEW)
    assert "nobody can call it" in cli("servers", "review", "payments").out


@pytest.mark.parametrize("name", ["get_invoice", "tool:get_invoice"])
def test_a_change_is_admitted_by_name(cli, sees, name):
    sees(TOOL)
    sees(HOSTILE)
    done = cli("servers", "review", "payments", "--admit", name, "--reason", "looked at")
    assert done.code == 0, done.err
    assert "tool `get_invoice` is admitted" in done.out
    assert cli("servers", "review", "payments").code == 0


def test_a_change_is_rejected_by_name(cli, sees):
    sees(TOOL)
    sees(HOSTILE)
    assert "is rejected" in cli("servers", "review", "payments", "--reject", "get_invoice").out
    (thing,) = [
        one
        for one in json.loads(cli("servers", "show", "payments", "--json").out)["things"]
        if one["name"] == "get_invoice"
    ]
    assert thing["state"] == "rejected"


def test_everything_is_admitted_at_once_and_what_is_rejected_is_not(cli, sees):
    sees(TOOL, NEW)
    sees(HOSTILE)
    done = cli("servers", "review", "payments", "--admit-all", "--reject", NEW["name"], "--json")
    assert done.code == 0
    assert len(json.loads(done.out)) == 2
    shown = json.loads(cli("servers", "show", "payments", "--json").out)["things"]
    states = {one["name"]: one["state"] for one in shown}
    assert (states["get_invoice"], states[NEW["name"]]) == ("admitted", "rejected")


def test_a_name_that_does_not_wait_decides_nothing(cli, sees):
    sees(TOOL)
    sees(HOSTILE)
    done = cli("servers", "review", "payments", "--admit", "refund")
    assert done.code == ExitCode.FOUND_WRONG
    assert "nothing of that name waits: `refund`" in done.err
    assert cli("servers", "review", "payments").code == ExitCode.FOUND_WRONG


@pytest.mark.parametrize(
    ("answer", "left"), [("a", 0), ("Reject", 0), ("s", 1), ("", 1), ("whatever", 1)]
)
def test_on_a_terminal_each_thing_is_asked_about(cli, folder, sees, monkeypatch, answer, left):
    sees(TOOL)
    sees(HOSTILE)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("typer.prompt", lambda *_args, **_more: answer)
    where = Where(data=folder / "data", repo=folder / "policy")
    assert review(where, "payments", Decisions(), as_json=False) == left


class Terminal:
    def isatty(self) -> bool:
        return True


def test_for_a_server_of_the_repository_a_file_is_proposed(cli, folder):
    done = cli("servers", "discover", "payments")
    assert done.code == 0, done.err
    assert '"get_invoice":' in done.out
    assert "operation: read  # review: its name says `get`" in done.out
    assert 'title: "Payments"\n' in done.out


def test_what_is_proposed_for_a_new_server_passes_the_check(cli, folder):
    command = f"{sys.executable} -m remit.demo.payments_server"
    done = cli("servers", "discover", "ledger", "--stdio", command, "--write", "--repo", "policy")
    assert done.code == 0, done.err
    found = check_repository(folder / "policy")
    assert found.problems == ()
    server = load_repository(folder / "policy").catalog.servers["ledger"]
    assert set(server.tools) == {"get_invoice", "refund", "close_ledger"}
    assert server.tools["close_ledger"].operation.value == "admin"
    assert server.tools["refund"].scopes == ("ledger:things.write",)


def test_what_is_proposed_for_resources_and_prompts_passes_the_check(cli, folder):
    code = "from remit.demo.crm_server import build; build().run('stdio')"
    command = shlex.join([sys.executable, "-c", code])
    done = cli("servers", "discover", "accounts", "--stdio", command, "--write", "--repo", "policy")
    assert done.code == 0, done.err
    assert check_repository(folder / "policy").problems == ()
    server = load_repository(folder / "policy").catalog.servers["accounts"]
    assert [one.uri for one in server.resources] == [
        "crm://handbook", "crm://accounts/{account_id}",
    ]  # fmt: skip
    assert set(server.prompts) == {"summarise_account"}
    assert server.tools["export_accounts"].operation.value == "export"


def test_a_file_that_is_there_is_not_replaced(cli, folder):
    before = (folder / "policy/servers/payments.yaml").read_text()
    done = cli("servers", "discover", "payments", "--write")
    assert done.code == ExitCode.FOUND_WRONG
    assert "is there already" in done.err
    assert (folder / "policy/servers/payments.yaml").read_text() == before


@pytest.mark.parametrize(
    "said",
    [(), ("x", "--url", "http://127.0.0.1:9/mcp", "--stdio", "python")],
    ids=["nothing", "both"],
)
def test_one_server_has_to_be_named(cli, folder, said):
    assert cli("servers", "discover", *said).code == ExitCode.USAGE


def test_a_server_that_cannot_be_asked_proposes_nothing(cli, folder):
    done = cli("servers", "discover", "gone", "--url", "http://127.0.0.1:9/mcp", "--write")
    assert done.code != 0
    assert "cannot be reached" in done.err
    assert not (folder / "policy/servers/gone.yaml").exists()
