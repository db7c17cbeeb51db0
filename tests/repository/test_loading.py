from collections.abc import Sequence

import pytest

from remit.documents import Problem
from remit.model import Catalog
from remit.policy import PolicySource
from remit.repository import RepositoryInvalidError, check_repository, load_repository

from .conftest import FILES, Repository


def no_problems(_sources: Sequence[PolicySource], _catalog: Catalog) -> list[Problem]:
    return []


def test_a_repository_without_a_mistake_is_loaded(repository: Repository) -> None:
    loaded = load_repository(repository.path)
    assert list(loaded.catalog.servers) == ["crm"]
    assert loaded.policies == (PolicySource(FILES["policies/all.cedar"], "policies/all.cedar"),)
    assert set(loaded.files) == set(FILES)
    assert all(len(digest) == 64 for digest in loaded.files.values())


def test_a_single_mistake_keeps_all_of_it_out(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[prod]", "[test]")
    with pytest.raises(
        RepositoryInvalidError, match=r"agents/helper\.yaml:5:16: unknown environment `test`"
    ) as caught:
        load_repository(repository.path)
    assert caught.value.code == "repository_invalid"


def test_mistakes_of_every_sort_are_reported_at_once(repository: Repository) -> None:
    repository.edit("remit.yaml", "Europe/Berlin", "Europe/Berln")
    repository.append(
        "scopes.yaml", "mcp:all: {title: T, description: D, covers: ['crm:accounts.raed']}\n"
    )
    repository.append("roles.yaml", "rules: []\n")
    repository.edit("servers/crm.yaml", "https://crm", "http://crm")
    repository.write("agents/helper.yaml", FILES["agents/helper.yaml"].replace("[acme]", "[acmee]"))
    repository.write("agents/Bad.yaml", "name: 'unfinished\n")
    repository.write("servers/x.yml", "")
    said = [one.split(" ", 1)[1] for one in repository.said()]
    assert said == [
        "`Bad` is no name",
        "not YAML: while scanning a quoted scalar: found unexpected end of stream",
        "unknown tenant `acmee`; did you mean `acme`?",
        "`Europe/Berln` is no time zone",
        "unknown key `rules`; did you mean `roles`?",
        "`mcp:all` is a general-purpose scope",
        "unknown scope `crm:accounts.raed`; did you mean `crm:accounts.read`?",
        "`http://crm.example/mcp` would send the server's credential in the clear",
        "`servers/x.yml` is not read",
    ]


def test_problems_come_in_the_order_of_files_and_lines(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[prod]", "[test]").edit(
        "agents/helper.yaml", "[acme]", "[x]"
    )
    repository.edit("servers/crm.yaml", "environment: prod", "environment: test")
    problems = repository.problems()
    assert [(one.file, one.line) for one in problems] == sorted(
        (one.file, one.line) for one in problems
    )
    assert len(problems) == 3


def test_problems_of_policies_are_reported_with_their_line(repository: Repository) -> None:
    repository.write(
        "policies/all.cedar",
        '@id("all")\npermit (principal, action == Remit::Action::"crm/got", resource);\n',
    )
    [problem] = check_repository(repository.path)
    assert (problem.file, problem.line) == ("policies/all.cedar", 2)
    assert "crm/got" in problem.message
    assert "crm/got" in problem.excerpt


def test_policies_are_checked_even_when_a_name_is_not_declared(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[prod]", "[test]").write(
        "policies/all.cedar", "permit ("
    )
    assert {problem.file for problem in check_repository(repository.path)} == {
        "agents/helper.yaml",
        "policies/all.cedar",
    }


def test_policies_are_not_checked_against_a_catalog_that_cannot_be_built(
    repository: Repository,
) -> None:
    asked: list[Catalog] = []

    def check(_sources: Sequence[PolicySource], catalog: Catalog) -> list[Problem]:
        asked.append(catalog)
        return []

    repository.edit("servers/crm.yaml", "operation: read", "operation: reed")
    assert [problem.line for problem in check_repository(repository.path, check=check)] == [8]
    assert asked == []


def test_a_problem_with_a_policy_gets_the_line_it_did_not_bring(repository: Repository) -> None:
    def check(sources: Sequence[PolicySource], _catalog: Catalog) -> list[Problem]:
        return [
            Problem(file=sources[0].filename, line=1, column=1, message="wrong"),
            Problem(file="elsewhere", line=9, column=1, message="wrong"),
        ]

    first, second = check_repository(repository.path, check=check)
    assert (first.excerpt, second.excerpt) == ("", FILES["policies/all.cedar"].rstrip())


def test_a_catalog_of_a_ring_is_never_loaded(repository: Repository) -> None:
    repository.append("scopes.yaml", "s:a.x: {title: T, description: D, covers: ['s:a.x']}\n")
    with pytest.raises(RepositoryInvalidError):
        load_repository(repository.path, check=no_problems)
