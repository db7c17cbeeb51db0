import asyncio
from dataclasses import replace
from email.utils import formatdate

import pytest

from remit.cli.checkup import Level
from remit.cli.checkup.catalog import examine_agents, examine_secrets, examine_servers
from remit.clock import SystemClock
from remit.ids import ServerName
from remit.model import AgentClients, HttpUpstream, StdioUpstream
from remit.repository import load_repository
from remit.secrets import SecretNotFoundError

STRONG = "M2fQm7pXw0kq9sVt4yZa8bCd"


@pytest.fixture
def catalog(cli, folder):
    return load_repository(folder / "policy").catalog


def with_upstream(catalog, upstream):
    server = replace(catalog.servers[ServerName("crm")], upstream=upstream)
    return replace(catalog, servers={server.name: server})


def reach(catalog, clock=None) -> list:
    return asyncio.run(examine_servers(catalog, clock or SystemClock()))


def test_an_agent_without_owner_is_unsafe_and_one_without_clients_is_a_note(catalog):
    assert {one.level for one in examine_agents(catalog)} == {Level.FINE}
    agent = replace(next(iter(catalog.agents.values())), owner=" ", clients=AgentClients())
    found = list(examine_agents(replace(catalog, agents={agent.id: agent})))
    assert [one.level for one in found] == [Level.UNSAFE, Level.NOTE]


def test_secrets_are_there_private_and_hard_to_guess(catalog):
    found = list(examine_secrets(catalog, lambda _: STRONG, server_runs=False))
    assert [one.level for one in found] == [Level.FINE]
    for weak in ("changeme", "short"):
        found = list(examine_secrets(catalog, lambda _, weak=weak: weak, server_runs=False))
        assert {one.level for one in found} == {Level.UNSAFE}
        assert all(weak not in one.text + one.mend for one in found)


def test_a_missing_secret_is_down_unless_a_server_may_have_it(catalog):
    def missing(reference: str) -> str:
        raise SecretNotFoundError("the environment variable `X` is not set")

    for runs, level in ((False, Level.DOWN), (True, Level.NOTE)):
        found = list(examine_secrets(catalog, missing, server_runs=runs))
        assert {one.level for one in found} == {level}


def test_a_secret_file_that_others_may_read_is_unsafe(catalog, tmp_path):
    path = tmp_path / "token"
    path.write_text(STRONG)
    path.chmod(0o644)
    upstream = HttpUpstream(url="http://127.0.0.1:1/mcp", bearer_secret=f"file:{path}")
    found = with_upstream(catalog, upstream)
    levels = [one.level for one in examine_secrets(found, lambda _: STRONG, server_runs=False)]
    assert Level.UNSAFE in levels
    path.chmod(0o600)
    levels = [one.level for one in examine_secrets(found, lambda _: STRONG, server_runs=False)]
    assert levels == [Level.FINE]


@pytest.mark.parametrize(
    ("command", "place", "level"),
    [
        (("python", "-m", "x"), None, Level.FINE),
        (("sh",), None, Level.FINE),
        (("no-such-command",), None, Level.DOWN),
        (("sh",), "/no/such/folder", Level.DOWN),
    ],
)
def test_a_command_must_be_there(catalog, command, place, level):
    upstream = StdioUpstream(command=command, working_directory=place)
    assert [one.level for one in reach(with_upstream(catalog, upstream))] == [level]


def test_a_server_that_does_not_answer_is_down(catalog):
    (finding,) = reach(with_upstream(catalog, HttpUpstream(url="http://127.0.0.1:1/mcp")))
    assert finding.level is Level.DOWN
    assert "does not answer" in finding.text


def test_our_credential_over_plain_http_is_unsafe(catalog):
    upstream = HttpUpstream(url="http://192.0.2.1:1/mcp", bearer_secret="env:X")
    assert "plain http" in " ".join(one.text for one in reach(with_upstream(catalog, upstream)))


@pytest.mark.parametrize(("behind", "level"), [(0, Level.FINE), (3600, Level.UNSAFE)])
def test_a_server_whose_clock_is_another_is_unsafe(catalog, behind, level):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        date = formatdate(SystemClock().now() - behind, usegmt=True)
        writer.write(f"HTTP/1.1 401 No\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async def run():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            upstream = HttpUpstream(url=f"http://127.0.0.1:{port}/mcp")
            return await examine_servers(with_upstream(catalog, upstream), SystemClock())

    (finding,) = asyncio.run(run())
    assert finding.level is level


def test_a_stored_secret_is_looked_for_by_its_name(catalog):
    crm = catalog.servers["crm"]
    upstream = replace(crm.upstream, bearer_secret="stored:crm")
    servers = {**catalog.servers, "crm": replace(crm, upstream=upstream)}
    found = replace(catalog, servers=servers)

    def said(stored):
        looked = examine_secrets(found, lambda _: STRONG, server_runs=True, stored=stored)
        return [(one.level, one.mend) for one in looked if "stored" in one.text]

    assert said({"crm"}) == []
    assert said({"other"}) == [(Level.DOWN, "remit secrets set crm")]
    assert said(None) == [(Level.NOTE, "start remit serve, or see that the database answers")]
