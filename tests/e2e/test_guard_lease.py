"""Remit is killed under a server that guards itself: it goes on for its lease, then serves nobody, until Remit is back."""

import asyncio
from collections import Counter

import httpx2
import pytest

from remit.audit import read_events
from remit.demo.agent import Keyring
from tests.e2e.guarded import Guarded, dance, guarded
from tests.e2e.test_guard_and_remit import (
    eventually,
    is_ok,
    is_unauthorized,
    open_session,
)
from tests.e2e.wire import ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),  # several processes start, one after the other
]

ACME = {"organization_id": "acme", "account_id": "acc-1001"}
LEASE = {"REMIT_GUARD_LEASE": "20"}
DELIVERED = {"decision", "call.completed"}


async def test_without_remit_a_guarded_server_serves_for_its_lease_and_not_a_call_longer(tmp_path):
    async with guarded(tmp_path, serving=False) as guard, guard.server("sdk") as server:
        async with guard.remit(**LEASE) as remit, httpx2.AsyncClient(timeout=120) as http:
            await guard.add_dana()
            # It was there first, and asks for its first snapshot at lengthening intervals.
            await eventually(lambda: ask(guard.url, "tools/list"), is_unauthorized)
            keyring = Keyring()
            await dance(guard, keyring)
            token = keyring.tokens.access_token
            session = await open_session(http, guard.url, token)
            async with http.stream("GET", guard.url, headers=session) as stream:
                assert stream.status_code == 200
                end = asyncio.create_task(_end_of(stream))
                before = [await _call(guard, token)]
                await eventually(lambda: _decided(_of_remit(guard)))
                remit.kill()
                await remit.wait()
                heard = _told(_of_remit(guard))

                # Within the lease: the server knows enough, and what it decides stands on its own disk.
                alone = [await _call(guard, token)]
                assert is_ok(alone[0])
                assert not end.done()
                # After it: nobody, and the stream is over.
                alone += await _until_refused(guard, token)
                await asyncio.wait_for(end, 60)
        after = [await _call(guard, token) for _ in range(3)]
        listed = await ask(guard.url, "tools/list", token=token)
        refused = [alone[-1], *after, listed]
        assert [one.status_code for one in refused] == [503] * len(refused)
        assert {one.json()["error"]["data"]["reason"] for one in refused} == {"stale_snapshot"}
        assert (await ask(guard.url, "tools/list")).status_code == 401  # it brings no token
        permitted = [one for one in before + alone if is_ok(one)]
        assert len(permitted) == len(before) + len(alone) - 1
        # Each call that was answered was recorded as permitted, and no other.
        assert len(_decided(_of_guard(guard))) == len(permitted)
        assert _told(_of_remit(guard)) == heard  # nothing reached Remit: it is not there

        async with guard.remit(**LEASE):
            await eventually(lambda: _call(guard, token), is_ok)
            assert server.returncode is None
            own = _told(_of_guard(guard))
            await eventually(
                lambda: _told(_of_remit(guard)), lambda found: own.keys() <= found.keys()
            )
            arrived = _told(_of_remit(guard))
        assert set(own.values()) == {1}
        assert set(arrived.values()) == {1}  # once each, though some may have been sent twice
        assert len(own.keys() - heard.keys()) >= 2 * len(alone[:-1])


async def _call(guard: Guarded, token: str) -> httpx2.Response:
    named = {"name": "get_account", "arguments": ACME}
    return await ask(guard.url, "tools/call", named, token=token)


async def _until_refused(guard: Guarded, token: str) -> list[httpx2.Response]:
    """Call after call, up to the first that is not served."""
    answers = []
    async with asyncio.timeout(120):
        while not answers or is_ok(answers[-1]):
            answers.append(await _call(guard, token))
            await asyncio.sleep(0.2)
    return answers


async def _end_of(stream: httpx2.Response) -> None:
    try:
        async for _ in stream.aiter_raw():
            pass
    except httpx2.TransportError:
        pass  # cut off is ended, too


def _of_remit(guard: Guarded) -> list[dict]:
    """What a guard told Remit, as it stands in Remit's log."""
    found = read_events(guard.stage.data / "audit")
    return [one for one in found if one["kind"] in DELIVERED and one["body"].get("guard")]


def _of_guard(guard: Guarded) -> list[dict]:
    """The same, as it stands in the guard's own log."""
    found = read_events(guard.stage.folder / "guard-sdk" / "0" / "log")
    return [one for one in found if one["kind"] in DELIVERED]


def _decided(events: list[dict]) -> list[dict]:
    """The calls of the tool that were permitted."""
    return [
        one
        for one in events
        if one["kind"] == "decision"
        and (one["body"]["outcome"], one["body"]["name"]) == ("allow", "get_account")
    ]


def _told(events: list[dict]) -> Counter:
    """How often each record stands there, by what it is about."""
    return Counter((one["kind"], one["body"]["decision_id"]) for one in events)
