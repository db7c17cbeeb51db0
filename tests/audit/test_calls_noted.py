"""What is noted of calls under way saves a reading back, and nothing is believed that does not fit."""

from contextlib import closing
from dataclasses import replace

import pytest

from remit.audit import FileAuditLog
from remit.audit import calls_noted as module
from remit.audit.calls_noted import NOTE, CallsNoted, Noted, read_noted
from remit.audit.events import CallCompleted
from remit.audit.file_source import FileSource
from remit.audit.reconcile import left_open
from remit.testing.disk import SimulatedDisk

LOG = "example.test/main"


def intents(decided, *numbers):
    return [replace(decided, decision_id=f"dec_{number}") for number in numbers]


def outcomes(*numbers):
    return [
        CallCompleted(
            decision_id=f"dec_{one}", server="crm", method="tools/call", name="a", outcome="ok"
        )
        for one in numbers
    ]


@pytest.fixture
def log(stream, log_key, clock, monkeypatch):
    monkeypatch.setattr(module, "_EVERY", 8)
    with closing(FileAuditLog(stream, log_key, clock=clock)) as opened:
        yield opened


@pytest.fixture
def source(stream):
    return FileSource(stream.folder)


@pytest.fixture
def noted(log, source, stream):
    def noted(**changes):
        given = {"folder": stream.folder, "begin": log.began, **changes}
        return CallsNoted(source, LOG, **given)

    return noted


def left(source, folder):
    """The decisions that are found open, and how many records were read for it."""

    class Counted:
        bounds, leaves, count = source.bounds, source.leaves, 0

        def read(self, log, start, *, limit):
            for one in source.read(log, start, limit=limit):
                self.count += 1
                yield one

    counted = Counted()
    found = left_open(counted, LOG, noted=read_noted(folder))
    return [one.entry()["body"]["decision_id"] for one in found], counted.count


def test_only_what_came_after_the_note_is_read_and_what_it_names(
    log, noted, source, stream, decided
):
    log.record(intents(decided, *range(100)))
    log.record(outcomes(*range(1, 100)))
    assert not noted().advance()
    log.record([*intents(decided, 200, 201), *outcomes(200)])
    assert read_noted(stream.folder).calls == (1,)
    assert left(source, stream.folder) == (["dec_0", "dec_201"], 9)
    (stream.folder / NOTE).unlink()
    assert left(source, stream.folder)[0] == ["dec_0", "dec_201"]


def test_a_call_that_ends_after_the_note_is_not_left(log, noted, source, stream, decided):
    log.record(intents(decided, *range(20)))
    noted().advance()
    log.record(outcomes(*range(20)))
    assert left(source, stream.folder)[0] == []


def test_it_follows_and_notes_now_and_then(log, noted, source, stream, decided, monkeypatch):
    monkeypatch.setattr(module, "_AT_A_TIME", 10)
    follower = noted()
    log.record(intents(decided, *range(25)))
    assert follower.advance()
    assert read_noted(stream.folder).size == 10
    assert follower.advance()
    assert not follower.advance()
    assert read_noted(stream.folder).size == 20
    assert len(read_noted(stream.folder).calls) == 19
    log.record(outcomes(*range(25)))
    while follower.advance():
        pass
    assert left(source, stream.folder)[0] == []


def test_more_calls_than_are_listed_are_noted_nowhere(log, noted, stream, decided, monkeypatch):
    monkeypatch.setattr(module, "MOST_LISTED", 5)
    log.record(intents(decided, *range(20)))
    noted().advance()
    assert not (stream.folder / NOTE).exists()


def test_a_disk_that_takes_no_note_is_no_matter(log, noted, stream, decided):
    disk = SimulatedDisk()
    disk.break_down()
    log.record(intents(decided, *range(20)))
    noted(disk=disk).advance()
    assert not (stream.folder / NOTE).exists()


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"{}", b'{"calls":[],"leaf":"x","size":"3"}', b'{"calls":[-1],"leaf":"x","size":3}',
        b'{"calls":[3],"leaf":"x","size":3}', b'{"calls":["1"],"leaf":"x","size":3}', b"\0" * 100,
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_note_is_none(tmp_path, text):
    (tmp_path / NOTE).write_bytes(text)
    assert read_noted(tmp_path) is None


def test_a_note_of_another_log_or_of_one_that_was_set_back_does_not_fit(log, source, decided):
    log.record(intents(decided, *range(20)))
    leaf = next(source.read(LOG, 9, limit=1)).leaf
    assert Noted(10, leaf, ()).fits(source, LOG, end=21)
    assert not Noted(10, leaf, ()).fits(source, LOG, end=9)
    assert not Noted(11, leaf, ()).fits(source, LOG, end=21)
    assert not Noted(0, leaf, ()).fits(source, LOG, end=21)
    assert not Noted(99, leaf, ()).fits(source, LOG, end=200)
    found = left_open(source, LOG, noted=Noted(11, leaf, ()))
    assert len(found) == 20
