"""With what Remit proves itself to a server behind it."""

import pytest

from remit.model import (
    ConnectionCredential,
    Credential,
    ExchangedCredential,
    SecretCredential,
)

from .conftest import Repository

CONNECTION = "connection: {title: Books, issuer: 'https://books.example', client_id: remit}\n"


def _with(repository: Repository, credential: str) -> Repository:
    return repository.edit("servers/crm.yaml", "mcp'}}", f"mcp', credential: {credential}}}}}")


@pytest.mark.parametrize(
    ("written", "credential"),
    [
        ("{secret: 'env:CRM'}", SecretCredential(secret="env:CRM")),
        ("{secret: 'stored:crm', header: X-Api-Key}", SecretCredential(secret="stored:crm", header="x-api-key", scheme="")),
        ("{secret: 'env:CRM', header: Authorization, scheme: token}", SecretCredential(secret="env:CRM", scheme="token")),
        ("{secret: 'env:CRM', scheme: ''}", SecretCredential(secret="env:CRM", scheme="")),
        ("{connection: true}", ConnectionCredential()),
        (
            "{exchange: {audience: 'https://crm.example/mcp', scopes: ['crm:accounts.read']}}",
            ExchangedCredential(audience="https://crm.example/mcp", scopes=("crm:accounts.read",)),
        ),
    ],
    ids=["secret", "header", "scheme", "no scheme", "connection", "exchange"],
)  # fmt: skip
def test_a_credential_is_what_its_section_says(
    repository: Repository, written: str, credential: Credential
) -> None:
    _with(repository, written).append("servers/crm.yaml", CONNECTION)
    assert repository.catalog().servers["crm"].upstream.presents == credential


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{}", "a credential is one thing"),
        ("{secret: 'env:A', connection: true}", "a credential is one thing"),
        ("{connection: false}", "a connection is used or it is not named"),
        ("{connection: true, header: X-Key}", "only a secret has a header of its own"),
        ("{secret: hunter2}", "a secret stands in the repository, or what is no reference to one"),
        ("{secret: 'stored:Hunter2'}", "a secret stands in the repository, or what is no reference to one"),
        ("{secret: 'env:A', header: 'X Key'}", "`X Key` is no name of a header"),
        ("{secret: 'env:A', header: \"X-Key\\r\\nHost\"}", "is no name of a header"),
        ("{secret: 'env:A', header: ''}", "is no name of a header"),
        ("{secret: 'env:A', scheme: 'a b'}", "`a b` is no scheme of authentication"),
        ("{exchange: {audience: 'https://crm.example/mcp'}}", "`scopes` is missing"),
        ("{exchange: {audience: 'https://crm.example/mcp', scopes: []}}", "a list is out of bounds"),
        ("{exchange: {audience: 'https://crm.example/mcp', scopes: ['crm:nothing.read']}}", "unknown scope `crm:nothing.read`"),
        ("{exchange: {audience: crm, scopes: ['crm:accounts.read']}}", "`crm` is no"),
    ],
    ids=lambda text: text,
)  # fmt: skip
def test_what_a_credential_cannot_be_is_refused(
    repository: Repository, written: str, says: str
) -> None:
    _with(repository, written).append("servers/crm.yaml", CONNECTION)
    assert any(says in one for one in repository.said()), repository.said()
    assert "unter2" not in repr(repository.problems())


@pytest.mark.parametrize(
    "header",
    ["Host", "content-length", "Content-Type", "Mcp-Session-Id", "MCP-Protocol-Version", "Cookie",
     "Connection", "Transfer-Encoding", "Proxy-Authorization", "Accept", "Last-Event-Id", "DPoP",
     "X-Forwarded-For", "TE", "Upgrade", "Mcp-Param-Amount", "Origin", "User-Agent"],
)  # fmt: skip
def test_a_header_that_means_something_else_is_refused(repository: Repository, header: str) -> None:
    _with(repository, f"{{secret: 'env:A', header: {header}}}")
    assert repository.said() == [
        f"servers/crm.yaml:5 the header `{header}` says something else than who calls"
    ]


def test_a_connection_needs_a_third_party(repository: Repository) -> None:
    _with(repository, "{connection: true}")
    assert repository.said() == [
        "servers/crm.yaml:5 there is no third party whose connection could be used"
    ]
