"""Identifiers sort by time; secrets are kept as digests."""

import re

from remit.ids import digest, matches_digest, new_id, new_secret


def test_an_id_names_its_kind_and_cannot_be_mistaken_for_a_url():
    made = new_id("cli")
    assert re.fullmatch(r"cli_[0-9a-z]{26}", made)


def test_ids_are_unique_and_sort_by_time(monkeypatch):
    moments = iter(range(1, 500))
    monkeypatch.setattr("remit.ids.time.time_ns", lambda: next(moments) * 1_000_000)
    made = [new_id("x") for _ in range(400)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_secret_has_256_bits_and_its_prefix():
    made = new_secret("rt_")
    assert made.startswith("rt_")
    assert len(made) - len("rt_") == 43
    assert made != new_secret("rt_")


def test_only_the_secret_itself_matches_its_digest():
    secret = new_secret()
    assert matches_digest(secret, digest(secret))
    assert not matches_digest(secret + "x", digest(secret))
    assert not matches_digest("", digest(secret))
    assert secret not in digest(secret)
