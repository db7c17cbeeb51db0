"""A strict OAuth client that knows nothing of MCP or of us."""

import pytest

from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.peer import node_peer

pytestmark = [pytest.mark.e2e, pytest.mark.node]


async def test_a_strict_client_walks_code_refresh_and_revocation(stage, dana):
    arguments = (stage.url, stage.server("crm"), REDIRECT_URI, "crm:accounts.read")
    async with node_peer("oauth4webapi.mjs", *arguments) as peer:
        answer = await peer.authorize(dana, REDIRECT_URI)
        assert "error" not in answer
        assert answer["tokens"]["token_type"].casefold() == "bearer"
        assert answer["tokens"]["scope"] == "crm:accounts.read"
        assert answer["refreshed"]["refresh_token"] != answer["tokens"]["refresh_token"]
