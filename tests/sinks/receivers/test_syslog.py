"""Syslog as RFC 5424, 5425 and 6587 have it; and what is done where the protocol knows no acknowledgement."""

import asyncio
import re
from dataclasses import replace

import pytest

from remit.sinks.forms.form import FORMS, shipment_of
from remit.sinks.port import SinkDownError
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.sinks.receivers.syslog import SyslogSink
from remit.testing.audit_sink import AuditSinkContract, SinkSubject, sample_shipments
from tests.sinks.certified import Authority
from tests.sinks.collecting import ByteHost
from tests.sinks.made import settings, shipments, told

# RFC 5424 §6, with a BOM before the content.
MESSAGE = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<at>[0-9TZ:.-]+) (?P<host>\S{1,255}) (?P<app>\S{1,48}) (?P<pid>\S{1,128})"
    rb" (?P<msgid>\S{1,32}) \[(?P<data>(?:[^\]\\]|\\.)*)\] \xef\xbb\xbf(?P<msg>.*)",
    re.DOTALL,
)


def read(message):
    found = MESSAGE.fullmatch(message)
    assert found is not None, message[:200]
    data = dict(re.findall(rb'(\w+)="((?:[^"\\\]]|\\.)*)"', found["data"]))
    return found, {key.decode(): value.decode() for key, value in data.items()}


def ids(host):
    return [read(one)[1]["id"] for one in host.messages]


async def until(is_so):
    for _ in range(400):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")


async def again_and_again(opened, some):
    for _ in range(50):
        await opened.send(some)


@pytest.fixture
async def host():
    async with ByteHost() as made:
        yield made


def sink(host, **changes):
    return SyslogSink(settings(f"tcp://localhost:{host.port}", **{"timeout": "2", **changes}))


class TestContract(AuditSinkContract):
    """What it says that the other side has, the kernel there has: reading it is the host's own pace."""

    @pytest.fixture
    async def subject(self, host):
        opened = sink(host, timeout="20")
        sending = opened.send

        async def send(some):
            await sending(some)
            await until(lambda: {one.id for one in some} <= set(ids(host)))

        opened.send = send

        async def mend():
            if not host._server.is_serving():
                await host.start()

        yield SinkSubject(
            sink=opened, received=lambda: ids(host), fail=host.stop, mend=mend, stall=None
        )
        await opened.close()


async def test_a_message_is_one_of_rfc_5424_with_its_place_in_the_log(host):
    opened = sink(host, host_name="gw-1.acme.example", enterprise="12345", facility="4")
    [one] = shipments(1)
    await opened.send([one])
    await until(lambda: host.messages)
    found, data = read(host.messages[0])
    assert found["pri"] == b"37"  # facility 4, severity 5: a refusal is worth a notice
    assert found["at"] == b"2026-11-22T17:00:00.123Z"
    assert (found["host"], found["app"], found["msgid"]) == (
        b"gw-1.acme.example",
        b"remit",
        b"decision",
    )
    assert found["data"].startswith(b"remit@12345 ")
    assert data == {"id": one.id, "leaf": one.leaf, "log": "remit/main", "seq": "0"}
    assert found["msg"] == one.content
    await opened.close()


async def test_no_text_ends_a_message_or_its_structured_data(host):
    opened = sink(host)
    entry = {**told().entry, "id": 'x" ]\\ evil="1', "kind": "a b\nc<13>1"}
    hostile = shipment_of(told(entry), FORMS["cef"], longest=8_000)
    hostile = replace(hostile, id='x" ]\\ evil="1\n', log='re"]mit', kind="a b\nc")
    await opened.send([hostile, *shipments(1)])
    await until(lambda: len(host.messages) == 2)
    found, data = read(host.messages[0])
    assert found["msgid"] == b"a_b_c"
    assert data["id"] == 'x\\" \\]\\\\ evil=\\"1_'
    assert "evil" not in data
    await opened.close()


async def test_a_record_longer_than_receivers_take_is_shortened(host):
    assert sink(host).batch.longest < 8_192
    assert sink(host, longest="2000").batch.longest == 2_000


async def test_what_the_other_side_may_have_lost_with_its_connection_is_sent_again(host):
    opened = sink(host)
    first, second = sample_shipments(3), sample_shipments(3, first=3)
    await opened.send(first)
    await until(lambda: len(host.messages) == 3)
    await host.stop()
    host.messages.clear()
    await host.start()
    await until(lambda: opened._is_over(opened._stream))
    await opened.send(second)
    await until(lambda: len(host.messages) >= 6)
    assert ids(host) == [one.id for one in (*first, *second)]
    await opened.close()


async def test_what_was_sent_longer_ago_is_not(host):
    opened = sink(host, resend="0.01")
    await opened.send(sample_shipments(3))
    await asyncio.sleep(0.05)
    await host.stop()
    await host.start()
    host.messages.clear()
    await until(lambda: opened._is_over(opened._stream))
    await opened.send(sample_shipments(2, first=3))
    await until(lambda: len(host.messages) == 2)
    await opened.close()


async def test_a_host_that_closes_at_once_has_nothing():
    async def slam(reader, writer):
        writer.transport.abort()

    async with await asyncio.start_server(slam, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        opened = SyslogSink(settings(f"tcp://localhost:{port}", timeout="2"))
        with pytest.raises(SinkDownError):
            await again_and_again(opened, sample_shipments(5))
        await opened.close()


async def test_a_host_that_does_not_read_is_given_up_in_time(host):
    """What fits into the buffers of two kernels is with them; what does not is not there."""

    ended = asyncio.Event()

    async def deaf(reader, writer):
        writer.transport.pause_reading()
        await ended.wait()
        writer.close()

    async with await asyncio.start_server(deaf, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        opened = SyslogSink(settings(f"tcp://localhost:{port}", timeout="0.5"))
        big = sample_shipments(1_000, note="x" * 10_000)
        with pytest.raises(SinkDownError, match="timed_out"):
            await again_and_again(opened, big)
        await opened.close()
        ended.set()
        await asyncio.sleep(0)


async def test_over_tls_who_does_not_prove_who_they_are_gets_nothing(tmp_path):
    authority = Authority(tmp_path / "authority")
    for tls in (authority.server(ends=-60), authority.server("elsewhere.example")):
        async with ByteHost(tls=tls) as host:
            opened = SyslogSink(
                settings(f"tls://localhost:{host.port}", ca_file=str(authority.file), timeout="2")
            )
            with pytest.raises(SinkDownError, match="certificate_"):
                await opened.send(sample_shipments(1))
            assert not host.messages
            await opened.close()
    async with ByteHost(tls=authority.server()) as host:
        opened = SyslogSink(
            settings(
                f"syslog+tls://localhost:{host.port}", ca_file=str(authority.file), timeout="2"
            )
        )
        await opened.send(sample_shipments(2))
        await until(lambda: len(host.messages) == 2)
        await opened.close()


@pytest.mark.parametrize(
    "url",
    ["https://siem.example", "tls://", "udp://localhost:514", "tls://h:99999", "tcp://localhost/x", "/var/log"],
)  # fmt: skip
def test_what_is_no_syslog_host_is_refused(url):
    with pytest.raises(SinkMisdeclaredError):
        SyslogSink(settings(url))


async def test_the_log_does_not_leave_this_machine_in_the_clear():
    opened = SyslogSink(settings("tcp://192.0.2.1:601", timeout="1"))
    with pytest.raises(SinkDownError, match="unreachable"):
        await opened.send(sample_shipments(1))
    await opened.close()


async def test_a_certificate_that_was_renewed_is_read_again(tmp_path):
    authority, stranger = Authority(tmp_path / "authority"), Authority(tmp_path / "stranger")
    believed = tmp_path / "believed.pem"
    believed.write_bytes(stranger.file.read_bytes())
    async with ByteHost(tls=authority.server()) as host:
        opened = SyslogSink(
            settings(f"tls://localhost:{host.port}", ca_file=str(believed), timeout="5")
        )
        with pytest.raises(SinkDownError, match="certificate_not_trusted"):
            await opened.send(sample_shipments(1))
        believed.write_bytes(authority.file.read_bytes())
        await opened.send(sample_shipments(1))
        await opened.close()
