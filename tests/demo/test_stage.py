import json
import socket

import httpx2
import pytest

from remit.demo.stage import Stage, StageError, free_port, set_up

pytestmark = pytest.mark.e2e


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


async def test_everything_runs_and_can_be_asked(told):
    stage = told.stage
    users = json.loads(await stage.remit("users", "list", "--json"))
    assert stage.username in {one["username"] for one in users}
    async with httpx2.AsyncClient(timeout=30) as http:
        assert (await http.get(f"{stage.url}/readyz")).status_code == 200
    assert (stage.data.stat().st_mode & 0o777) == 0o700
    assert stage.server("crm") == f"{stage.url}/mcp/crm"


async def test_a_command_that_fails_is_told_with_its_words(tmp_path):
    stage = Stage(folder=tmp_path, url="", username="", password="", ready_seconds=0)
    with pytest.raises(StageError, match="`remit agents show nobody` did not start") as failed:
        await stage.remit("agents", "show", "nobody")
    assert "Traceback" not in str(failed.value)


async def test_a_remit_that_does_not_start_says_why_and_leaves_nothing_running(
    tmp_path, monkeypatch
):
    # `data` is in the way of the data folder.
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StageError, match="remit did not start") as failed:
        async with set_up(tmp_path):
            raise AssertionError("it started")
    assert "data" in str(failed.value)
    assert "Traceback" not in str(failed.value)
    (port,) = {
        line.rsplit(":", 1)[1].split("/")[0]
        for line in (tmp_path / "policy/servers/crm.yaml").read_text().splitlines()
        if "url: http" in line
    }
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()
