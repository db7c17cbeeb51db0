from .conftest import Repository


def test_a_baseline_that_something_needs_is_admitted(repository: Repository) -> None:
    assert (
        repository.append("servers/crm.yaml", "baseline_scopes: ['crm:accounts.read']\n").said()
        == []
    )


def test_a_baseline_that_covers_what_is_needed_is_admitted(repository: Repository) -> None:
    repository.append(
        "scopes.yaml",
        "crm:all-accounts.read: {title: T, description: D, covers: ['crm:accounts.read']}\n",
    )
    assert (
        repository.append("servers/crm.yaml", "baseline_scopes: ['crm:all-accounts.read']\n").said()
        == []
    )


def test_a_baseline_that_nothing_on_the_server_needs_is_refused(repository: Repository) -> None:
    repository.append("servers/crm.yaml", "baseline_scopes: ['crm:accounts.write']\n")
    [problem] = repository.problems()
    assert (problem.line, problem.message) == (
        11,
        "nothing on this server needs the scope `crm:accounts.write`",
    )
    assert problem.expected == "`crm:accounts.read`"


def test_a_baseline_is_not_blamed_for_a_misspelt_scope(repository: Repository) -> None:
    repository.edit("servers/crm.yaml", "[crm:accounts.read]", "[crm:accounts.reed]")
    repository.append("servers/crm.yaml", "baseline_scopes: ['crm:accounts.read']\n")
    assert repository.said() == [
        "servers/crm.yaml:9 unknown scope `crm:accounts.reed`; did you mean `crm:accounts.read`?"
    ]
