from typing import get_args

from remit.oauth.client import GrantType
from remit.repository.grant_types import GrantTypeName, grant_type_values, short_grant_type


def test_every_way_to_write_a_grant_type_is_one_that_the_authorization_server_knows() -> None:
    written = get_args(GrantTypeName)
    assert set(grant_type_values(written)) == {grant.value for grant in GrantType}


def test_a_grant_type_written_in_two_ways_is_one() -> None:
    urn = "urn:ietf:params:oauth:grant-type:token-exchange"
    assert grant_type_values(["token_exchange", urn, "refresh_token"]) == (urn, "refresh_token")
    assert {short_grant_type(urn), short_grant_type("token_exchange")} == {"token_exchange"}
