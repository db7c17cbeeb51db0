import random

import pytest

from remit.audit.context import Context
from remit.audit.entry import Moment, Producer, draft, seal
from remit.audit.events import AuditQueried
from remit.audit.seeking import seek_record


@pytest.fixture(scope="module")
def lines():
    pick = random.Random(5)
    made = []
    for number in range(7, 2_007):
        event = AuditQueried(
            context=Context(tenant=',"seq":3,'),
            query={"seq": 9, "text": ',"seq":1,' + "x" * pick.choice([1, 50, 9_000])},
        )
        made.append(
            seal(
                draft(event, Producer(), Moment.of(1)), sequence=number, previous="", observed="now"
            )
        )
    return made


@pytest.fixture
def segment(tmp_path, lines):
    path = tmp_path / "segment"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.mark.parametrize("wanted", [7, 8, 500, 1_000, 1_999, 2_006, 2_007, 9_999])
def test_a_record_is_found_a_little_before_it_by_what_lines_say(segment, lines, wanted):
    number, offset = seek_record(segment, wanted, first=7)
    assert number <= wanted
    assert segment.read_bytes()[offset:].startswith(lines[number - 7])
    between = b"".join(lines[number - 7 : wanted - 7])
    assert len(between) <= 80 * 1024


def test_where_lines_do_not_say_their_numbers_nothing_is_believed(segment):
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b',"seq":', b',"sec":'))
    assert seek_record(segment, 1_000, first=7) is None


def test_numbers_that_cannot_be_are_not_believed(segment):
    assert seek_record(segment, 3_000, first=2_500) is None
    assert seek_record(segment, 10**15, first=10**15) is None
