"""A child process with bad habits, and what its callers learn of them."""

import asyncio
import logging
import os
import re

import anyio
import pytest

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.upstream import Outgoing, Stdio
from remit.gateway.upstream.child import Launch
from remit.gateway.upstream.credentials import Credentials
from remit.gateway.upstream.port import Limits
from tests.gateway.conftest import SERVERS
from tests.gateway.doubles import META, VERSION, until


def launch(script="odd.py", **more):
    return Launch(name="odd", command=("python", str(SERVERS / script)), **more)


def call(tool, *, caller_id="c1", token=None, method="tools/call"):
    meta = META if token is None else {**META, "progressToken": token}
    return Outgoing(Request(caller_id, method, {"name": tool, "_meta": meta}), VERSION)


async def ask(server, outgoing):
    async with server.ask(outgoing) as reply:
        return [message async for message in reply.messages]


@pytest.fixture
async def server():
    server = Stdio(launch(line_bytes=100_000), limits=Limits(seconds=10))
    yield server
    await server.close()


async def test_an_answer_comes_back_under_the_callers_own_id(server):
    [response] = await ask(server, call("plain", caller_id="c1"))
    assert response.id == "c1"
    assert response.result["you"] != "c1"


async def test_a_banner_on_standard_output_is_no_message(server, caplog):
    await ask(server, call("plain"))
    assert "no message" in caplog.text


async def test_what_belongs_to_no_request_in_flight_reaches_nobody(server):
    messages = await ask(server, call("foreign"))
    assert [type(message) for message in messages] == [Response]
    assert messages[0].result["content"] == []


async def test_progress_comes_back_under_the_callers_own_token(server):
    progress, response = await ask(server, call("token", token="mine"))
    assert progress == Notification(
        "notifications/progress", {"progressToken": "mine", "progress": 1}
    )
    assert response.id == "c1"


async def test_callers_with_one_id_and_one_token_are_told_apart(server):
    answers = await asyncio.gather(
        *(ask(server, call("token", caller_id=1, token=1)) for _ in range(20))
    )
    assert all([type(m) for m in messages] == [Notification, Response] for messages in answers)
    assert len({messages[1].result["you"] for messages in answers}) == 20


@pytest.mark.parametrize("tool", ["broken", "exit", "long"])
async def test_a_server_that_breaks_fails_the_call_in_flight(server, tool):
    with pytest.raises(UpstreamError):
        await ask(server, call(tool))


async def test_an_unreadable_line_fails_the_call_it_names_and_no_other(server):
    waiting = asyncio.create_task(ask(server, call("slow")))
    with pytest.raises(UpstreamError, match="malformed"):
        await ask(server, call("broken"))
    assert [response.id for response in await waiting] == ["c1"]


async def test_an_unreadable_line_that_names_no_call_is_dropped(server, caplog):
    [response] = await ask(server, call("garbled"))
    assert response.id == "c1"
    assert "cannot be read" in caplog.text


async def test_a_caller_cannot_answer_the_next_callers_request(server):
    waiting = asyncio.create_task(ask(server, call("silent")))
    first = await ask(server, call("plain"))
    [forged] = await ask(server, call("forge", caller_id="c2"))
    assert forged.id == "c2"
    assert first[0].result["you"] + 1 != forged.result["you"]
    assert not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])


@pytest.mark.parametrize("tool", ["echo", "echo escaped", "echo in a key"])
async def test_the_servers_own_secret_does_not_come_down(tool, caplog):
    environment = {"KEY": "secret-value-123", "PLACE": "production"}
    credentials = Credentials(("secret-value-123",))
    server = Stdio(
        launch(environment=environment, credentials=credentials), limits=Limits(seconds=10)
    )
    with pytest.raises(UpstreamError, match="withheld"):
        await ask(server, call(tool))
    [response] = await ask(server, call("echo place"))
    assert response.result["content"] == ["production"]
    assert "withheld" in caplog.text
    assert "secret-value-123" not in caplog.text
    await server.close()


async def test_a_crash_fails_every_call_in_flight_at_once(server):
    waiting = [asyncio.create_task(ask(server, call("silent"))) for _ in range(3)]
    with anyio.fail_after(60):  # the calls themselves would take ten minutes
        with pytest.raises(UpstreamError):
            await ask(server, call("exit"))
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, UpstreamError) for result in results)


async def test_after_a_crash_the_server_is_started_again_but_not_at_once(server):
    with pytest.raises(UpstreamError):
        await ask(server, call("exit"))
    with pytest.raises(UpstreamError, match="about to be started again"):
        await ask(server, call("plain"))
    with anyio.fail_after(10):
        while True:
            try:
                [response] = await ask(server, call("plain"))
            except UpstreamError:
                await asyncio.sleep(0.05)
            else:
                break
    assert response.id == "c1"


async def test_silence_is_a_failure_in_time():
    server = Stdio(launch(), limits=Limits(seconds=1))
    try:
        with pytest.raises(UpstreamError) as caught:
            await ask(server, call("silent"))
        assert caught.value.timed_out
    finally:
        await server.close()


async def test_a_caller_who_leaves_has_the_call_cancelled_under_its_number(server, caplog):
    caplog.set_level(logging.INFO)
    await ask(server, call("plain"))
    leaving = asyncio.create_task(ask(server, call("silent")))
    await ask(server, call("plain"))
    leaving.cancel()
    await asyncio.wait([leaving])
    await until(lambda: "notified notifications/cancelled" in caplog.text)
    assert re.search(r'"requestId": [1-9][0-9]{6,}', caplog.text)


async def test_a_program_that_is_not_there_is_a_failure_without_its_path():
    server = Stdio(Launch(name="none", command=("/nowhere/server",)))
    with pytest.raises(UpstreamError) as caught:
        await ask(server, call("plain"))
    assert "nowhere" not in caught.value.detail
    await server.close()


async def test_a_server_that_knows_only_sessions_is_told_apart_and_remembered(server):
    legacy = Stdio(launch("legacy_only.py"), limits=Limits(seconds=10))
    for _ in range(2):
        with pytest.raises(RejectedError) as caught:
            await ask(legacy, call("plain"))
        assert caught.value.rpc_code == -32022
        assert caught.value.data["requested"] == VERSION
        assert "2025-11-25" in caught.value.data["supported"]
        assert VERSION not in caught.value.data["supported"]
    await legacy.close()


async def test_a_modern_server_refuses_a_session_in_its_own_words(tmp_path):
    server = Stdio(launch(), limits=Limits(seconds=10))
    session = server.open_session()
    answer = await ask(session, Outgoing(Request(1, "initialize", {"name": "x"}), "2025-11-25"))
    assert isinstance(answer[0], Response)
    await server.close()


async def test_a_session_has_a_process_to_itself_and_so_many_there_are():
    server = Stdio(launch("legacy_only.py"), limits=Limits(seconds=10), max_sessions=1)
    session = server.open_session()
    with pytest.raises(UpstreamError, match="as many sessions"):
        server.open_session()
    opening = Outgoing(Request(0, "initialize", {"protocolVersion": "2025-11-25"}), "2025-11-25")
    assert (await ask(session, opening))[0].result["protocolVersion"] == "2025-11-25"
    assert (await ask(session, Outgoing(Request(1, "ping"), "2025-11-25")))[0].result == {}
    await session.close()
    with pytest.raises(UpstreamError) as caught:
        await ask(session, Outgoing(Request(2, "ping"), "2025-11-25"))
    assert caught.value.session_ended
    assert server.open_session() is not None
    await server.close()


async def test_a_session_that_was_not_initialised_cannot_be_used():
    server = Stdio(launch("legacy_only.py"))
    session = server.open_session()
    with pytest.raises(UpstreamError):
        await ask(session, Outgoing(Request(1, "ping"), "2025-11-25"))
    with pytest.raises(UpstreamError):
        await session.tell(Outgoing(Notification("notifications/initialized"), "2025-11-25"))
    await server.close()


async def test_closing_fails_what_is_in_flight_and_leaves_no_process(server):
    waiting = asyncio.create_task(ask(server, call("silent")))
    await ask(server, call("plain"))
    process = server._shared._child._process
    await server.close()
    with pytest.raises(UpstreamError):
        await waiting
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    with pytest.raises(UpstreamError):
        await ask(server, call("plain"))


async def test_standard_error_is_logged_without_secrets(caplog):
    caplog.set_level(logging.INFO)
    server = Stdio(launch(environment={"KEY": "secret-value-123"}), limits=Limits(seconds=10))
    await ask(server, call("plain"))
    await until(lambda: "on standard error" in caplog.text)
    assert "secret-value-123" not in caplog.text
    assert "abc.def" not in caplog.text
    await server.close()


SLOW = """
import json, sys, time
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "server/discover":
        time.sleep(float(sys.argv[1]))
    result = {"supportedVersions": ["2026-07-28"], "content": []}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""


@pytest.fixture(params=[1])
async def slow(tmp_path, request):
    """A server that takes so many seconds until it can be used."""
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    command = ("python", str(script), str(request.param))
    server = Stdio(Launch(name="slow", command=command), limits=Limits(seconds=60))
    yield server
    await server.close()


async def test_who_leaves_while_the_server_starts_keeps_nobody_else_from_it(slow, caplog):
    """Else whoever comes and goes could have it fall back as if it crashed, for everybody."""
    leaves = asyncio.create_task(ask(slow, call("plain")))
    await asyncio.sleep(0.3)
    leaves.cancel()
    await asyncio.gather(leaves, return_exceptions=True)
    [response] = await ask(slow, call("plain"))
    assert response.result["content"] == []
    assert "in a row" not in caplog.text


@pytest.mark.parametrize("slow", [50], indirect=True)
async def test_who_waits_for_a_server_that_is_being_stopped_is_told(slow):
    waits = asyncio.create_task(ask(slow, call("plain")))
    await asyncio.sleep(0.3)
    await slow.close()
    with pytest.raises(UpstreamError, match="stopping"):
        await waits


@pytest.mark.parametrize("slow", [3], indirect=True)
async def test_a_start_that_everybody_left_is_stopped_with_what_was_replaced(slow):
    leaves = asyncio.create_task(ask(slow, call("plain")))
    await asyncio.sleep(0.3)
    leaves.cancel()
    await asyncio.gather(leaves, return_exceptions=True)
    slow.retire()
    await until(lambda: slow._starting is None and slow._shared is None)
    await until(lambda: not slow._closing)
