"""Keys that sign too long, clients that wait or are about to go."""

import pytest

from remit.cli.checkup import Level
from remit.cli.checkup.standing import (
    Standing,
    examine_standing,
    standing_of_database,
    standing_of_server,
)
from remit.clock import EpochSeconds
from remit.repository import load_repository
from remit.settings import Settings

NOW, DAY = EpochSeconds(2_000_000_000), 86_400


@pytest.fixture
def catalog(cli, folder):
    return load_repository(folder / "policy").catalog


def examine(catalog, **changes):
    known = {"signs_since": NOW, "waiting": {}, "leaving": {}, **changes}
    found = list(examine_standing(Standing(**known), catalog, now=NOW))
    assert all(one.mend for one in found if one.level is not Level.FINE)
    return {one.about: (one.level, one.text) for one in found}


@pytest.mark.parametrize(("days", "level"), [(1, Level.FINE), (180, Level.FINE), (181, Level.NOTE)])
def test_a_key_signs_no_longer_than_twice_its_lifetime(catalog, days, level):
    assert catalog.issuer.signing_key_lifetime == 90 * DAY
    assert examine(catalog, signs_since=NOW - days * DAY)["signing key"][0] is level


def test_before_the_first_start_there_is_no_key_to_speak_of(catalog):
    assert examine(catalog, signs_since=None) == {}


def test_who_waits_for_more_than_a_day_is_named_once(catalog):
    assert "registrations" not in examine(catalog, waiting={"dcr_1": NOW - DAY})
    found = examine(catalog, waiting={"dcr_1": NOW - 3 * DAY}, leaving={"dcr_1": NOW + 4 * DAY})
    level, text = found["registrations"]
    assert (level, "`dcr_1` waits" in text, "3 days" in text) == (Level.NOTE, True, True)
    assert "clients" not in found


def test_of_many_that_are_about_to_go_the_first_are_named(catalog):
    leaving = {f"dcr_{number}": NOW + number * DAY for number in range(1, 6)}
    level, text = examine(catalog, leaving=leaving)["clients"]
    assert level is Level.NOTE
    assert text.startswith("`dcr_1`, `dcr_2`, `dcr_3` and 2 more are about to be removed")
    assert "1 day" in text


def test_a_name_that_a_stranger_chose_writes_nothing_on_the_terminal(catalog):
    _, text = examine(catalog, leaving={"https://x.example/\x1b[31m`": NOW})["clients"]
    assert "\x1b" not in text


def test_a_server_is_taken_at_its_word():
    found = standing_of_server(
        [{"state": "waits", "signs_from": 9}, {"state": "signs", "signs_from": 5}],
        [{"client_id": "a", "waits_since": None, "created_at": 7}],
        [{"client_id": "b", "removal_at": 8}, {"client_id": "c", "removal_at": None}],
    )
    assert found == Standing(signs_since=5, waiting={"a": 7}, leaving={"b": 8})


def test_the_database_is_asked_where_no_server_runs(catalog, folder):
    settings = Settings(repo=folder / "policy", data=folder / "data")

    def standing():
        return standing_of_database(settings, catalog, resolve=str, now=NOW)

    found = standing()
    assert found.signs_since is not None
    assert (found.waiting, found.leaving) == ({}, {})
    (folder / "data" / "remit.sqlite3").unlink()
    assert standing() is None
    assert not (folder / "data" / "remit.sqlite3").exists()
