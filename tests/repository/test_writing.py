from pathlib import Path

import jsonschema
import orjson
import pytest

from remit.documents import parse_yaml
from remit.errors import ConflictError
from remit.model import Admission, ArgumentType, StdioUpstream
from remit.repository import LoadedRepository, check_repository, load_repository, write_example
from remit.scopes import covers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_example(tmp_path / "policy")
    return tmp_path / "policy"


@pytest.fixture
def example(folder: Path) -> LoadedRepository:
    return load_repository(folder)


def test_the_example_has_no_mistake(folder: Path) -> None:
    assert check_repository(folder).problems == ()


def test_the_example_has_what_the_documentation_speaks_of(example: LoadedRepository) -> None:
    catalog = example.catalog
    assert {name: tenant.time_zone for name, tenant in catalog.tenants.items()} == {
        "acme": "America/New_York",
        "globex": "Europe/Berlin",
    }
    assert list(catalog.servers["crm"].tools) == [
        "list_accounts",
        "get_account",
        "update_account",
        "delete_account",
        "export_accounts",
    ]
    assert list(catalog.servers["payments"].tools) == ["get_invoice", "refund", "close_ledger"]
    assert set(catalog.agents) == {"support-assistant", "billing-job"}
    assert set(catalog.roles) == {"support", "sales-manager", "finance", "manager"}


def test_payments_run_on_the_interpreter_of_remit(example: LoadedRepository) -> None:
    upstream = example.catalog.servers["payments"].upstream
    assert upstream == StdioUpstream(
        command=("python", "-m", "remit.demo.payments_server"), timeout=60
    )


def test_the_amount_of_a_refund_is_exact_money(example: LoadedRepository) -> None:
    amount = example.catalog.servers["payments"].tools["refund"].arguments[0]
    assert (amount.type, amount.currency, amount.pointer, amount.required) == (
        ArgumentType.MONEY,
        "USD",
        "/amount",
        True,
    )


def test_the_example_shows_a_hierarchy_in_which_writing_is_not_reading(
    example: LoadedRepository,
) -> None:
    hierarchy = example.catalog.hierarchy
    assert covers("crm:accounts.read", "crm:handbook.read", hierarchy)
    assert not covers("crm:accounts.write", "crm:accounts.read", hierarchy)


def test_an_unregistered_agent_gets_the_least(example: LoadedRepository) -> None:
    catalog = example.catalog
    assert all(
        set(catalog.unregistered.scopes) < {*agent.scopes, "crm:handbook.read"}
        for agent in catalog.agents.values()
        if "crm:accounts.read" in agent.scopes
    )
    assert catalog.unregistered.max_sensitivity.rank == 0


def test_no_agent_of_the_example_holds_what_is_forbidden(example: LoadedRepository) -> None:
    catalog = example.catalog
    assert catalog.guardrails.forbidden_scopes == ("payments:ledger.admin",)
    assert all("payments:ledger.admin" not in agent.scopes for agent in catalog.agents.values())


def test_every_forbid_of_the_example_says_why(example: LoadedRepository) -> None:
    for source in example.policies:
        statements = source.text.split("\n\n")
        for statement in statements:
            if "forbid (" in statement:
                assert "@id(" in statement
                assert "@refusal(" in statement


@pytest.mark.parametrize(
    ("complete", "least"), [(False, 13), (True, 33)], ids=["small", "complete"]
)
def test_every_file_of_an_example_names_a_schema_that_was_written_and_admits_it(
    tmp_path: Path, *, complete: bool, least: int
) -> None:
    folder = tmp_path / "policy"
    write_example(folder, complete=complete)
    named = (path.relative_to(folder) for path in folder.rglob("*.yaml"))
    files = [folder / path for path in named if not path.parts[0].startswith(".")]
    assert len(files) >= least
    for path in files:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        hint, _, reference = first.partition("$schema=")
        assert hint == "# yaml-language-server: "
        schema = orjson.loads((path.parent / reference).read_bytes())
        jsonschema.Draft202012Validator(schema).validate(
            parse_yaml(path.read_bytes(), file=path.name).value
        )


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(ConflictError, match="is not an empty folder"):
        write_example(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("keep me")
    with pytest.raises(ConflictError):
        write_example(tmp_path / "policy")


def test_a_fresh_git_repository_is_empty_enough(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    written = write_example(tmp_path)
    assert tmp_path / "remit.yaml" in written
    assert all(path.is_file() for path in written)


def _uncommented(path: Path, first: str) -> str:
    """`path` with the commented section that begins with `first` in force, up to the next empty line."""
    before, _, rest = path.read_text(encoding="utf-8").partition(first)
    section, _, after = (first + rest).partition("\n\n")
    indent = first[: first.index("#")]
    opened = "\n".join(
        indent + line.removeprefix(indent + "#").removeprefix(" ") for line in section.splitlines()
    )
    return f"{before}{opened}\n\n{after}"


def test_what_is_commented_out_of_the_example_checks_when_it_is_wanted(folder: Path) -> None:
    (folder / "agents" / "portal.yaml").write_text(
        "name: Portal\nowner: a@acme.example\nclass: assistant\nscopes: [crm:accounts.read]\n"
        "environments: [prod]\ntenants: [acme]\nclients: {static: [{client_id: portal, name: P, "
        "secret: 'env:X', grant_types: [jwt_bearer]}]}\n"
    )
    for name, first in (
        ("people.yaml", "# providers:"),
        ("trust.yaml", "  # cluster:"),
        ("trust.yaml", "  # acme:"),
        ("servers/crm.yaml", "# introspection_secret:"),
        ("servers/crm.yaml", "# connection:"),
        ("audit.yaml", "# sinks:"),
        ("audit.yaml", "# witnesses:"),
    ):
        text = _uncommented(folder / name, first)
        (folder / name).write_text(text, encoding="utf-8")
    catalog = load_repository(folder).catalog
    assert set(catalog.sign_in.providers) == {"acme"}
    assert len(catalog.trust.issuers) == 3
    assert set(catalog.audit.sinks) == {"siem", "archive"}
    assert [one.name for one in catalog.audit.witnesses] == ["auditor"]
    assert catalog.servers["crm"].connection is not None
    assert catalog.servers["crm"].introspection_secret is not None


def test_the_example_believes_a_pipeline_that_nobody_can_have(example: LoadedRepository) -> None:
    [issuer] = example.catalog.trust.issuers.values()
    [rule] = issuer.workloads
    assert (rule.agent, rule.servers) == ("billing-job", ("payments",))
    owner, _, _ = rule.claims["repository"][0].partition("/")
    assert "." in owner  # No account of GitHub has a dot in its name.


def test_the_example_asks_before_it_admits_strangers(example: LoadedRepository) -> None:
    registration = example.catalog.registration
    assert registration.otherwise is Admission.APPROVE
    [rule] = registration.rules
    assert all(uri.startswith("http://") for uri in rule.redirect_uris)
