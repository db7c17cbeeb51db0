"""What of a child's standard error reaches the operator's log."""

import logging

import pytest

from remit.gateway.upstream.stderr_log import StderrLog


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    return StderrLog("crm", secrets=("hunter22", "no"))


def test_lines_are_logged_whole_however_they_are_cut(log, caplog):
    log.take(b"one\ntw")
    log.take(b"o\nthree")
    log.end()
    assert [record.message for record in caplog.records] == [
        f"upstream crm: {word}" for word in ("one", "two", "three")
    ]


@pytest.mark.parametrize(
    "line", [b"key=hunter22", b"Bearer abc", b"bearer   abc", b"got eyJhbGciOi.eyJpc3Mi.sig"]
)
def test_secrets_and_tokens_are_hidden(log, caplog, line):
    log.take(line + b"\n")
    assert "[secret]" in caplog.text
    assert not any(secret in caplog.text for secret in ("hunter22", "abc", "eyJ"))


def test_a_line_cannot_forge_another_or_colour_the_terminal(log, caplog):
    log.take(b"a\rb\x1b[31mc\x00\n")
    assert caplog.records[0].message == "upstream crm: a b [31mc"


def test_a_flood_is_cut_off(log, caplog):
    log.take(b"x\n" * 10_000)
    assert len(caplog.records) == 50


def test_a_line_without_end_is_not_kept_for_ever(log, caplog):
    for _ in range(100):
        log.take(b"x" * 1000)
    assert len(log._rest) <= 8 * 1024
    assert all(len(record.message) < 600 for record in caplog.records)
