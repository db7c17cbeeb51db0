"""Which adapter speaks to which server, and when it is a new one."""

import pytest

from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream import Roster, Stdio, StreamableHttp
from remit.model import HttpUpstream, StdioUpstream
from tests.gateway.doubles import server_of

HTTP = HttpUpstream(url="http://127.0.0.1:1/mcp")
STDIO = StdioUpstream(command=("python",), environment={"A": "plain", "B": "env:SECRET"})


def read(reference):
    if reference == "env:SECRET":
        return "s"
    raise ValueError(reference)


@pytest.fixture
async def roster():
    roster = Roster(read)
    yield roster
    await roster.close()


async def test_each_kind_of_server_has_its_adapter(roster):
    assert isinstance(roster.of(server_of("a", HTTP)).behind, StreamableHttp)
    assert isinstance(roster.of(server_of("b", STDIO)).behind, Stdio)


async def test_an_adapter_is_kept_while_the_catalog_says_the_same(roster):
    first = roster.of(server_of("a", HTTP))
    assert roster.of(server_of("a", HttpUpstream(url="http://127.0.0.1:1/mcp"))) is first
    assert roster.of(server_of("b", HTTP)) is not first


async def test_a_changed_server_has_a_new_one(roster):
    first = roster.of(server_of("a", HTTP))
    assert roster.of(server_of("a", HttpUpstream(url="http://127.0.0.1:2/mcp"))) is not first


async def test_references_to_secrets_are_resolved_and_other_values_kept(roster):
    assert roster.of(server_of("b", STDIO)).behind._launch.environment == {"A": "plain", "B": "s"}


async def test_a_secret_that_cannot_be_read_is_a_failure_that_does_not_name_it(roster):
    upstream = HttpUpstream(url="http://127.0.0.1:1/mcp", bearer_secret="env:OTHER")
    with pytest.raises(UpstreamError) as caught:
        roster.of(server_of("a", upstream))
    assert "OTHER" not in caught.value.detail
