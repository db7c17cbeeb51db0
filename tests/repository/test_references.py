import pytest

from .conftest import Repository


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("servers/crm.yaml", "environment: prod", "environment: prd", "4 unknown environment `prd`; did you mean `prod`?"),
        ("servers/crm.yaml", "shared: true", "tenant: acm", "3 unknown tenant `acm`; did you mean `acme`?"),
        ("servers/crm.yaml", "[crm:accounts.read]", "[crm:account.read]", "9 unknown scope `crm:account.read`; did you mean `crm:accounts.read`?"),
        ("servers/crm.yaml", "[crm:accounts.read]", "[mcp:all]", "9 `mcp:all` is a general-purpose scope"),
        ("servers/crm.yaml", "[crm:accounts.read]", "[crm:accounts.read, crm:accounts.read]", "9 `crm:accounts.read` stands in this list twice"),
        ("agents/helper.yaml", "scopes: [crm:accounts.read]", "scopes: [zzz:q.x]", "4 unknown scope `zzz:q.x`"),
        ("agents/helper.yaml", "[prod]", "[test]", "5 unknown environment `test`"),
        ("agents/helper.yaml", "[acme]", "[initech]", "6 unknown tenant `initech`"),
        ("roles.yaml", "crm:accounts.read", "crm:accounts.rite", "2 unknown scope `crm:accounts.rite`; did you mean `crm:accounts.write`?"),
        ("scopes.yaml", "Read accounts.}", "Read accounts., covers: ['crm:x.y']}", "1 unknown scope `crm:x.y`"),
    ],
)  # fmt: skip
def test_a_name_that_nothing_declares_is_refused_where_it_is_used(
    repository: Repository, file: str, old: str, new: str, says: str
) -> None:
    repository.edit(file, old, new)
    assert repository.said() == [f"{file}:{says}"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("issuer: {default_scopes: ['a:b.c']}\n", "unknown scope `a:b.c`"),
        ("guardrails: {forbidden_scopes: ['a:b.c']}\n", "unknown scope `a:b.c`"),
        ("unregistered: {scopes: ['a:b.c']}\n", "unknown scope `a:b.c`"),
        ("unregistered: {environments: [moon]}\n", "unknown environment `moon`"),
        ("unregistered: {tenants: [initech]}\n", "unknown tenant `initech`"),
    ],
)
def test_the_root_file_refers_to_what_exists(repository: Repository, text: str, says: str) -> None:
    repository.append("remit.yaml", text)
    assert repository.said() == [f"remit.yaml:6 {says}"]


@pytest.mark.parametrize(
    "place",
    [
        "resources: {'crm://x': {scopes: ['a:b.c'], sensitivity: low}}",
        "prompts: {x: {scopes: ['a:b.c'], sensitivity: low}}",
        "baseline_scopes: ['a:b.c', 'crm:accounts.read']",
    ],
)
def test_everything_on_a_server_refers_to_what_exists(repository: Repository, place: str) -> None:
    repository.append("servers/crm.yaml", place + "\n")
    assert "servers/crm.yaml:11 unknown scope `a:b.c`" in repository.said()


def test_what_was_expected_is_listed_while_it_is_short(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[prod]", "[test]")
    [problem] = repository.problems()
    assert problem.expected == "`dev`, `management` or `prod`"


def test_uses_are_checked_in_files_that_have_other_mistakes_too(repository: Repository) -> None:
    repository.edit("servers/crm.yaml", "[crm:accounts.read]", "[a:b.c]").edit(
        "servers/crm.yaml", "owner:", "owned:"
    )
    assert {one.split(" ", 1)[1] for one in repository.said()} == {
        "`owner` is missing",
        "unknown key `owned`; did you mean `owner`?",
        "unknown scope `a:b.c`",
    }


def test_where_declarations_cannot_be_read_their_uses_are_not_blamed(
    repository: Repository,
) -> None:
    repository.write("scopes.yaml", "crm:accounts.read: [\n")
    assert all(one.startswith("scopes.yaml:") for one in repository.said())
