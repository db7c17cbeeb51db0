"""Which adapter speaks to which server, and when it is a new one."""

import pytest

from remit.gateway.jsonrpc import Request
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream import Outgoing, Roster, Stdio, StreamableHttp
from remit.model import HttpUpstream, StdioUpstream
from remit.secrets import SecretNotFoundError
from tests.gateway.conftest import SERVERS
from tests.gateway.doubles import META, VERSION, server_of, until

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


class Stored:
    """Secrets that change while they are in use."""

    def __init__(self):
        self.values = {"stored:crm": "first-secret", "stored:other": "x"}
        self.version = 1

    def __call__(self, reference):
        if reference not in self.values:
            raise SecretNotFoundError("there is none")
        return self.values[reference]

    def put(self, reference, value):
        self.values[reference] = value
        self.version += 1


BY_SECRET = HttpUpstream(url="http://127.0.0.1:1/mcp", bearer_secret="stored:crm")


@pytest.fixture
async def stored():
    secrets = Stored()
    roster = Roster(secrets)
    yield secrets, roster
    await roster.close()


async def test_a_secret_that_changed_is_used_by_the_next_call(stored):
    secrets, roster = stored
    first = roster.of(server_of("a", BY_SECRET))
    secrets.put("stored:crm", "second-secret")
    second = roster.of(server_of("a", BY_SECRET))
    assert second is not first
    assert roster.of(server_of("a", BY_SECRET)) is second


async def test_a_secret_of_somebody_else_that_changed_changes_nothing(stored):
    secrets, roster = stored
    first = roster.of(server_of("a", BY_SECRET))
    secrets.put("stored:other", "y")
    assert roster.of(server_of("a", BY_SECRET)) is first


async def test_a_server_whose_secret_was_removed_is_called_no_more(stored):
    secrets, roster = stored
    roster.of(server_of("a", BY_SECRET))
    del secrets.values["stored:crm"]
    secrets.version += 1
    with pytest.raises(UpstreamError):
        roster.of(server_of("a", BY_SECRET))


async def test_a_process_with_an_old_secret_ends_when_nobody_waits_for_it(stored, tmp_path):
    secrets, roster = stored
    script = str(SERVERS / "odd.py")
    upstream = StdioUpstream(command=("python", script), environment={"K": "stored:crm"})
    outgoing = Outgoing(Request(1, "tools/call", {"name": "plain", "_meta": META}), VERSION)
    async with roster.of(server_of("b", upstream)).ask(outgoing) as reply:
        assert [one async for one in reply.messages]
    secrets.put("stored:crm", "second-secret")
    [old] = [one.adapter for one in roster._in_use.values()]
    async with roster.of(server_of("b", upstream)).ask(outgoing) as reply:
        assert [one async for one in reply.messages]
    await until(lambda: old._shared is None and not old._closing)
