import asyncio
import contextlib
import json
import socket

import pytest

from remit.app.data_folder import open_data_folder
from remit.canonical import MAX_VALUES
from remit.cli.connection import (
    ManagementRefusedError,
    NotReachableError,
    ask_running,
    data_folder,
)
from remit.cli.exits import ExitCode
from remit.cli.options import Where


def test_the_data_folder_is_the_flag_then_the_variable_then_the_file(tmp_path, monkeypatch):
    config = tmp_path / "remit.yaml"
    config.write_text("data: state\n")
    monkeypatch.delenv("REMIT_DATA", raising=False)
    monkeypatch.delenv("REMIT_CONFIG", raising=False)
    assert str(data_folder(Where())) == "data"
    assert data_folder(Where(config=config)) == tmp_path / "state"
    monkeypatch.setenv("REMIT_CONFIG", str(config))
    assert data_folder(Where()) == tmp_path / "state"
    monkeypatch.setenv("REMIT_DATA", "elsewhere")
    assert str(data_folder(Where())) == "elsewhere"
    assert data_folder(Where(data=tmp_path)) == tmp_path


def test_a_socket_nobody_listens_on_is_no_server(cli, folder):
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(folder / "data" / "remit.sock"))
    assert cli("users", "list").code == 0


@pytest.mark.parametrize(
    "command",
    ["users list", "users disable dana", "agents list", "agents suspend x", "clients list",
     "grants list", "audit tail", "status", "reload"],
)  # fmt: skip
def test_a_slip_in_the_data_folders_name_makes_nothing(cli, folder, command):
    done = cli(*command.split(), "--data", "dta")
    assert done.code == ExitCode.UNAVAILABLE
    assert "there is no Remit in `dta`" in done.err
    assert "--data" in done.err
    assert not (folder / "dta").exists()


def test_an_empty_folder_is_no_installation_either(cli, folder):
    (folder / "dta").mkdir()
    assert cli("users", "list", "--data", "dta").code == ExitCode.UNAVAILABLE
    assert list((folder / "dta").iterdir()) == []


def test_an_installation_may_begin_with_its_first_person(cli, folder):
    arguments = ("--tenant", "acme", "--password-stdin", "--data", "new")
    done = cli("users", "add", "dana", *arguments, stdin="correct horse battery staple\n")
    assert done.code == 0, done.err
    assert "dana" in cli("users", "list", "--data", "new").out


def test_a_lock_that_another_process_holds_is_told(cli, folder):
    with open_data_folder(folder / "data"):
        done = cli("users", "list")
    assert done.code == ExitCode.UNAVAILABLE
    assert "in use by process" in done.err


def answering(path, answer: bytes, question):
    """Ask `question` of something on a socket that answers every request with `answer`."""

    async def serve(reader, writer):
        # Whoever only looks whether somebody listens sends nothing.
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def run():
        server = await asyncio.start_unix_server(serve, str(path / "remit.sock"))
        async with server:
            return await asyncio.to_thread(ask_running, Where(data=path), question)

    return asyncio.run(run())


def status(management):
    return management.call("status")


def response(status_line: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status_line}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_what_answers_but_is_not_remit_is_told(tmp_path):
    with pytest.raises(NotReachableError, match="is not remit"):
        answering(tmp_path, response("200 OK", b"[]"), status)


def test_a_server_that_goes_away_is_told(tmp_path):
    with pytest.raises(NotReachableError, match="went away"):
        answering(tmp_path, b"", status)


def test_a_refusal_is_told_in_its_own_words(tmp_path):
    problem = {"code": "conflict", "detail": "done already", "problems": ["a:1:1: x"]}
    with pytest.raises(ManagementRefusedError, match="done already") as caught:
        answering(tmp_path, response("409 Conflict", json.dumps(problem).encode()), status)
    assert caught.value.reason == "conflict"
    assert caught.value.problems == ("a:1:1: x",)


def test_a_refusal_in_no_words_is_told_by_its_status(tmp_path):
    with pytest.raises(ManagementRefusedError, match="remit answered 500"):
        answering(tmp_path, response("500 Oops", b"<html>"), status)


def test_a_list_is_read_however_long_it_is(tmp_path):
    people = [{"name": "a", "roles": ["b"]}] * MAX_VALUES
    answer = response("200 OK", json.dumps({"people": people}).encode())
    assert answering(tmp_path, answer, status) == {"people": people}
