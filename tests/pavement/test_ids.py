"""Identifiers sort by time; secrets are kept as digests."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from remit.ids import IdSource, digest, matches_digest, new_id, new_secret


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


def test_a_source_makes_the_same_sort_of_ids(monkeypatch):
    source = IdSource()
    moments = iter(range(1, 500))
    monkeypatch.setattr("remit.ids.time.time_ns", lambda: next(moments) * 1_000_000)
    made = [source.new_id("dec") for _ in range(400)]
    assert all(re.fullmatch(r"dec_[0-9a-z]{26}", one) for one in made)
    assert made == sorted(made)
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("octet", [0x00, 0xFF])
def test_every_bit_of_an_id_beyond_its_time_is_the_systems(monkeypatch, octet):
    monkeypatch.setattr("remit.ids.time.time_ns", lambda: 0)
    monkeypatch.setattr("remit.ids.secrets.token_bytes", lambda count: bytes([octet]) * count)
    low, high = "0" * 26, "0" * 9 + "3" + "z" * 16
    assert IdSource().new_id("x") == f"x_{high if octet else low}"


def test_no_two_threads_get_the_same_bits(monkeypatch):
    monkeypatch.setattr("remit.ids.time.time_ns", lambda: 0)
    source = IdSource()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: source.new_id("x"), range(4_000)))
    assert len(set(made)) == len(made)


def test_a_forked_process_asks_for_bits_of_its_own(monkeypatch):
    monkeypatch.setattr("remit.ids.time.time_ns", lambda: 0)
    source = IdSource()
    source.new_id("x")
    begun = source._bits.copy()
    monkeypatch.setattr("remit.ids.os.getpid", lambda: -1)
    source.new_id("x")
    assert not set(source._bits) & set(begun)
