"""What is known of one log's way to one sink."""

from remit.clock import EpochSeconds
from remit.sinks.cursor_store import Cursor
from remit.sinks.loading import Load
from remit.sinks.track import Track
from tests.sinks.made import shipments

NOW = EpochSeconds(1_790_000_000)
CURSOR = Cursor(
    sink="siem", log="remit/main", position=0, holder="main", held_until=NOW, moved_at=NOW,
    lagging_since=None, error=None,
)  # fmt: skip


def track(reached=0):
    return Track(cursor=CURSOR, reached=reached)


def load(count, first=0):
    return Load(
        start=first, shipments=shipments(count, first=first), first=first, after=first + count
    )


def test_gaps_that_follow_on_each_other_are_one():
    one = track()
    for first, last in ((3, 3), (4, 4), (5, 9), (11, 11)):
        one.miss(first, last)
    assert one.gaps == [(3, 9), (11, 11)]


def test_what_the_receiver_has_does_not_go_out_again():
    one = track(reached=7)
    one.keep(load(10))
    assert [each.sequence for each in one.ready.shipments] == [7, 8, 9]
    assert one.ready.after == 10
    one.reached = 10
    one.keep(one.ready)
    assert one.ready is None


def test_of_what_is_too_much_the_first_goes_out_and_the_rest_is_read_again():
    one = track()
    one.keep(load(10), most=4)
    assert [each.sequence for each in one.ready.shipments] == [0, 1, 2, 3]
    assert (one.ready.after, one.ready.more) == (4, True)


def test_what_was_made_ahead_is_taken_once():
    one = track()
    one.ahead = "it"
    assert (one.take_ahead(), one.take_ahead()) == ("it", None)


def test_what_is_held_for_longer_is_where_it_was():
    one = track(reached=5)
    one.renew(Cursor(**{**_fields(CURSOR), "held_until": NOW + 30, "position": 99}))
    assert (one.cursor.held_until, one.cursor.position, one.reached) == (NOW + 30, 0, 5)


async def test_what_is_noted_keeps_how_long_it_is_held_and_what_was_missed_meanwhile():
    one = track(reached=5)
    one.miss(1, 2)
    one.renew(Cursor(**{**_fields(CURSOR), "held_until": NOW + 30}))
    one.miss(4, 4)
    one.note(Cursor(**{**_fields(CURSOR), "position": 5}), 1)
    assert (one.cursor.position, one.cursor.held_until) == (5, NOW + 30)
    assert one.gaps == [(4, 4)]


def _fields(cursor):
    return {name: getattr(cursor, name) for name in cursor.__dataclass_fields__}
