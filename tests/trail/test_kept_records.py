import tempfile

import pytest

from remit.audit.source import Record
from remit.trail.kept_records import KeptRecords


@pytest.fixture
def kept(monkeypatch):
    made = KeptRecords()
    yield made
    made.close()


@pytest.mark.parametrize("many", [0, 1, 7, 3_000])
def test_records_come_back_byte_for_byte_the_last_first(kept, many):
    records = [
        Record(f"remit/{number % 3}", number**2, b"x" * (number % 5_000)) for number in range(many)
    ]
    for one in records:
        kept.add(one)
    assert list(kept) == records[::-1]
    assert len(kept) == many
    assert kept[:3] == records[::-1][:3]
    assert [kept[index] for index in range(-many, 0)] == records[::-1]
    for beyond in (many, -many - 1):
        with pytest.raises(IndexError):
            kept[beyond]


def test_many_are_in_a_file_that_has_no_name(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for number in range(600):
        kept.add(Record("remit/main", number, b"x" * 16_000))
    assert list(tmp_path.iterdir()) == []
    assert kept._file._rolled
