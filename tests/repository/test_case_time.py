from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from remit.repository.case_time import NOON, parse_time

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("mon 10:00", "2026-01-05T15:00:00+00:00"),
        ("sun 23:59", "2026-01-12T04:59:00+00:00"),
        ("mon 10:00 Europe/Berlin", "2026-01-05T09:00:00+00:00"),
        ("2026-03-02 10:00", "2026-03-02T15:00:00+00:00"),
        ("2026-07-02 10:00", "2026-07-02T14:00:00+00:00"),
        ("2026-03-02 10:00:30 Europe/Berlin", "2026-03-02T09:00:30+00:00"),
        ("2026-03-02T15:00:00Z", "2026-03-02T15:00:00+00:00"),
        ("2026-03-02T10:00-05:00", "2026-03-02T15:00:00+00:00"),
    ],
)
def test_a_time_is_by_the_clock_of_the_organisation_unless_it_says_otherwise(text, instant):
    assert parse_time(text).instant(NEW_YORK) == datetime.fromisoformat(instant).timestamp()


def test_noon_is_on_a_wednesday():
    local = datetime.fromtimestamp(NOON.instant("UTC")).astimezone()
    assert local.timestamp() == datetime.fromisoformat("2026-01-07T12:00:00+00:00").timestamp()


@pytest.mark.parametrize(
    "given_text",
    [
        "", "10:00", "monday 10:00", "mon 25:00", "mon 10:60", "mon 1:00", "2026-02-30 10:00", "2026-03-02",
        "mon 10:00 Nowhere/Atall", "2026-03-02T15:00:00Z Europe/Berlin", "0001-01-01T00:00:00Z",
        "2026-03-08 02:30 America/New_York", 10, None, True, ["mon 10:00"],
    ],
)  # fmt: skip
def test_what_is_no_time_or_never_was_is_refused(given_text):
    with pytest.raises(PydanticCustomError):
        parse_time(given_text)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2998, 1, 1)), st.integers(-720, 720))  # noqa: DTZ001  on a wall
def test_an_instant_means_the_same_whatever_offset_it_is_written_with(moment, minutes):
    there = moment + timedelta(minutes=minutes)
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    written = parse_time(f"{there:%Y-%m-%dT%H:%M}{offset}")
    assert written.instant(NEW_YORK) == parse_time(f"{moment:%Y-%m-%dT%H:%M}Z").instant("UTC")
