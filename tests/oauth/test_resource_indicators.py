"""Which one server a token is for."""

from dataclasses import replace

import pytest

from remit.oauth.errors import InvalidTargetError
from remit.oauth.resource_indicators import require_resource, require_same_resource, server_at

URL = "https://remit.example"
CRM = "https://remit.example/mcp/crm"


@pytest.fixture
def catalog(repository):
    return repository[0]


def find(catalog, *resources, agent="portal"):
    named = catalog.agents[agent]
    return require_resource(resources, named, catalog=catalog, public_url=URL).name


def test_a_resource_names_its_server(catalog):
    assert find(catalog, CRM) == "crm"


def test_scheme_and_host_may_be_in_upper_case(catalog):
    assert find(catalog, "HTTPS://Remit.EXAMPLE/mcp/crm") == "crm"


@pytest.mark.parametrize(
    "resource",
    [
        CRM + "/",
        CRM + "#x",
        CRM + "?x=1",
        CRM + "/../payments",
        "https://remit.example/mcp/CRM",
        "https://remit.example:443/mcp/crm",
        "https://remit.example/mcp/",
        "https://remit.example",
        "https://other.example/mcp/crm",
        "https://user@remit.example/mcp/crm",
        "http://remit.example/mcp/crm",
        "/mcp/crm",
        "crm",
        "urn:mcp:crm",
        "https://remit.example/mcp/c rm",
        "https://remit.example/mcp/unknown",
        "https://remit.example/mcp/crm%00",
        "",
    ],
)
def test_everything_else_is_an_invalid_target(catalog, resource):
    with pytest.raises(InvalidTargetError):
        find(catalog, resource)


def test_two_resources_are_one_too_many(catalog):
    with pytest.raises(InvalidTargetError):
        find(catalog, CRM, "https://remit.example/mcp/payments")


def test_the_same_resource_twice_is_refused_as_well(catalog):
    with pytest.raises(InvalidTargetError):
        find(catalog, CRM, CRM)


def test_without_a_resource_the_only_server_within_reach_is_meant(catalog):
    assert find(catalog, agent="billing-job") == "payments"


def test_without_a_resource_several_servers_within_reach_are_refused(catalog):
    with pytest.raises(InvalidTargetError):
        find(catalog)


def test_without_a_resource_an_agent_that_reaches_nothing_is_refused(catalog):
    nowhere = replace(catalog.agents["billing-job"], environments=())
    with pytest.raises(InvalidTargetError):
        require_resource((), nowhere, catalog=catalog, public_url=URL)


def test_a_token_request_may_name_the_granted_resource_or_none():
    require_same_resource((), CRM)
    require_same_resource((CRM,), CRM)
    require_same_resource(("HTTPS://REMIT.example/mcp/crm",), CRM)


@pytest.mark.parametrize(
    "resources",
    [("https://remit.example/mcp/payments",), (CRM + "/",), (CRM, "https://x.example/")],
)
def test_a_token_request_for_another_resource_is_refused(resources):
    with pytest.raises(InvalidTargetError):
        require_same_resource(resources, CRM)


def test_a_prefix_of_the_origin_is_not_the_origin(catalog):
    assert server_at("https://remit.example.evil/mcp/crm", catalog=catalog, public_url=URL) is None


OWN = "https://crm.example/mcp"


@pytest.fixture
def guarding_itself(catalog):
    crm = replace(catalog.servers["crm"], resource_identifier=OWN)
    return replace(catalog, servers={**catalog.servers, "crm": crm})


def test_a_server_that_guards_itself_is_named_by_its_own_url_and_by_nothing_else(guarding_itself):
    assert find(guarding_itself, OWN) == "crm"
    assert find(guarding_itself, "https://CRM.example/mcp") == "crm"
    for other in (CRM, OWN + "/", OWN + "/x", "https://crm.example"):
        with pytest.raises(InvalidTargetError):
            find(guarding_itself, other)


def test_a_server_cannot_take_the_name_of_another_at_the_gateway(catalog):
    thief = replace(catalog.servers["payments"], resource_identifier=CRM)
    taken = replace(catalog, servers={"payments": thief, **catalog.servers} | {"payments": thief})
    assert find(taken, CRM) == "crm"
    assert find(taken, "https://remit.example/mcp/payments") == "payments"
