"""Where a receiver is, asked beside everything else."""

import asyncio
import threading
from ipaddress import ip_address

import pytest

from remit.sinks.receivers import lookup
from remit.sinks.receivers.lookup import Lookup


async def test_all_addresses_of_a_host_are_told_once(monkeypatch):
    found = [(0, 0, 0, "", (one, 80)) for one in ("192.0.2.1", "2001:db8::1", "192.0.2.1")]
    monkeypatch.setattr(lookup.socket, "getaddrinfo", lambda *_, **__: found)
    assert await Lookup()("siem.example", 80) == (
        ip_address("192.0.2.1"),
        ip_address("2001:db8::1"),
    )


async def test_a_host_without_an_address_is_not_there_and_is_asked_for_again(monkeypatch):
    def nothing(*_, **__):
        raise OSError("no such host")

    one = Lookup()
    with monkeypatch.context() as patched:
        patched.setattr(lookup.socket, "getaddrinfo", nothing)
        with pytest.raises(OSError, match="no such host"):
            await one("siem.example", 80)
    assert await one("localhost", 80)


async def test_who_gives_up_waiting_leaves_one_question_open(monkeypatch):
    free, asked = threading.Event(), []

    def slow(*_, **__):
        asked.append(1)
        free.wait(20)
        return [(0, 0, 0, "", ("127.0.0.1", 80))]

    monkeypatch.setattr(lookup.socket, "getaddrinfo", slow)
    one = Lookup()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one("siem.example", 80), 0.02)
    free.set()
    assert await one("siem.example", 80) == (ip_address("127.0.0.1"),)
    assert len(asked) == 1
