import json

from remit.cli.exits import ExitCode


def test_keys_are_listed_rotated_and_in_an_emergency_replaced(cli, folder):
    assert "signs" in cli("keys", "list").out
    assert "is published, and signs from" in cli("keys", "rotate").out
    again = cli("keys", "rotate")
    assert again.code == ExitCode.FOUND_WRONG
    assert "waits already" in again.err
    assert "every other key is retired" in cli("keys", "rotate", "--now", "--yes").out
    states = [key["state"] for key in json.loads(cli("keys", "list", "--json").out)]
    assert sorted(states) == ["retired", "retired", "signs"]


def test_the_only_key_that_signs_is_kept(cli, folder):
    (key,) = json.loads(cli("keys", "list", "--json").out)
    done = cli("keys", "retire", key["kid"], "--yes")
    assert done.code == ExitCode.FOUND_WRONG
    assert "no other key signs" in done.err
