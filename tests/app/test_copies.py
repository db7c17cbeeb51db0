"""The server brings copies of its log to whoever `audit.yaml` names; the command line says how far they are."""

import asyncio
import json
import math
from contextlib import ExitStack, asynccontextmanager

import pytest

from remit.app.copies import Copies
from remit.clock import Seconds
from remit.model import NO_AUDIT_RULES, AuditRules, RemoteCopy, Sensitivity
from tests.sinks.collecting import Collector, Reply
from tests.sinks.made import WEBHOOK_SECRET

pytestmark = pytest.mark.timeout(180)
HOOK = {"SIEM_HOOK": WEBHOOK_SECRET}


def declared(url):
    return f"""sinks:
  siem:
    kind: webhook
    form: json
    url: {url}
    secret: env:SIEM_HOOK
    options: {{confirm: false, timeout: 5}}
"""


def taken(collector):
    return [
        record for request in collector.requests for record in request.json()["data"]["records"]
    ]


@asynccontextmanager
async def serving(remit):
    """A server, begun and ended in a thread, so that who collects can answer meanwhile."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, remit.serving(environ=HOOK))


async def until(is_so):
    for _ in range(600):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came about")


async def test_what_the_server_records_arrives_and_the_command_line_says_so(remit):
    async with Collector() as collector:
        (remit.repo / "audit.yaml").write_text(declared(collector.url))
        async with serving(remit) as server:
            await until(lambda: any(one["kind"] == "policy.loaded" for one in taken(collector)))
            said = await asyncio.to_thread(remit.run, "sinks", "test", "siem")
            assert (said.returncode, said.stdout.strip()) == (0, "siem took it"), said.stderr
            await until(lambda: sum(one["kind"] == "sink.tested" for one in taken(collector)) == 2)
            listed = await asyncio.to_thread(remit.run, "sinks", "list", "--json")
            [sink] = json.loads(listed.stdout)
            assert (sink["name"], sink["log"], sink["error"]) == ("siem", "remit/main", None)
            metrics = (await asyncio.to_thread(server.get, "/metrics")).text
            assert 'remit_sink_behind_records{log="remit/main",sink="siem"}' in metrics
            assert 'remit_sink_records_total{sink="siem"}' in metrics
            for verb in (("reset", "nobody", "--to", "end", "--yes"), ("test", "nobody")):
                said = await asyncio.to_thread(remit.run, "sinks", *verb)
                assert said.returncode == 1
                assert "there is no such sink" in said.stderr
        sequences = sorted({one["seq"] for one in taken(collector)})
        assert sequences == list(range(len(sequences)))


async def test_a_receiver_that_is_away_is_said_and_keeps_nothing_from_being_served(remit):
    async with Collector(lambda _: Reply(503)) as collector:
        (remit.repo / "audit.yaml").write_text(declared(collector.url))
        async with serving(remit) as server:
            assert (await asyncio.to_thread(server.get, "/readyz")).status_code == 200
            said = await asyncio.to_thread(remit.run, "sinks", "test", "siem")
            assert said.returncode == 1
            assert "siem did not take it: answered_503" in said.stdout
            listed = await asyncio.to_thread(remit.run, "sinks", "list")
            assert "answered_503" in listed.stdout
            collector.answer = lambda _: Reply()
            collector.requests.clear()
            moved = await asyncio.to_thread(
                remit.run, "sinks", "reset", "siem", "--to", "start", "--yes", "--reason", "anew"
            )
            assert moved.returncode == 0, moved.stderr
            await until(lambda: any(one["kind"] == "sink.reset" for one in taken(collector)))


class Behind:
    """A fleet of which is known how far it is behind, and nothing else."""

    def __init__(self):
        self.seconds = math.inf

    def seconds_behind(self, sink, log):
        assert (sink, log) == ("siem", "remit/main")
        return self.seconds


def test_calls_wait_for_a_copy_from_the_first_moment_until_it_is_near_and_again_when_it_is_not():
    fleet = Behind()
    rules = AuditRules(remote_copy=RemoteCopy(sink="siem", max_lag=Seconds(60), sensitivity="high"))
    copies = Copies(fleet, None, own_log="remit/main", rules=lambda: rules)
    assert copies.gate.closed_from == Sensitivity.HIGH.rank
    for seconds, closed in (
        (0.0, False),
        (60.0, False),
        (60.1, True),
        (math.inf, True),
        (1.0, False),
    ):
        fleet.seconds = seconds
        copies.judge()
        assert (copies.gate.closed_from is not None) is closed


def test_where_nobody_asks_for_a_copy_nothing_waits():
    copies = Copies(Behind(), None, own_log="remit/main", rules=lambda: NO_AUDIT_RULES)
    assert copies.gate.closed_from is None
