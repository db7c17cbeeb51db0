import pytest

from remit.model import (
    Argument,
    ArgumentType,
    AuditTreatment,
    HttpUpstream,
    Operation,
    StdioUpstream,
    ThirdParty,
)

from .conftest import Repository

FULL = """\
title: CRM
owner: crm@acme.example
tenant: acme
environment: dev
description: |
  Two
  lines.
upstream:
  stdio: {command: [python, -m, x], environment: {TOKEN: 'env:TOKEN'}, working_directory: /srv, timeout: 5s}
baseline_scopes: ['crm:accounts.read']
tools:
  pay:
    operation: write
    scopes: ['crm:accounts.write']
    sensitivity: high
    data_categories: [billing]
    arguments:
      amount: {type: money, currency_from: /order/currency, pointer: /order/amount, required: true, audit: keep}
      note: {type: string}
resources:
  crm://handbook: {scopes: ['crm:accounts.read'], sensitivity: low}
  crm://accounts/{account_id}: {scopes: ['crm:accounts.read'], sensitivity: medium, operation: export}
prompts:
  ask: {scopes: ['crm:accounts.read'], sensitivity: low}
"""


def test_a_server_is_what_its_file_says(repository: Repository) -> None:
    server = repository.write("servers/full.yaml", FULL).catalog().servers["full"]
    assert (server.title, server.tenant, server.environment, server.description) == (
        "CRM",
        "acme",
        "dev",
        "Two\nlines.",
    )
    assert server.upstream == StdioUpstream(
        command=("python", "-m", "x"),
        environment={"TOKEN": "env:TOKEN"},
        working_directory="/srv",
        timeout=5,
    )
    assert server.baseline_scopes == ("crm:accounts.read",)
    assert server.tools["pay"].operation is Operation.WRITE
    assert server.tools["pay"].arguments == (
        Argument(
            name="amount",
            type=ArgumentType.MONEY,
            pointer="/order/amount",
            required=True,
            currency_pointer="/order/currency",
            audit=AuditTreatment.KEEP,
        ),
        Argument(name="note", type=ArgumentType.STRING, pointer="/note"),
    )
    assert [(one.uri, one.is_template, one.operation.value) for one in server.resources] == [
        ("crm://handbook", False, "read"),
        ("crm://accounts/{account_id}", True, "export"),
    ]
    assert list(server.prompts) == ["ask"]


def test_a_shared_server_belongs_to_no_tenant_and_keeps_its_secret_elsewhere(
    repository: Repository,
) -> None:
    repository.edit("servers/crm.yaml", "mcp'}}", "mcp', bearer_secret: 'env:CRM', timeout: 2m}}")
    server = repository.catalog().servers["crm"]
    assert server.tenant is None
    assert server.upstream == HttpUpstream(
        url="https://crm.example/mcp", bearer_secret="env:CRM", timeout=120
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{http: {url: 'https://crm.example/mcp'}}", "{}", "5 an upstream is one thing"),
        ("mcp'}}", "mcp'}, stdio: {command: [x]}}", "5 an upstream is one thing"),
        ("{http: {url: 'https://crm.example/mcp'}}", "{stdio: {command: []}}", "5 a list is out of bounds"),
        ("{http: {url: 'https://crm.example/mcp'}}", "{stdio: {command: python -m x}}", "5 `python -m x` where a list belongs"),
        ("{http: {url: 'https://crm.example/mcp'}}", "{stdio: {command: [x], environment: {'A B': c}}}", "5 `A B` is no name of an environment variable"),
        ("https://crm", "http://crm", "5 `http://crm.example/mcp` would send the server's credential in the clear"),
        ("mcp'}}", "mcp', timeout: 2h}}", "5 the timeout is out of bounds"),
        ("shared: true\n", "", "1 whose server this is must be said"),
        ("shared: true", "shared: true\ntenant: acme", "1 whose server this is must be said"),
        ("operation: read", "operation: reed", "8 `reed` is not known here; did you mean `read`?"),
        ("operation: read\n", "\n", "7 `operation` is missing"),
        ("sensitivity: low", "sensitivity: none", "10 `none` is not known here"),
        ("scopes: [crm:accounts.read]", "scopes: []", "9 a list is out of bounds"),
        ("  get:", "  'get it':", "7 `get it` is no name of a tool or prompt"),
        ("sensitivity: low", "sensitivity: low\n    arguments: {a: {type: money}}", "11 an amount of money without a currency"),
        ("sensitivity: low", "sensitivity: low\n    arguments: {a: {type: money, currency: USD, currency_from: /c}}", "11 the currency is both fixed and read from the call"),
        ("sensitivity: low", "sensitivity: low\n    arguments: {a: {type: string, currency: USD}}", "11 a currency on what is no money"),
        ("sensitivity: low", "sensitivity: low\n    arguments: {a: {type: money, currency: dollars}}", "11 `dollars` is no currency"),
        ("sensitivity: low", "sensitivity: low\n    arguments: {a-b: {type: string}}", "11 `a-b` is no name of an argument"),
        ("sensitivity: low", "sensitivity: low\n    arguments: {a: {type: string, pointer: a}}", "11 `a` is no JSON pointer"),
        ("sensitivity: low", "sensitivity: low\n    arguments: {a: {type: text}}", "11 `text` is not known here"),
    ],
)  # fmt: skip
def test_what_a_server_cannot_be_is_refused_at_its_line(
    repository: Repository, old: str, new: str, says: str
) -> None:
    repository.edit("servers/crm.yaml", old, new)
    assert f"servers/crm.yaml:{says}" in repository.said()


CONNECTION = "connection: {title: Books, issuer: 'https://books.example', client_id: remit}\n"


def test_a_server_says_what_its_tokens_take_and_whose_api_it_needs(repository: Repository) -> None:
    repository.append(
        "servers/crm.yaml",
        "region: eu\ndpop: required\nintrospection_secret: env:CRM_ASKS\n"
        "connection:\n  title: Books\n  issuer: https://books.example\n  client_id: remit\n"
        "  secret: file:/run/books\n  scopes: [Ledger.Read, 'https://books.example/all']\n"
        "  resource: https://api.books.example/v1\n",
    )
    server = repository.catalog().servers["crm"]
    assert (server.region, server.dpop_required) == ("eu", True)
    assert server.introspection_secret == "env:CRM_ASKS"
    assert server.connection == ThirdParty(
        title="Books",
        issuer="https://books.example",
        client_id="remit",
        secret="file:/run/books",
        scopes=("Ledger.Read", "https://books.example/all"),
        resource="https://api.books.example/v1",
    )


def test_what_is_left_out_is_not_asked_for(repository: Repository) -> None:
    server = repository.append("servers/crm.yaml", CONNECTION).catalog().servers["crm"]
    assert (server.region, server.dpop_required, server.introspection_secret) == (None, False, None)
    assert server.connection == ThirdParty(
        title="Books", issuer="https://books.example", client_id="remit"
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("client_id: remit", "client_id: remit, secret: hunter2", "a secret stands in the repository, or what is no reference to one"),
        ("client_id: remit", "client_id: remit, scopes: ['a b']", "`a b` is no scope"),
        ("title: Books, ", "", "`title` is missing"),
        ("https://books", "http://books", "`http://books.example` would be asked in the clear"),
        ("https://books.example", "https://192.168.0.1", "`https://192.168.0.1` is a private address"),
        ("https://books.example'", "https://books.example?x'", "`https://books.example?x` is no issuer"),
        ("connection: ", "introspection_secret: hunter2 #", "a secret stands in the repository, or what is no reference to one"),
        ("connection: ", "dpop: always #", "`always` is not known here"),
        ("connection: ", "region: Europe #", "`Europe` is no name"),
    ],
)  # fmt: skip
def test_what_a_connection_cannot_be_is_refused_at_its_line(
    repository: Repository, old: str, new: str, says: str
) -> None:
    repository.append("servers/crm.yaml", CONNECTION.replace(old, new))
    assert repository.said() == [f"servers/crm.yaml:11 {says}"]


def test_a_secret_in_the_file_is_refused_and_not_shown(repository: Repository) -> None:
    repository.edit("servers/crm.yaml", "mcp'}}", "mcp', bearer_secret: hunter2}}")
    [problem] = repository.problems()
    assert problem.line == 5
    assert "hunter2" not in repr(problem)


def test_a_password_in_the_url_is_refused_and_not_shown(repository: Repository) -> None:
    repository.edit("servers/crm.yaml", "https://crm", "https://me:hunter2@crm")
    [problem] = repository.problems()
    assert "hunter2" not in repr(problem)


def test_a_server_that_guards_itself_says_where_and_by_which_secret(repository: Repository) -> None:
    server = repository.append(
        "servers/crm.yaml",
        "guard_secret: env:CRM_GUARD\nresource_identifier: https://crm.example:8443/mcp\n",
    )
    found = server.catalog().servers["crm"]
    assert found.guard_secret == "env:CRM_GUARD"
    assert found.resource_identifier == "https://crm.example:8443/mcp"


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example",
        "https://crm.example/",
        "https://crm.example/mcp/",
        "https://CRM.example/mcp",
        "https://crm.example/mcp?x=1",
        "https://crm.example/mcp#x",
        "http://crm.example/mcp",
        "https://user@crm.example/mcp",
        "crm.example/mcp",
    ],
)
def test_an_identifier_is_spelt_as_tokens_and_clients_spell_it(
    repository: Repository, url: str
) -> None:
    repository.append("servers/crm.yaml", f"resource_identifier: '{url}'\n")
    assert len(repository.said()) == 1
