from dataclasses import replace

import pytest

from remit.testing.catalog import small_catalog
from remit.tokens import audience_of, jti_digest, resource_of


@pytest.mark.parametrize("url", ["https://remit.example", "https://remit.example/"])
def test_the_audience_is_the_url_of_the_server_without_a_trailing_slash(url):
    assert audience_of(url, "crm") == "https://remit.example/mcp/crm"


def test_servers_have_different_audiences():
    assert audience_of("https://a", "crm") != audience_of("https://a", "crm2")


def test_a_jti_is_matched_by_its_digest_and_not_shown_by_it():
    assert jti_digest("jti_1") == jti_digest("jti_1")
    assert jti_digest("jti_1") != jti_digest("jti_2")
    assert "jti_1" not in jti_digest("jti_1")


def test_a_server_that_guards_itself_has_an_identifier_of_its_own():
    crm = small_catalog().servers["crm"]
    assert resource_of("https://a", crm) == "https://a/mcp/crm"
    own = replace(crm, resource_identifier="https://crm.example/mcp")
    assert resource_of("https://a", own) == "https://crm.example/mcp"


@pytest.mark.parametrize(
    "taken", ["https://a/mcp/payments", "https://a/api/v1", "https://a/mcp/crm"]
)
def test_no_server_goes_by_an_address_of_remits_own(taken):
    """Else its guard would take the tokens of another server, and it might ask about them."""
    crm = replace(small_catalog().servers["crm"], resource_identifier=taken)
    assert resource_of("https://a", crm) == "https://a/mcp/crm"
