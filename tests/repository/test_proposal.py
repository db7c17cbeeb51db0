import pytest

from remit.repository import check_repository
from remit.repository.proposal import Frame, propose

from .conftest import FILES

HTTP = {"http": {"url": "https://new.example/mcp"}}
FRAME = Frame(name="new", upstream=HTTP, environment="prod")
LISTS = {
    "tools/list": [
        {
            "name": "refund",
            "description": "Refund it.\nAll of it.",
            "annotations": {"destructiveHint": True},
            "inputSchema": {
                "properties": {"invoice": {"type": "string"}, "lines": {"type": "array"}},
                "required": ["invoice"],
            },
        },
        {"name": "list_invoices", "inputSchema": {"type": "object"}},
    ],
    "resources/list": [{"uri": "new://handbook"}, {"uri": "new://invoices/7"}],
    "resources/templates/list": [{"uriTemplate": "new://invoices/{invoice}"}],
    "prompts/list": [{"name": "summarise", "description": "Sum up."}],
}
HOSTILE = [
    {"name": "x\nenvironment: dev"},
    {"name": "a: b"},
    {"name": "ok", "description": '"\n  operation: read # \u202e\u0085\u2028\0'},
    {"name": "ok"},
    {"name": "y" * 300},
    {"name": 7},
    "nothing",
    {"name": "g\u0435t"},
]


def put(repository, proposal, name="new"):
    repository.write(f"servers/{name}.yaml", proposal.server)
    return repository.write("scopes.yaml", f"{FILES['scopes.yaml']}\n{proposal.scopes}")


@pytest.mark.parametrize(
    "lists",
    [LISTS, {}, {"tools/list": []}, {"tools/list": HOSTILE, "resources/list": [{"uri": "no uri"}]}],
    ids=["all", "nothing", "no-tools", "hostile"],
)
def test_a_proposal_passes_the_check_once_it_is_put_into_the_repository(repository, lists):
    proposal = propose(lists, FRAME)
    found = check_repository(put(repository, proposal).path)
    assert found.problems == (), [str(one) for one in found.problems]


def test_everything_that_was_guessed_is_marked(repository):
    proposal = propose(LISTS, FRAME)
    guessed = ("operation:", "sensitivity:", "scopes:", "description:", "owner:", "environment:")
    for line in (proposal.server + proposal.scopes).splitlines():
        if line.strip().startswith(guessed):
            assert "# review" in line, line


def test_what_is_offered_stands_in_the_catalog(repository):
    server = put(repository, propose(LISTS, FRAME)).catalog().servers["new"]
    assert set(server.tools) == {"refund", "list_invoices"}
    assert server.tools["refund"].operation.value == "delete"
    assert [one.name for one in server.tools["refund"].arguments] == ["invoice"]
    assert [one.uri for one in server.resources] == ["new://handbook", "new://invoices/{invoice}"]
    assert server.tools["list_invoices"].scopes == ("new:invoices.read",)


def test_scopes_that_the_repository_has_are_not_proposed_again():
    frame = Frame(
        name="new", upstream=HTTP, environment="prod", scopes=frozenset({"new:invoices.read"})
    )
    assert "new:invoices.read:" not in propose(LISTS, frame).scopes
    assert "new:invoices.read:" in propose(LISTS, FRAME).scopes


def test_what_no_repository_could_name_is_left_out_and_said_so():
    text = propose({"tools/list": HOSTILE}, FRAME).server
    assert text.count("# left out") == 4
    assert text.isascii() or "g\u0435t" not in text
    assert "\nenvironment: dev" not in text


def test_hundreds_of_resources_are_not_all_written_down():
    many = [{"uri": f"new://item-{number}"} for number in range(500)]
    text = propose({"resources/list": many}, FRAME).server
    assert "400 resources more" in text


def test_what_is_known_of_a_server_is_kept(repository):
    frame = Frame(
        name="new", upstream={"stdio": {"command": ["python", "-m", "x"]}}, environment="dev",
        title="New", owner="me@acme.example", tenant="acme",
    )  # fmt: skip
    server = put(repository, propose(LISTS, frame)).catalog().servers["new"]
    assert (server.title, server.owner, server.tenant, server.environment) == (
        "New", "me@acme.example", "acme", "dev",
    )  # fmt: skip
