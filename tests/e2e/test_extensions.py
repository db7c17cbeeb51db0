"""What a client finds of extensions, through the whole of Remit."""

import httpx2
import pytest

from remit.demo.agent import connect
from remit.gateway.extensions import CLIENT_CREDENTIALS, ENTERPRISE_MANAGED
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.test_python_client import _as

pytestmark = pytest.mark.e2e


async def test_the_client_is_told_how_it_may_be_authorized(stage, dana):
    async with httpx2.AsyncClient(timeout=60) as http:
        metadata = (await http.get(f"{stage.url}/.well-known/oauth-authorization-server")).json()
    supported = {CLIENT_CREDENTIALS}
    if metadata.get("authorization_grant_profiles_supported"):
        supported.add(ENTERPRISE_MANAGED)
    assert "client_credentials" in metadata["grant_types_supported"]
    for server in ("crm", "payments"):
        async with connect(
            stage.server(server), redirect_uri=REDIRECT_URI, browse=_as(dana)
        ) as agent:
            offered = set(agent.client.server_capabilities.extensions or {})
            assert offered & {CLIENT_CREDENTIALS, ENTERPRISE_MANAGED} == supported
