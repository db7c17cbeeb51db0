"""Nonces that are known again without being kept."""

import pytest

from remit.tokens.dpop_nonce import NONCE_WINDOW, DpopNonces

START = 1_767_625_200  # the first second of a window
KEY = b"k" * 32


def test_a_nonce_is_good_in_its_window_and_the_next():
    nonces = DpopNonces(KEY)
    nonce = nonces.at(START)
    window = START // NONCE_WINDOW
    for later in (0, NONCE_WINDOW, 2 * NONCE_WINDOW - 1):
        assert nonces.window_of(nonce, START + later) == window
    assert nonces.window_of(nonce, START + 2 * NONCE_WINDOW) is None


def test_a_nonce_changes_with_its_window_only():
    nonces = DpopNonces(KEY)
    assert nonces.at(START) == nonces.at(START + NONCE_WINDOW - 1)
    assert nonces.at(START) != nonces.at(START + NONCE_WINDOW)


def test_whoever_has_the_key_knows_the_nonce_even_with_a_clock_behind():
    nonce = DpopNonces(KEY).at(START)
    assert DpopNonces(KEY).window_of(nonce, START - 1) == START // NONCE_WINDOW
    assert DpopNonces(KEY).window_of(nonce, START - NONCE_WINDOW - 1) is None


@pytest.mark.parametrize("nonce", ["", "x", "é", "a" * 24])
def test_nobody_makes_one_without_the_key(nonce):
    assert DpopNonces(KEY).window_of(nonce, START) is None
    assert DpopNonces(KEY).window_of(DpopNonces(b"o" * 32).at(START), START) is None


def test_a_short_key_is_none():
    with pytest.raises(ValueError, match="32 bytes"):
        DpopNonces(b"k" * 31)
