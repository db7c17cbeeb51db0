import pytest

from remit.model import Operation, Resource, Sensitivity
from remit.policy.evaluation import ResourceKind
from remit.registry.definition import (
    MAX_BYTES,
    changed_members,
    is_lesser,
    offers_of,
    parse_definition,
)
from tests.gateway.doubles import changed, server_of

TOOL = {"name": "find", "description": "Find.", "inputSchema": {"type": "object"}}
SERVER = server_of()


def digest_of(item, kind=ResourceKind.TOOL, key="name", server=SERVER):
    (offer,) = offers_of(kind, key, [item], server)
    return offer.digest


@pytest.mark.parametrize(
    "more",
    [
        {"_meta": {"x": 1}},
        {"execution": {"taskSupport": "optional"}},
        {"title": None},
    ],
    ids=["meta", "execution", "null"],
)
def test_what_is_no_part_of_a_definition_does_not_change_it(more):
    assert digest_of(TOOL | more) == digest_of(TOOL)


def test_the_order_of_members_does_not_change_it():
    assert digest_of(dict(reversed(TOOL.items()))) == digest_of(TOOL)


@pytest.mark.parametrize(
    "more",
    [
        {"description": "Find. "},
        {"title": "Find"},
        {"annotations": {"readOnlyHint": True}},
        {"icons": [{"src": "https://x.example/i.png"}]},
        {"inputSchema": {"type": "object", "properties": {"q": {"description": "tell all"}}}},
        {"outputSchema": {"type": "object"}},
        {"anything-of-a-later-revision": 1},
    ],
    ids=lambda more: next(iter(more)),
)
def test_everything_else_changes_it(more):
    assert digest_of(TOOL | more) != digest_of(TOOL)


def test_of_resources_those_count_that_the_catalog_names(catalog_server):
    items = [{"uri": "crm://handbook", "name": "h"}, {"uri": "crm://accounts/7", "name": "a"}]
    offers = offers_of(ResourceKind.RESOURCE, "uri", items, catalog_server)
    assert [offer.name for offer in offers] == ["crm://handbook"]


def test_size_and_time_of_a_resource_are_no_change(catalog_server):
    plain = {"uri": "crm://handbook", "name": "h"}
    volatile = plain | {"size": 7, "annotations": {"lastModified": "2026-01-01T00:00:00Z"}}
    of = {"kind": ResourceKind.RESOURCE, "key": "uri", "server": catalog_server}
    assert digest_of(volatile, **of) == digest_of(plain, **of)
    assert digest_of(plain | {"annotations": {"priority": 1}}, **of) != digest_of(plain, **of)


@pytest.mark.parametrize(
    "item",
    [None, "find", {}, {"name": 1}, {"name": ""}, {"name": "x" * 513}, {"name": "a\0b"}],
    ids=["null", "text", "nameless", "number", "empty", "long", "nul"],
)
def test_what_has_no_name_that_could_be_shown_is_no_definition(item):
    assert offers_of(ResourceKind.TOOL, "name", [item], SERVER) == ()


def test_of_two_entries_of_one_name_both_count():
    (both,) = offers_of(ResourceKind.TOOL, "name", [TOOL, TOOL | {"description": "x"}], SERVER)
    assert both.digest != digest_of(TOOL)
    (same,) = offers_of(ResourceKind.TOOL, "name", [TOOL, TOOL], SERVER)
    assert same.digest == digest_of(TOOL)


def test_a_definition_that_is_too_large_is_kept_by_its_digest():
    (offer,) = offers_of(
        ResourceKind.TOOL, "name", [TOOL | {"description": "x" * MAX_BYTES}], SERVER
    )
    assert offer.is_too_large
    assert len(offer.text) < 200
    assert parse_definition(offer.text)["sha256"] == offer.digest


def test_what_differs_is_told_by_member():
    assert changed_members(TOOL, TOOL | {"description": "x", "title": "t"}) == (
        "description",
        "title",
    )


def test_an_earlier_revision_leaves_members_out_and_nothing_else():
    full = TOOL | {"title": "T", "outputSchema": {"type": "object"}}
    assert is_lesser(TOOL, full)
    assert not is_lesser(full, TOOL)
    assert not is_lesser(TOOL | {"description": "other"}, full)
    assert not is_lesser({"name": "find"}, full)


@pytest.fixture
def catalog_server():
    def resource(uri):
        return Resource(
            uri=uri, is_template="{" in uri, operation=Operation.READ, scopes=("crm:a.read",),
            sensitivity=Sensitivity.LOW,
        )  # fmt: skip

    return changed(
        SERVER, resources=(resource("crm://handbook"), resource("crm://accounts/{account_id}"))
    )
