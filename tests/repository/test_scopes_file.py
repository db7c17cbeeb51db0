import pytest

from remit.model import Sensitivity
from remit.repository import json_schemas

from .conftest import Repository


def test_a_scope_says_what_it_allows_and_covers(repository: Repository) -> None:
    repository.append(
        "scopes.yaml",
        "crm:customers.read: {title: T, description: D, covers: ['crm:accounts.read'], data_categories: [contact], sensitivity: high}\n",
    )
    catalog = repository.catalog()
    scope = catalog.scopes["crm:customers.read"]
    assert (scope.title, scope.description, scope.covers) == ("T", "D", ("crm:accounts.read",))
    assert (scope.data_categories, scope.sensitivity) == (("contact",), Sensitivity.HIGH)
    assert catalog.hierarchy == {"crm:customers.read": {"crm:accounts.read"}}


@pytest.mark.parametrize(
    "name", ["tenant:read:{organization_id}", "env:{environment}:execute", "hr:read.{department}"]
)
def test_a_scope_may_bind_a_claim(repository: Repository, name: str) -> None:
    repository.append("scopes.yaml", f"{name}: {{title: T, description: D}}\n")
    assert name in repository.catalog().scopes


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mcp:all", "`mcp:all` is a general-purpose scope"),
        ("'*'", "`*` is a general-purpose scope"),
        ("admin", "`admin` is a general-purpose scope"),
        ("Crm:read", "`Crm:read` is no scope name"),
        ("read", "`read` is no scope name"),
        (
            "tenant:read:{organisation_id}",
            "unknown placeholder `organisation_id`; did you mean `organization_id`?",
        ),
        ("tenant:read:{Org}", "`tenant:read:{Org}` is no scope name"),
    ],
)
def test_a_name_against_the_convention_is_refused(
    repository: Repository, name: str, says: str
) -> None:
    repository.append("scopes.yaml", f"{name}: {{title: T, description: D}}\n")
    assert repository.said() == [f"scopes.yaml:3 {says}"]


def test_a_scope_without_words_is_refused(repository: Repository) -> None:
    repository.append("scopes.yaml", "crm:x.read: {}\n")
    assert repository.said() == [
        "scopes.yaml:3 `description` is missing",
        "scopes.yaml:3 `title` is missing",
    ]


def test_a_ring_of_scopes_is_refused_once_with_the_way_around(repository: Repository) -> None:
    repository.append(
        "scopes.yaml",
        "s:a.x: {title: T, description: D, covers: ['s:b.x']}\ns:b.x: {title: T, description: D, covers: ['s:a.x']}\n",
    )
    assert repository.said() == ["scopes.yaml:3 a scope covers itself: `s:a.x → s:b.x → s:a.x`"]


def test_a_scope_that_covers_itself_is_refused(repository: Repository) -> None:
    repository.append("scopes.yaml", "s:a.x: {title: T, description: D, covers: ['s:a.x']}\n")
    assert repository.said() == ["scopes.yaml:3 a scope covers itself: `s:a.x → s:a.x`"]


def test_the_schema_knows_that_scopes_go_by_name() -> None:
    assert json_schemas()["scopes.schema.json"]["type"] == "object"
