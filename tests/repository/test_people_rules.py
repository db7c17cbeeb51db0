import pytest

from .conftest import Repository

ONE = """\
providers:
  one:
    title: One
    client_id: remit
"""


def test_a_person_always_has_a_tenant(repository: Repository) -> None:
    repository.write("people.yaml", ONE + "    issuer: https://a.example\n")
    assert repository.said() == ["people.yaml:2 nobody who logs in here would be of a tenant"]
    repository.append("people.yaml", "    rules: [{claims: {hd: acme.example}, tenant: acme}]\n")
    assert repository.said() == []


def test_an_issuer_is_that_of_one_provider(repository: Repository) -> None:
    repository.write(
        "people.yaml",
        ONE
        + "    issuer: https://a.example\n    tenant: acme\n"
        + "  two: {title: Two, client_id: x, issuer: 'https://a.example', tenant: globex}\n",
    )
    assert repository.said() == [
        "people.yaml:7 the issuer `https://a.example` is that of `one` too"
    ]


@pytest.mark.parametrize(
    ("directory", "admitted"),
    [
        ("common", False),
        ("organizations", False),
        ("consumers", False),
        ("6f8e0b0e-0000-4000-8000-000000000000", True),
    ],
)
def test_an_issuer_of_all_directories_issues_nothing(
    repository: Repository, directory: str, *, admitted: bool
) -> None:
    issuer = f"https://login.microsoftonline.com/{directory}/v2.0"
    repository.write("people.yaml", ONE + f"    issuer: {issuer}\n    tenant: acme\n")
    found = [] if admitted else [f"people.yaml:5 `{issuer}` is the issuer of no token"]
    assert repository.said() == found


def test_not_everybody_in_the_world_is_of_a_tenant(repository: Repository) -> None:
    repository.write(
        "people.yaml", ONE + "    issuer: https://accounts.google.com\n    tenant: acme\n"
    )
    assert repository.said() == [
        "people.yaml:6 everybody with an account at `https://accounts.google.com` would be of this tenant"
    ]


@pytest.mark.parametrize(
    "terms",
    [
        "    rules: [{claims: {hd: acme.example}, tenant: acme}]\n",
        "    tenant: acme\n    provision: false\n",
    ],
)
def test_some_of_the_world_may_be(repository: Repository, terms: str) -> None:
    repository.write("people.yaml", ONE + "    issuer: https://accounts.google.com\n" + terms)
    assert repository.said() == []
