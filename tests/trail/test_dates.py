import pytest

from remit.trail.dates import Dates, Style, UnknownZoneError

NEW_YORK = Dates(Style.US, "America/New_York")


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        ("2026-01-31T05:07:09.012Z", "01/31/2026 12:07:09.012 AM EST"),
        ("2026-07-04T16:00:00.000Z", "07/04/2026 12:00:00.000 PM EDT"),
        # The hour that clocks go through twice, and the one that they leave out.
        ("2026-11-01T05:30:00.000Z", "11/01/2026 01:30:00.000 AM EDT"),
        ("2026-11-01T06:30:00.000Z", "11/01/2026 01:30:00.000 AM EST"),
        ("2026-03-08T06:59:59.999Z", "03/08/2026 01:59:59.999 AM EST"),
        ("2026-03-08T07:00:00.000Z", "03/08/2026 03:00:00.000 AM EDT"),
    ],
)
def test_an_instant_is_month_first_in_a_named_zone_across_the_change_of_clocks(observed, shown):
    assert NEW_YORK.shown(observed) == shown


def test_a_zone_without_a_name_is_told_by_its_distance():
    shown = Dates(Style.US, "Asia/Almaty").shown("2026-07-01T00:00:00.000Z")
    assert shown == "07/01/2026 05:00:00.000 AM UTC+0500"


def test_by_default_it_is_what_the_log_has():
    assert Dates().is_plain
    assert Dates().shown("2026-07-01T00:00:00.000Z") == "2026-07-01T00:00:00.000Z"
    in_zone = Dates(Style.ISO, "Europe/Berlin")
    assert in_zone.shown("2026-07-01T00:00:00.000Z") == "2026-07-01T02:00:00.000+02:00"


@pytest.mark.parametrize("text", ["", "yesterday", "9999-12-31T23:59:59.999Z0"])
def test_what_is_no_instant_is_shown_as_it_is(text):
    assert NEW_YORK.shown(text) == text


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_a_zone_that_there_is_not_is_refused(zone):
    with pytest.raises(UnknownZoneError):
        Dates(Style.US, zone)
