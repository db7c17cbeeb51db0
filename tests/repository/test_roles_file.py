import pytest

from remit.model import AttributeRule, Role

from .conftest import Repository


def test_roles_have_scopes_and_attributes_give_roles(repository: Repository) -> None:
    repository.append(
        "roles.yaml",
        "attributes:\n  - when: {department: finance, title: Sales Manager}\n    roles: [support]\n",
    )
    catalog = repository.catalog()
    assert catalog.roles == {"support": Role(name="support", scopes=("crm:accounts.read",))}
    assert catalog.attribute_rules == (
        AttributeRule(
            attributes={"department": "finance", "title": "Sales Manager"}, roles=("support",)
        ),
    )


def test_without_the_file_nobody_has_a_role(repository: Repository) -> None:
    (repository.path / "roles.yaml").unlink()
    assert repository.catalog().roles == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("attributes: [{when: {}, roles: [support]}]\n", "roles.yaml:3 a mapping is out of bounds"),
        ("attributes: [{when: {a: b}, roles: []}]\n", "roles.yaml:3 a list is out of bounds"),
        ("attributes: [{when: {a: 1}, roles: [support]}]\n", "roles.yaml:3 `1` where text belongs"),
        (
            "attributes: [{when: {a: b}, roles: [suport]}]\n",
            "roles.yaml:3 unknown role `suport`; did you mean `support`?",
        ),
        ("attributes: [{roles: [support]}]\n", "roles.yaml:3 `when` is missing"),
    ],
)
def test_a_rule_that_would_hold_for_everybody_or_nobody_is_refused(
    repository: Repository, text: str, says: str
) -> None:
    repository.append("roles.yaml", text)
    assert repository.said() == [says]


def test_a_role_is_named_as_names_are(repository: Repository) -> None:
    repository.append("roles.yaml", "  Sales Manager: {scopes: []}\n")
    assert repository.said() == ["roles.yaml:3 `Sales Manager` is no name"]
