from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from remit.repository import fields

from .conftest import Repository


def accepts(kind: Any, text: object) -> bool:
    try:
        TypeAdapter(Annotated[kind, None]).validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("Name", ["acme", "a-b", "9"], ["", "Acme", "-a", "a_b", "a b", "a" * 64, "a\n", "ä"]),
        ("Line", ["Acme Corporation", "Ä"], ["", "  ", "a\nb", "x" * 201, "\x1b[31m", "\u202etxt"]),
        ("Prose", ["", "two\nlines"], ["\x07", "x" * 4001]),
        ("ThingName", ["get_account", "a.b/c-d", "A"], ["", "a b", "../x", "x" * 129, "a\n"]),
        ("ArgumentName", ["amount", "_x1"], ["", "1x", "a-b", "a.b"]),
        ("Pointer", ["/amount", "/a/b~1c/0", "/"], ["", "amount", "/a~2", "#/a"]),
        ("Currency", ["USD"], ["usd", "US", "USDX", ""]),
        ("TimeZone", ["Europe/Berlin", "UTC"], ["Europe/Atlantis", "", "../../etc/passwd", "/etc/localtime", "EST5EDT4,M3"]),
        ("SecretReference", ["env:CRM_TOKEN", "file:/run/secrets/x"], ["hunter2", "env:", "env:A B", "ENV:A", "file:secrets/x", "file:", 5, None]),
        (
            "UpstreamUrl",
            ["https://crm.example/mcp", "http://127.0.0.1:8611/mcp", "http://localhost/mcp", "http://[::1]:80/mcp"],
            [
                "http://crm.example/mcp", "ftp://crm.example", "https://", "https:///mcp", "https://u:p@crm.example/",
                "https://crm.example/#x", "https://crm.example/a b", "https://crm.example:99999/", "//crm.example", "http://127.0.0.1.evil.example/",
                "https://crm.example\\@evil.example/",
            ],
        ),
        (
            "ResourceUri",
            ["crm://handbook", "crm://accounts/{account_id}", "file:///a/{b}/c/{d}"],
            ["handbook", "crm:", "crm://{a}{b}", "crm://{a", "crm://a}", "crm://{+a}", "crm://{a}/{a}", "crm://{a,b}", "crm:// x", "{a}://x"],
        ),
        (
            "ScopeText",
            ["crm:accounts.read", "tenant:read:{organization_id}", "env:prod:execute", "payments:ledger.admin", "prod:payments.refund"],
            ["mcp:all", "*", "admin", "crm:*", "crm:admin", "crm:everything", "crm:accounts.all", "crm", "CRM:accounts.read", "crm:accounts read", "", "crm:", "mcp:access"],
        ),
    ],
)  # fmt: skip
def test_each_field_takes_what_is_right_and_nothing_else(
    kind: str, right: list[object], wrong: list[object]
) -> None:
    field = getattr(fields, kind)
    assert [text for text in right if not accepts(field, text)] == []
    assert [text for text in wrong if accepts(field, text)] == []


@pytest.mark.parametrize("text", ["hunter2", "env:A B", "sk-live-1234"])
def test_what_stands_in_place_of_a_secret_is_never_repeated(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(fields.SecretReference).validate_python(text)
    [details] = caught.value.errors()
    assert text not in details["msg"]
    assert details["ctx"]["hide"] is True


@pytest.mark.parametrize(
    "scope", ["*", "mcp:*", "admin", "mcp:all", "crm:admin", "crm:accounts.full", "root"]
)
def test_a_scope_that_opens_everything_is_general_purpose(scope: str) -> None:
    assert fields.is_general_purpose(scope)


@pytest.mark.parametrize(
    "scope", ["payments:ledger.admin", "crm:accounts.read", "env:prod:execute", "crm:read"]
)
def test_a_scope_that_says_what_it_opens_is_not(scope: str) -> None:
    assert not fields.is_general_purpose(scope)


def test_a_secret_left_blank_is_refused(repository: Repository) -> None:
    """The server would be called without a credential, the client be a public one."""
    repository.edit("servers/crm.yaml", "example/mcp'", "example/mcp', bearer_secret: ")
    repository.append(
        "agents/helper.yaml",
        "clients: {static: [{client_id: x, name: X, redirect_uris: ['https://x.example/cb'], secret: }]}\n",
    )
    problems = repository.problems()
    assert [(one.file, one.message) for one in problems] == [
        ("agents/helper.yaml", "the secret is left blank"),
        ("servers/crm.yaml", "the secret is left blank"),
    ]
    assert {one.expected for one in problems} == {
        "`env:NAME`, `file:/path` or `stored:name`, or no key at all"
    }
