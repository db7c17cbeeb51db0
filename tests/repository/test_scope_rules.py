import pytest

from .conftest import Repository


def declare(repository: Repository, *names: str) -> Repository:
    for name in names:
        repository.append("scopes.yaml", f"'{name}': {{title: T, description: D}}\n")
    return repository


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("hr:payroll.read", "hr:{department}.read"),
        ("hr:{department}.read", "hr:payroll.read"),
        ("hr:{department}.read", "hr:{team}.read"),
        ("tenant:read:globex", "tenant:read:{organization_id}"),
        ("tenant:{organization_id}:{environment}", "tenant:acme:{team}"),
        ("{environment}:payments.refund", "prod:payments.refund"),
    ],
)
def test_two_scopes_that_claims_could_make_equal_are_refused(
    repository: Repository, first: str, second: str
) -> None:
    declare(repository, first, second)
    assert repository.said() == [f"scopes.yaml:4 `{second}` can come to the same name as `{first}`"]
    assert [one.code for one in repository.problems()] == ["ambiguous-scope"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("hr:payroll.read", "hr:{department}.write"),
        ("hr:payroll.read", "hr:{department}.read.basic"),
        ("hr:payroll.read", "hr:{department}:read"),
        ("tenant:read:{organization_id}", "tenant:write:{organization_id}"),
        ("a:b.c", "a:b.d"),
    ],
)
def test_scopes_that_always_differ_are_not(repository: Repository, first: str, second: str) -> None:
    assert declare(repository, first, second).said() == []


def test_a_name_that_is_none_is_one_mistake(repository: Repository) -> None:
    declare(repository, "hr:{Department}.read", "hr:payroll.read")
    assert len(repository.said()) == 1
