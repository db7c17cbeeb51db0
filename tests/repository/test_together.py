import pytest

from remit.repository import check_repository

from .conftest import FILES, Repository


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("roles.yaml", "roles: [\n", "yaml"),
        ("roles.yaml", "rolls: {}\n", "schema"),
        ("roles.yaml", "roles: {a: {scopes: ['crm:none.read']}}\n", "reference"),
        ("servers/crm.yml", "x", "file"),
        ("servers/Crm.yaml", FILES["servers/crm.yaml"], "file-name"),
        ("stages/prod/roles.yaml", "roles: {}\n", "stage"),
        (
            "scopes.yaml",
            FILES["scopes.yaml"] + "crm:a.b: {title: T, description: D, covers: ['crm:a.b']}\n",
            "scope-ring",
        ),
        ("agents/twin.yaml", FILES["agents/helper.yaml"] + "clients: {metadata_documents: [x]}\n", "agent"),
        ("servers/remit.yaml", FILES["servers/crm.yaml"], "reserved-name"),
    ],
)  # fmt: skip
def test_every_problem_has_the_code_of_its_kind(
    repository: Repository, name: str, text: str, code: str
) -> None:
    repository.write(name, text)
    assert code in {one.code for one in repository.problems()}
    assert all(one.code for one in repository.problems())


def test_a_policy_that_does_not_check_has_the_code_of_policies(repository: Repository) -> None:
    repository.write("policies/all.cedar", "permit (principal")
    assert {one.code for one in check_repository(repository.path).problems} == {"policy"}
