import pytest

from remit.audit.all_sources import AllSources
from remit.audit.source import Record
from remit.errors import NotFoundError


class Kept:
    """Logs by name; each record says where it is from."""

    def __init__(self, where, **sizes):
        self.where, self.sizes = where, sizes

    def logs(self):
        return tuple(sorted(self.sizes))

    def bounds(self, log):
        return 0, self.sizes[log]

    def read(self, log, start, *, limit):
        return iter([Record(log, start, self.where.encode())][:limit])

    def leaves(self, log, first, last):
        return [self.where.encode()] * (last - first)

    def checkpoint(self, log):
        return f"{log} of {self.where}"


@pytest.fixture
def sources():
    return AllSources([Kept("database", b=2, c=3), Kept("files", a=1, b=9)])


def test_all_logs_are_there_once(sources):
    assert sources.logs() == ("a", "b", "c")


def test_each_is_read_where_it_is_and_from_the_first_that_has_it(sources):
    assert [sources.bounds(log) for log in "abc"] == [(0, 1), (0, 2), (0, 3)]
    assert [next(sources.read(log, 0, limit=1)).line for log in "abc"] == [
        b"files", b"database", b"database",
    ]  # fmt: skip
    assert sources.checkpoint("a") == "a of files"
    assert [sources.leaves(log, 3, 4) for log in "ab"] == [[b"files"], [b"database"]]


def test_a_log_that_nobody_has_is_not_found(sources):
    with pytest.raises(NotFoundError):
        sources.read("d", 0, limit=1)
