"""The reserve is there before it is needed, goes a slice at a time, and comes back first."""

import errno
import os

import pytest

from remit.audit.context import Context
from remit.audit.disk import PosixDisk, Space
from remit.audit.events import CallCompleted, ClientRegistered, GrantRevoked
from remit.audit.reserve import RESERVE, DiskUse, Reserve, is_full, is_reserved, make_room_in
from remit.guard.records import SELF_TEST
from remit.model import MANAGEMENT
from remit.testing.disk import SimulatedDisk

MIB = 1024 * 1024
SIZE = 16 * MIB


def length(folder):
    return (folder / RESERVE).stat().st_size


class Closed(PosixDisk):
    """Counts what was opened and closed."""

    opened = closed = 0

    def open(self, path):
        self.opened += 1
        return super().open(path)

    def close(self, descriptor):
        self.closed += 1
        super().close(descriptor)


def test_the_real_disk_has_every_byte_of_it(tmp_path):
    reserve = Reserve(tmp_path, PosixDisk(), size=SIZE)
    found = (tmp_path / RESERVE).stat()
    assert (found.st_size, found.st_blocks * 512 >= SIZE) == (SIZE, True)
    assert reserve.give_up()
    assert (tmp_path / RESERVE).stat().st_blocks * 512 < SIZE
    reserve.close()


def test_a_system_that_cannot_allocate_writes_zeros(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate")
    Reserve(tmp_path, PosixDisk(), size=3 * MIB).close()
    found = (tmp_path / RESERVE).stat()
    assert (found.st_size, found.st_blocks * 512 >= 3 * MIB) == (3 * MIB, True)


def test_it_goes_a_slice_at_a_time_until_there_is_room(tmp_path):
    disk = SimulatedDisk()
    reserve = Reserve(tmp_path, disk, size=SIZE)
    disk.room = 0
    reserve.make_room()
    assert (reserve.kept, disk.room) == (SIZE - 4 * MIB, 4 * MIB)
    reserve.make_room()
    assert reserve.kept == SIZE - 4 * MIB, "there is room: nothing more is given up"


def test_when_it_is_gone_there_is_nothing_to_give_up(tmp_path):
    disk = SimulatedDisk()
    reserve = Reserve(tmp_path, disk, size=SIZE)
    for _ in range(4):
        disk.room = 0
        assert reserve.give_up()
    disk.room = 0
    assert not reserve.give_up()
    reserve.make_room()
    assert reserve.kept == length(tmp_path) == 0


def test_it_is_made_whole_only_when_that_leaves_room(tmp_path):
    disk = SimulatedDisk()
    reserve = Reserve(tmp_path, disk, size=SIZE)
    disk.room = 0
    reserve.give_up()
    disk.room = 11 * MIB
    assert not reserve.refill()
    disk.room = 12 * MIB
    assert reserve.refill()
    assert (reserve.is_whole, disk.room) == (True, 8 * MIB)


def test_a_whole_reserve_on_a_full_disk_is_not_good_enough(tmp_path):
    disk = SimulatedDisk()
    reserve = Reserve(tmp_path, disk, size=SIZE)
    disk.room = 100
    assert not reserve.refill()


def test_it_outlives_the_process_and_a_full_disk_takes_none_of_it_back(tmp_path):
    Reserve(tmp_path, SimulatedDisk(), size=SIZE).close()
    disk = SimulatedDisk()
    disk.room = 0
    reserve = Reserve(tmp_path, disk, size=SIZE)
    assert reserve.is_whole
    reserve.close()


def test_a_start_without_room_for_it_starts_without_it(tmp_path):
    disk = SimulatedDisk()
    disk.room = 5 * MIB
    reserve = Reserve(tmp_path, disk, size=SIZE)
    assert (reserve.kept, reserve.is_whole) == (0, False)


def test_a_smaller_reserve_than_before_gives_the_rest_back(tmp_path):
    Reserve(tmp_path, SimulatedDisk(), size=SIZE).close()
    Reserve(tmp_path, SimulatedDisk(), size=MIB).close()
    assert length(tmp_path) == MIB


def test_a_disk_that_cannot_say_how_full_it_is_counts_as_not_full(tmp_path):
    class Silent(SimulatedDisk):
        def space(self, path):
            raise OSError(errno.EIO, "input/output error")

    reserve = Reserve(tmp_path, SimulatedDisk(), size=SIZE)
    reserve._disk = Silent()
    assert not reserve.is_short()


def test_a_disk_that_breaks_when_it_is_opened_says_so(tmp_path):
    disk = SimulatedDisk()
    disk.break_down()
    with pytest.raises(OSError, match="Input/output"):
        Reserve(tmp_path, disk, size=SIZE)


@pytest.mark.parametrize("failing", ["length", "truncate"])
def test_what_was_opened_is_closed_where_the_disk_breaks_afterwards(tmp_path, failing):
    class Counted(Closed):
        def length(self, descriptor):
            if failing == "length":
                raise OSError(errno.EIO, "input/output error")
            return super().length(descriptor)

        def truncate(self, descriptor, size):
            if failing == "truncate":
                raise OSError(errno.EIO, "input/output error")
            super().truncate(descriptor, size)

    Reserve(tmp_path, PosixDisk(), size=2 * MIB).close()
    disk = Counted()
    with pytest.raises(OSError, match="input/output"):
        Reserve(tmp_path, disk, size=MIB)
    assert disk.opened == disk.closed == 1


def test_it_is_given_back_once(tmp_path):
    disk = Closed()
    reserve = Reserve(tmp_path, disk, size=MIB)
    reserve.close()
    reserve.close()
    assert disk.opened == disk.closed == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_and_no_quota_are_a_full_disk(number):
    assert is_full(OSError(number, ""))


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ESTALE, errno.EFBIG, None])
def test_nothing_else_is(number):
    assert not is_full(OSError(number, ""))


def test_each_level_is_told_once_and_again_after_it_had_calmed_down():
    use = DiskUse()
    said = [use.passed(Space(100, 100 - used)) for used in (10, 79, 80, 85, 79, 80, 76, 80, 95, 96)]
    assert said == [None, None, 80, None, None, None, None, 80, 90, None]


def test_a_disk_without_a_size_is_not_used():
    assert DiskUse().passed(Space(0, 0)) is None


def test_what_takes_away_is_reserved_and_so_is_the_outcome_of_what_was_allowed(decided):
    outcome = CallCompleted(decision_id="d", server="crm", method="m", name=None, outcome="ok")
    assert is_reserved(GrantRevoked(reason="over"))
    assert is_reserved(outcome)


def test_an_administrator_is_let_in_to_take_away(decided):
    inward = type(decided)
    said = {"decision_id": "d", "method": "DELETE", "name": "grants.revoke", "reason": "allowed"}
    assert is_reserved(inward(server=MANAGEMENT.name, outcome="allow", **said))
    assert not is_reserved(inward(server=MANAGEMENT.name, outcome="deny", **said))
    assert not is_reserved(decided)


@pytest.mark.parametrize("thing", ["text", None, object()], ids=["text", "nothing", "object"])
def test_what_is_no_event_is_not_reserved(thing):
    assert not is_reserved(thing)
    assert not is_reserved(
        ClientRegistered(
            registration="dynamic",
            client_name=None,
            redirect_uris=(),
            grant_types=(),
            token_endpoint_auth_method="none",
        )
    )


def test_a_process_that_starts_on_a_full_disk_finds_room(tmp_path):
    Reserve(tmp_path, SimulatedDisk(), size=SIZE).close()
    disk = SimulatedDisk()
    disk.room = 10
    make_room_in(tmp_path, disk)
    assert length(tmp_path) == SIZE - 4 * MIB
    make_room_in(tmp_path, disk)
    assert length(tmp_path) == SIZE - 4 * MIB


def test_one_that_starts_where_there_is_room_or_no_reserve_changes_nothing(tmp_path):
    make_room_in(tmp_path, SimulatedDisk())
    assert list(tmp_path.iterdir()) == []
    Reserve(tmp_path, SimulatedDisk(), size=SIZE).close()
    make_room_in(tmp_path, SimulatedDisk())
    assert length(tmp_path) == SIZE


def test_the_self_test_of_a_start_may_say_what_it_tried(decided):
    said = {"decision_id": "d", "server": "crm", "method": "tools/call", "name": None}
    refused = type(decided)(
        context=Context(actor=SELF_TEST), outcome="deny", reason="forbidden", **said
    )
    assert is_reserved(refused)
    assert not is_reserved(type(decided)(outcome="deny", reason="forbidden", **said))
