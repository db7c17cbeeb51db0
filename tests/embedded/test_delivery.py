"""Records reach Remit in order, and wait on the disk until they have."""

from contextlib import closing

import pytest

from remit.audit.call_events import Decided
from remit.audit.events import AgentSuspended
from remit.audit.port import AuditUnavailableError
from remit.audit.relayed import relayed
from remit.embedded.delivery import Delivery
from remit.embedded.local_log import WaitingLog, network_of, open_local_log
from remit.embedded.remit_door import RemitUnavailableError


def decided(number):
    return Decided(
        decision_id=f"dec_{number}",
        server="crm",
        method="ping",
        name=None,
        outcome="allow",
        reason="x",
    )


class Door:
    def __init__(self):
        self.batches, self.away, self.forgets = [], False, False

    async def deliver(self, records):
        if self.away:
            raise RemitUnavailableError("remit cannot be reached")
        lines = records.split(b"\n")
        found = [
            relayed(one.replace(b'"system"', b'"agent"'), server="crm", tenants=None, instance="x")
            for one in lines
        ]
        self.batches.append([one.event.decision_id for one in found])
        return found[-1].sequence


@pytest.fixture
def local(tmp_path):
    opened = open_local_log(tmp_path, release="1", server="crm")
    with closing(opened.log):
        yield opened


async def test_what_is_recorded_is_delivered_once_in_order(local):
    door = Door()
    delivery = Delivery(local, WaitingLog(local.log), door)
    for number in range(3):
        await local.log.append(decided(number))
    await local.log.append(AgentSuspended(reason="no business of a guard"))
    await delivery.deliver()
    await local.log.append(decided(3))
    await delivery.deliver()
    await delivery.deliver()
    assert door.batches == [["dec_0", "dec_1", "dec_2"], ["dec_3"]]


async def test_what_was_not_confirmed_is_delivered_again_and_nothing_else(local):
    door = Door()
    delivery = Delivery(local, WaitingLog(local.log), door)
    await local.log.append(decided(0))
    await delivery.deliver()
    door.away = True
    await local.log.append(decided(1))
    with pytest.raises(RemitUnavailableError):
        await delivery.deliver()
    door.away = False
    again = Delivery(local, WaitingLog(local.log), door)  # as after a restart
    await again.deliver()
    assert door.batches == [["dec_0"], ["dec_1"]]


async def test_a_cursor_that_was_lost_costs_a_delivery_and_no_record(local):
    door = Door()
    await local.log.append(decided(0))
    await Delivery(local, WaitingLog(local.log), door).deliver()
    (local.folder / "delivered.json").write_text("not a number")
    await Delivery(local, WaitingLog(local.log), door).deliver()
    assert door.batches == [["dec_0"], ["dec_0"]]


async def test_the_log_is_shut_while_too_much_waits_and_opens_when_it_is_delivered(local):
    door, waiting = Door(), WaitingLog(local.log)
    door.away = True
    delivery = Delivery(local, waiting, door, max_waiting=10)
    await waiting.append(decided(0))
    with pytest.raises(RemitUnavailableError):
        await delivery.deliver()
    delivery.look()
    with pytest.raises(AuditUnavailableError, match="wait for remit"):
        await waiting.append(decided(1))
    with pytest.raises(AuditUnavailableError):
        waiting.append_soon(decided(1))
    with pytest.raises(AuditUnavailableError):
        waiting.record([decided(1)])
    door.away = False
    await delivery.deliver()
    delivery.look()
    await waiting.append(decided(2))


async def test_each_process_has_a_place_and_a_name_of_its_own_and_keeps_it(tmp_path, local):
    with closing(open_local_log(tmp_path, release="1", server="crm").log) as second:
        assert second is not None
    other = open_local_log(tmp_path, release="1", server="crm")
    other.log.close()
    assert other.folder != local.folder
    assert other.instance != local.instance
    assert open_again(tmp_path, other.instance)
    assert (local.folder / "log.key").stat().st_mode & 0o077 == 0


def open_again(folder, instance):
    opened = open_local_log(folder, release="2", server="crm")
    opened.log.close()
    return opened.instance == instance


def test_a_folder_that_cannot_be_used_is_said_to_be_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditUnavailableError):
        open_local_log(tmp_path / "file", release="1", server="crm")


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("x", "unknown"),
    ],
)
def test_an_ipv6_host_has_all_of_its_network(ip, network):
    assert network_of(ip) == network
