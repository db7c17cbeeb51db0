"""One table: what is routed, what is described and what the command line may ask for are the same."""

import re
from pathlib import Path

import remit.cli
from remit.api import openapi
from remit.api.openapi import DESCRIPTION_PATH
from remit.api.table import OPERATIONS
from remit.model import ALL_TENANTS, MANAGEMENT, MANAGEMENT_OPERATIONS, MANAGEMENT_SCOPES

PUBLIC = "https://remit.example"


def _described():
    return {
        (method.upper(), path)
        for path, methods in openapi(PUBLIC)["paths"].items()
        for method in methods
    }


def _table():
    # In a description a placeholder is a placeholder, however much of the path it takes.
    return {
        (entry.method, entry.path.replace(":path}", "}"))
        for entry in MANAGEMENT_OPERATIONS.values()
    }


def test_everything_in_the_table_is_answered_and_nothing_else():
    assert [one.name for one in OPERATIONS] == [*MANAGEMENT_OPERATIONS]
    assert len(_table()) == len(OPERATIONS)


OWN = {"remit:audit.hold", "remit:access.request", "remit:approvals.answer"}
# They change nothing, and what they ask must stand in no address.
QUESTIONS = {"audit.search", "audit.timeline"}


async def test_everything_in_the_table_is_routed_at_both_doors(management, public):
    for entry in MANAGEMENT_OPERATIONS.values():
        path = re.sub(r"\{[a-z_]+(:path)?\}", "x", entry.path)
        wrong = "DELETE"
        at_socket = await management.request(wrong, path)
        assert at_socket.status_code == 405, entry.name
        assert entry.method in at_socket.headers["allow"]
        # Without a token nobody is told more than how to come by one.
        on_network = await public.request(entry.method, path)
        assert on_network.status_code == 401, entry.name


def test_what_is_described_is_what_stands_in_the_table():
    assert _described() == _table()


def test_every_operation_needs_declared_scopes_and_is_a_tool_that_policies_can_name():
    for entry in MANAGEMENT_OPERATIONS.values():
        assert entry.scopes
        assert set(entry.scopes) <= set(MANAGEMENT_SCOPES)
        assert MANAGEMENT.tools[entry.name].scopes == entry.scopes
        reads = entry.method == "GET" or entry.name in QUESTIONS
        # What is somebody's own is listed with the scope for asking or answering in their name.
        assert entry.scopes[0].endswith(".read") == reads or (reads and entry.scopes[0] in OWN)
    used = {scope for entry in MANAGEMENT_OPERATIONS.values() for scope in entry.scopes}
    assert used == set(MANAGEMENT_SCOPES)
    assert ALL_TENANTS in used


async def test_the_description_is_public_and_the_same_at_both_doors(management, public):
    at_socket = await management.get(DESCRIPTION_PATH)
    on_network = await public.get(DESCRIPTION_PATH)
    assert at_socket.status_code == on_network.status_code == 200
    assert at_socket.json() == on_network.json()
    assert on_network.json()["openapi"] == "3.1.1"


def test_every_reference_in_the_description_resolves():
    document = openapi(PUBLIC)
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert named <= set(document["components"]["schemas"])


def test_every_operation_of_the_command_line_is_in_the_table_and_has_its_command():
    folder = Path(remit.cli.__file__).parent
    source = "\n".join(path.read_text() for path in folder.glob("*.py"))
    named = set(re.findall(r'"([a-z-]+\.[a-z-]+)"', source)) | {
        f"{noun}.{verb}" for noun, verb in (("agents", "suspend"), ("agents", "resume"))
    }
    asked = {name for name in MANAGEMENT_OPERATIONS if name in named}
    by_verb = {"users.disable", "users.enable"}
    # What reads tlog-tiles is anybody's program, and no command of ours.
    rest = {"users.show", "status", "reload", "audit.checkpoint", "audit.tile"}
    assert set(MANAGEMENT_OPERATIONS) - asked - by_verb - rest == set()
