from dataclasses import FrozenInstanceError

import pytest

from remit.model import Tenant

from .conftest import Repository


def test_a_catalog_holds_everything_by_name(repository: Repository) -> None:
    catalog = repository.catalog()
    assert catalog.tenants["acme"] == Tenant(id="acme", name="Acme", time_zone="America/New_York")
    assert catalog.environments == ("dev", "prod")
    assert (list(catalog.servers), list(catalog.agents), list(catalog.roles)) == (
        ["crm"],
        ["helper"],
        ["support"],
    )
    assert catalog.servers["crm"].scopes == ("crm:accounts.read",)


def test_a_catalog_cannot_be_changed(repository: Repository) -> None:
    catalog = repository.catalog()
    with pytest.raises(TypeError):
        catalog.servers["x"] = catalog.servers["crm"]  # type: ignore[index]
    with pytest.raises(TypeError):
        catalog.servers["crm"].tools["x"] = catalog.servers["crm"].tools["get"]  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        catalog.version = "x"  # type: ignore[misc]


def test_the_version_names_the_content(repository: Repository) -> None:
    first = repository.catalog().version
    assert len(first) == 64
    assert repository.catalog().version == first
    assert (
        repository.append("scopes.yaml", "# a comment counts, for it is reviewed\n")
        .catalog()
        .version
        != first
    )
