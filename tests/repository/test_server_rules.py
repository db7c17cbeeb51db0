import pytest

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


@pytest.mark.parametrize("uri", ["crm://{region}-{name}", "crm://x/{a}/{b}.{c}", "crm://{a}%20{b}"])
def test_variables_that_run_into_each_other_are_refused(repository: Repository, uri: str) -> None:
    repository.append(
        "servers/crm.yaml",
        f"resources: {{'{uri}': {{scopes: ['crm:accounts.read'], sensitivity: low}}}}\n",
    )
    [problem] = repository.problems()
    assert (problem.line, problem.message) == (11, f"the variables of `{uri}` are not kept apart")
    assert "such as `/`" in problem.expected


def test_variables_that_are_kept_apart_are_admitted(repository: Repository) -> None:
    repository.append(
        "servers/crm.yaml",
        "resources: {'crm://{a}-x/{b}:{c}.json': {scopes: ['crm:accounts.read'], sensitivity: low}}\n",
    )
    assert repository.said() == []


def test_variables_with_nothing_between_them_are_reported_once(repository: Repository) -> None:
    repository.append(
        "servers/crm.yaml",
        "resources: {'crm://{a}{b}': {scopes: ['crm:accounts.read'], sensitivity: low}}\n",
    )
    [problem] = repository.problems()
    assert problem.message == "`crm://{a}{b}` is no resource URI"


def test_a_secret_for_introspection_is_of_one_server_and_for_nothing_else(
    repository: Repository,
) -> None:
    repository.append("servers/crm.yaml", "introspection_secret: env:ASKS\n")
    text = (repository.path / "servers" / "crm.yaml").read_text(encoding="utf-8")
    repository.write("servers/erp.yaml", text)
    assert repository.said() == [
        "servers/erp.yaml:11 `env:ASKS` is a secret of `servers/crm.yaml` for something else"
    ]
    repository.edit("servers/erp.yaml", "env:ASKS", "env:ERP_ASKS")
    assert repository.said() == []
    repository.edit("servers/erp.yaml", "mcp'}", "mcp', bearer_secret: env:ERP_ASKS}")
    assert repository.said() == [
        "servers/erp.yaml:11 `env:ERP_ASKS` is a secret of `servers/erp.yaml` for something else"
    ]


def test_a_secret_of_a_guard_is_of_one_server_and_for_nothing_else(repository: Repository) -> None:
    repository.append("servers/crm.yaml", "guard_secret: env:GUARDS\n")
    text = (repository.path / "servers" / "crm.yaml").read_text(encoding="utf-8")
    repository.write("servers/erp.yaml", text)
    assert repository.said() == [
        "servers/erp.yaml:11 `env:GUARDS` is a secret of `servers/crm.yaml` for something else"
    ]


def test_no_two_servers_go_by_one_identifier(repository: Repository) -> None:
    repository.append("servers/crm.yaml", "resource_identifier: https://crm.example/mcp\n")
    text = (repository.path / "servers" / "crm.yaml").read_text(encoding="utf-8")
    repository.write("servers/erp.yaml", text)
    assert repository.said() == [
        "servers/erp.yaml:11 `https://crm.example/mcp` is the identifier of `servers/crm.yaml`"
    ]
