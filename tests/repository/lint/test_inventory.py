from remit.model import Operation, Sensitivity
from remit.repository.folder import read_files
from remit.repository.lint.inventory import Inventory, inventory_of
from remit.repository.loading import examine


def inventory(repository) -> Inventory:
    return inventory_of(examine(read_files(repository.path)).draft)


def test_everything_that_takes_grants_or_holds_scopes_is_there(tidy):
    tidy.append("servers/crm.yaml", "resources: {'crm://x': {scopes: [crm:notes.read], sensitivity: low}}\nprompts: {greet: {scopes: [crm:notes.read], sensitivity: high}}\n")  # fmt: skip
    tidy.append("remit.yaml", "unregistered: {scopes: [crm:notes.read], tenants: [acme]}\n")
    found = inventory(tidy)
    things = {(one.kind, one.name): one for one in found.things}
    assert set(things) >= {("resources", "crm://x"), ("prompts", "greet"), ("tools", "get")}
    assert things["resources", "crm://x"].operation is Operation.READ
    assert things["prompts", "greet"].is_high_risk
    assert not things["tools", "get"].is_high_risk
    assert things["tools", "drop"].is_high_risk
    assert [one.name for one in found.holders] == ["helper", "unregistered"]
    assert [one.max_sensitivity for one in found.holders] == [Sensitivity.MEDIUM, Sensitivity.LOW]


def test_what_has_mistakes_is_left_out_and_the_rest_is_there(tidy):
    tidy.append("servers/crm.yaml", "  odd: {operation: dance, scopes: [crm:notes.read], sensitivity: low}\n  none: 3\n")  # fmt: skip
    tidy.append("scopes.yaml", "crm:odd.read: 3\n").append("roles.yaml", "  odd: nobody\n")
    found = inventory(tidy)
    assert {one.name for one in found.things} == {"get", "put", "drop", "notes"}
    assert found.scopes["crm:odd.read"].scopes == ()
    assert {one.name: one.scopes for one in found.roles}["odd"] == ()


def test_an_empty_repository_has_an_empty_inventory(repository):
    for name in ("remit.yaml", "scopes.yaml", "roles.yaml", "servers/crm.yaml", "agents/helper.yaml"):  # fmt: skip
        (repository.path / name).unlink()
    found = inventory(repository)
    assert (found.scopes, found.things, found.roles, found.holders) == ({}, (), (), ())
