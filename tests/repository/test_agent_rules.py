import pytest

from .conftest import FILES, Repository

HELPER = FILES["agents/helper.yaml"]


def with_clients(repository: Repository, name: str, clients: str) -> Repository:
    return repository.write(f"agents/{name}.yaml", f"{HELPER}clients: {clients}\n")


def test_an_agent_within_the_guardrails_is_admitted(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        "guardrails: {max_scopes_per_agent: 1, forbidden_scopes: ['crm:accounts.write']}\n",
    )
    assert repository.said() == []


def test_an_agent_with_more_scopes_than_admitted_is_refused(repository: Repository) -> None:
    repository.append("remit.yaml", "guardrails: {max_scopes_per_agent: 1}\n")
    repository.edit(
        "agents/helper.yaml", "[crm:accounts.read]", "[crm:accounts.read, crm:accounts.write]"
    )
    assert repository.said() == ["agents/helper.yaml:4 2 scopes are more than an agent may hold"]


def test_an_agent_with_a_forbidden_scope_is_refused(repository: Repository) -> None:
    repository.append("remit.yaml", "guardrails: {forbidden_scopes: ['crm:accounts.read']}\n")
    assert repository.said() == ["agents/helper.yaml:4 the scope `crm:accounts.read` is forbidden"]


def test_a_scope_that_covers_a_forbidden_one_is_refused_as_well(repository: Repository) -> None:
    repository.append("remit.yaml", "guardrails: {forbidden_scopes: ['crm:accounts.write']}\n")
    repository.append(
        "scopes.yaml",
        "s:a.x: {title: T, description: D, covers: ['s:b.x']}\ns:b.x: {title: T, description: D, covers: ['crm:accounts.write']}\n",
    )
    repository.edit("agents/helper.yaml", "[crm:accounts.read]", "[s:a.x]")
    assert repository.said() == [
        "agents/helper.yaml:4 the scope `s:a.x` covers `crm:accounts.write`, which is forbidden"
    ]


def test_the_guardrails_hold_for_unregistered_agents(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        "guardrails: {forbidden_scopes: ['crm:accounts.write']}\nunregistered: {scopes: ['crm:accounts.write']}\n",
    )
    assert repository.said() == ["remit.yaml:7 the scope `crm:accounts.write` is forbidden"]


@pytest.mark.parametrize(
    "clients",
    [
        "{dynamic_redirect_uris: ['http://evil.example/cb']}",
        "{dynamic_redirect_uris: ['cursor://x/cb']}",
        "{static: [{client_id: a, name: A, redirect_uris: ['javascript:alert(1)']}]}",
    ],
)
def test_what_is_no_redirect_uri_is_refused(repository: Repository, clients: str) -> None:
    [problem] = with_clients(repository, "other", clients).problems()
    assert problem.line == 7
    assert "is no redirect URI" in problem.message


def test_a_scheme_that_the_root_file_admits_is_admitted(repository: Repository) -> None:
    repository.append("remit.yaml", "registration: {redirect_uri_schemes: [cursor]}\n")
    assert (
        with_clients(repository, "other", "{dynamic_redirect_uris: ['cursor://x/cb']}").said() == []
    )


def test_what_is_no_metadata_document_is_refused(repository: Repository) -> None:
    with_clients(repository, "other", "{metadata_documents: ['https://claude.ai']}")
    assert repository.said() == ["agents/other.yaml:7 `https://claude.ai` is no metadata document"]


def test_a_document_on_a_host_that_is_never_asked_is_refused(repository: Repository) -> None:
    repository.append("remit.yaml", "registration: {document_hosts: [vscode.dev]}\n")
    with_clients(
        repository, "other", "{metadata_documents: ['https://claude.ai/x', 'https://vscode.dev/x']}"
    )
    assert repository.said() == ["agents/other.yaml:7 `https://claude.ai/x` is never fetched"]


@pytest.mark.parametrize("host", ["'*.claude.ai'", "{host: '*.claude.ai', admission: approve}"])
def test_a_document_below_a_host_that_is_asked_is_admitted(
    repository: Repository, host: str
) -> None:
    repository.append("remit.yaml", f"registration: {{document_hosts: [{host}]}}\n")
    with_clients(
        repository,
        "other",
        "{metadata_documents: ['https://a.claude.ai/x', 'https://claude.ai/x']}",
    )
    assert repository.said() == ["agents/other.yaml:7 `https://claude.ai/x` is never fetched"]


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        (
            "{static: [{client_id: a, name: A, redirect_uris: ['https://a.example/cb']}]}",
            "{static: [{client_id: a, name: B, redirect_uris: ['https://b.example/cb']}]}",
            "the client `a`",
        ),
        (
            "{metadata_documents: ['https://a.example/x']}",
            "{metadata_documents: ['https://a.example/x']}",
            "the metadata document `https://a.example/x`",
        ),
        (
            "{dynamic_redirect_uris: ['http://127.0.0.1:1000/cb']}",
            "{dynamic_redirect_uris: ['http://127.0.0.1:2000/cb']}",
            "the redirect URI `http://127.0.0.1/cb`",
        ),
    ],
)
def test_two_agents_cannot_be_one_client(
    repository: Repository, first: str, second: str, says: str
) -> None:
    with_clients(repository, "one", first)
    with_clients(repository, "two", second)
    assert repository.said() == [f"agents/two.yaml:7 {says} is claimed by `agents/one.yaml` too"]


def test_two_agents_may_be_different_clients(repository: Repository) -> None:
    with_clients(
        repository,
        "one",
        "{dynamic_redirect_uris: ['http://127.0.0.1/cb', 'https://a.example:1/cb']}",
    )
    with_clients(
        repository,
        "two",
        "{dynamic_redirect_uris: ['http://localhost/cb', 'https://a.example:2/cb']}",
    )
    assert repository.said() == []


def test_one_agent_lists_a_client_once(repository: Repository) -> None:
    with_clients(
        repository,
        "one",
        "{dynamic_redirect_uris: ['http://127.0.0.1:1/cb', 'http://127.0.0.1:2/cb']}",
    )
    assert repository.said() == [
        "agents/one.yaml:7 the redirect URI `http://127.0.0.1/cb` stands here twice"
    ]


def test_a_client_is_not_named_like_a_server_that_asks_about_tokens(repository: Repository) -> None:
    with_clients(
        repository,
        "one",
        "{static: [{client_id: crm, name: A, redirect_uris: ['https://a.example/cb']}]}",
    )
    assert repository.said() == []
    repository.append("servers/crm.yaml", "introspection_secret: env:ASKS\n")
    assert repository.said() == [
        "agents/one.yaml:7 `crm` is the name of a server that asks about tokens"
    ]
