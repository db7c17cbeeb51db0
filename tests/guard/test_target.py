import pytest

from remit.guard.target import find_target, targets_of
from remit.model import Operation
from remit.policy import ResourceKind
from remit.testing.catalog import CRM


@pytest.fixture
def crm(world):
    return world.directory.catalog.servers[CRM]


def test_a_tool_brings_what_deciding_about_it_takes(crm):
    target = find_target(crm, ResourceKind.TOOL, "update_account")
    assert target.facts.operation is Operation.WRITE
    assert target.facts.owner == "sales"
    assert target.facts.data_categories == ("contact",)
    assert target.known_arguments is None


def test_a_uri_is_found_under_the_name_of_its_template(crm):
    target = find_target(crm, ResourceKind.RESOURCE, "crm://accounts/7")
    assert target.facts.name == "crm://accounts/{id}"
    assert target.known_arguments is None


def test_the_arguments_of_an_exact_resource_are_known_beforehand(crm):
    target = find_target(crm, ResourceKind.RESOURCE, "crm://schema")
    assert target.known_arguments == {"uri": "crm://schema"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (ResourceKind.TOOL, "summary"),
        (ResourceKind.PROMPT, "get_account"),
        (ResourceKind.RESOURCE, "get_account"),
        (ResourceKind.SERVER, "crm"),
        (ResourceKind.TOOL, None),
        (None, "get_account"),
    ],
)
def test_what_is_not_there_under_that_kind_is_not_found(crm, kind, name):
    assert find_target(crm, kind, name) is None


def test_everything_of_a_server_is_gone_through_once(crm):
    names = [(target.facts.kind, target.facts.name) for target in targets_of(crm, None)]
    assert len(names) == len(set(names)) == 7
    assert all(
        kind is ResourceKind.PROMPT
        for kind, _ in [
            (target.facts.kind, target.facts.name)
            for target in targets_of(crm, ResourceKind.PROMPT)
        ]
    )
