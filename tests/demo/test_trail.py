import shutil
from dataclasses import replace

import pytest

from remit.demo.story import UnexpectedAnswerError
from remit.demo.trail import show_trail, tamper, verified
from tests.demo.conftest import Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def stage(told, tmp_path):
    """The log of a told story, copied: a test may do with it what it likes."""
    shutil.copytree(told.stage.data / "audit", tmp_path / "data" / "audit")
    return replace(told.stage, folder=tmp_path)


def test_the_trail_shows_everything_that_was_decided(told):
    terminal = Terminal(width=200)
    show_trail(told.stage, terminal.narrator)
    for words in ("client.registered", "consent.granted", "consent.denied", "token.issued",
                  "insufficient scope: crm:accounts.write", "forbidden", "grant.revoked", "missing token"):  # fmt: skip
        assert words in terminal.text


def test_the_log_verifies_and_says_how_much(stage):
    assert verified(stage) >= 20


def test_a_flipped_bit_is_found_and_named(stage, terminal):
    tamper(stage, terminal.narrator)
    assert "`deny` becomes `eeny`" in terminal.text
    assert "altered, or not the record that was here" in " ".join(terminal.text.split())
    assert "the last provably good record is" in terminal.text


def test_the_log_itself_is_not_touched_by_the_demonstration_of_tampering(stage, terminal):
    before = verified(stage)
    tamper(stage, terminal.narrator)
    assert verified(stage) == before


def test_a_log_that_does_not_verify_is_no_happy_end(stage):
    (segment,) = (stage.data / "audit").rglob("*.jsonl")
    content = bytearray(segment.read_bytes())
    content[content.index(b'"decision"') + 1] ^= 1
    segment.write_bytes(bytes(content))
    with pytest.raises(UnexpectedAnswerError, match="does not verify"):
        verified(stage)
