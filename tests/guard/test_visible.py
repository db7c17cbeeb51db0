import pytest

from remit.guard.visible import Visible
from remit.policy import ResourceKind

RESOURCE = ResourceKind.RESOURCE


@pytest.fixture
async def visible(world):
    return await world.guard.visible(world.list(kind=None))


def test_a_listed_name_is_admitted_and_another_is_not(visible):
    assert visible.admits(ResourceKind.TOOL, "get_account")
    assert not visible.admits(ResourceKind.TOOL, "summary")
    assert not visible.admits(ResourceKind.TOOL, "get_accounts")


def test_a_uri_is_admitted_by_its_template_and_a_template_by_itself(visible):
    assert visible.admits(RESOURCE, "crm://accounts/{id}")
    assert visible.admits(RESOURCE, "crm://accounts/7")
    assert visible.admits(RESOURCE, "crm://schema")


@pytest.mark.parametrize("uri", ["crm://accounts/..", "crm://accounts/a/b", "crm://other", ""])
def test_a_uri_that_the_catalog_does_not_know_is_not_admitted(visible, uri):
    assert not visible.admits(RESOURCE, uri)


def test_a_uri_of_a_hidden_template_is_not_admitted(world, visible):
    hidden = Visible(
        decision_id="d",
        token=visible.token,
        names={RESOURCE: frozenset({"crm://schema"})},
        resources=visible.resources,
    )
    assert not hidden.admits(RESOURCE, "crm://accounts/7")
    assert hidden.admits(RESOURCE, "crm://schema")


def test_a_kind_that_was_not_asked_for_admits_nothing(visible):
    empty = Visible(decision_id="d", token=visible.token, names={})
    assert not empty.admits(ResourceKind.TOOL, "get_account")
