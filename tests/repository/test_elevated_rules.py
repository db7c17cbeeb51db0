import pytest

from .conftest import Repository

HIGH = "crm:accounts.erase: {title: E, description: D, elevated: true}\n"


@pytest.fixture
def elevating(repository: Repository) -> Repository:
    return repository.append("scopes.yaml", HIGH)


def test_an_elevated_scope_that_only_policies_ask_for_is_fine(elevating: Repository) -> None:
    assert elevating.said() == []
    scopes = elevating.catalog().scopes
    assert scopes["crm:accounts.erase"].elevated
    assert not scopes["crm:accounts.read"].elevated


def test_an_ordinary_scope_that_covers_one_is_refused(elevating: Repository) -> None:
    elevating.append(
        "scopes.yaml", "crm:all.do: {title: A, description: D, covers: [crm:accounts.erase]}\n"
    )
    assert elevating.said() == [
        "scopes.yaml:4 `crm:all.do` would be the elevated scope `crm:accounts.erase` by another name"
    ]
    assert [one.code for one in elevating.problems()] == ["elevated-scope"]


def test_so_is_one_that_covers_it_at_the_end_of_a_chain(elevating: Repository) -> None:
    elevating.append(
        "scopes.yaml",
        "crm:some.do: {title: S, description: D, elevated: true, covers: [crm:accounts.erase]}\n"
        "crm:all.do: {title: A, description: D, covers: [crm:some.do]}\n",
    )
    (said,) = elevating.said()
    assert said.startswith("scopes.yaml:5 `crm:all.do`")


def test_elevated_scopes_may_cover_one_another_and_ordinary_ones(elevating: Repository) -> None:
    elevating.append(
        "scopes.yaml",
        "crm:all.do: {title: A, description: D, elevated: true,"
        " covers: [crm:accounts.erase, crm:accounts.read]}\n",
    )
    assert elevating.said() == []


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        ("servers/crm.yaml", "scopes: [crm:accounts.read]", "scopes: [crm:accounts.erase]", 9),
        (
            "servers/crm.yaml",
            "shared: true",
            "shared: true\nbaseline_scopes: [crm:accounts.erase]",
            4,
        ),
        (
            "remit.yaml",
            "version: 1",
            "version: 1\nissuer: {default_scopes: [crm:accounts.erase]}",
            2,
        ),
    ],
    ids=["a tool", "a baseline", "a default"],
)
def test_nothing_asks_every_token_for_one(
    elevating: Repository, name: str, old: str, new: str, line: int
) -> None:
    elevating.edit(name, old, new)
    words = "no token says the elevated scope `crm:accounts.erase`"
    assert f"{name}:{line} {words}" in elevating.said()


def test_what_is_no_yes_or_no_is_one_mistake(repository: Repository) -> None:
    repository.append("scopes.yaml", "crm:a.b: {title: E, description: D, elevated: sometimes}\n")
    (said,) = repository.said()
    assert said.startswith("scopes.yaml:3 ")
