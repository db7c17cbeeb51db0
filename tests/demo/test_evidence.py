"""The part of the story that nobody has to believe us."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from remit.demo.evidence import RECEIPT, _both_ends, check_elsewhere, receipt_of, show_timeline
from remit.demo.story import UnexpectedAnswerError

pytestmark = pytest.mark.e2e


@pytest.fixture
def stage(told, tmp_path):
    """The log of a told story, copied: a test may do with it what it likes."""
    shutil.copytree(told.stage.data / "audit", tmp_path / "data" / "audit")
    return replace(told.stage, folder=tmp_path)


async def test_the_story_of_a_grant_begins_with_its_page_and_ends_with_its_end(told, terminal):
    await show_timeline(told.stage, terminal.narrator)
    text = terminal.text
    assert "remit audit timeline grant grt_" in text
    assert text.index("consent.presented") < text.index("token.issued") < text.index("decision")
    assert text.index("decision") < text.index("grant.revoked")


@pytest.mark.parametrize(("length", "shown"), [(0, 0), (14, 14), (15, 15), (16, 15), (300, 15)])
def test_of_a_long_story_both_ends_are_shown_and_what_is_between_is_counted(length, shown):
    records = [
        {"observed": "2026-01-05T15:00:00.000Z", "kind": f"k{number}"} for number in range(length)
    ]
    lines = _both_ends(records)
    assert len(lines) == shown
    kinds = [what for _, what, _, _ in lines]
    assert kinds[:9] == [f"k{number}" for number in range(min(length, 9))]
    assert not length or kinds[-1] == f"k{length - 1}"
    assert length < 16 or kinds[9] == f"… {length - 14} more"


async def test_another_program_checks_it_with_what_was_kept(stage, told, terminal):
    assert told.receipts
    await check_elsewhere(stage, terminal.narrator, told.receipts)
    assert "remit-audit-verify evidence --key log.pub" in terminal.text
    assert "valid" in terminal.text


async def test_a_log_that_was_changed_is_no_happy_end(stage, told, terminal):
    segment = next((stage.data / "audit").rglob("*.jsonl"))
    content = bytearray(segment.read_bytes())
    content[content.index(b'"decision"') + 1] ^= 1
    segment.write_bytes(bytes(content))
    with pytest.raises(UnexpectedAnswerError, match="a log that verifies"):
        await check_elsewhere(stage, terminal.narrator, told.receipts)


async def test_a_receipt_that_the_log_does_not_keep_to_is_no_happy_end(stage, terminal):
    receipt = {"log": "remit/main", "decision": {"seq": 3, "leaf": "0" * 64}, "size": 9}
    with pytest.raises(UnexpectedAnswerError, match="a log that verifies"):
        await check_elsewhere(stage, terminal.narrator, [receipt])


@pytest.mark.parametrize("meta", [None, {}, {RECEIPT: "odd"}, "odd"])
def test_an_answer_without_a_receipt_has_none(meta):
    assert receipt_of(SimpleNamespace(meta=meta)) is None


def test_a_receipt_is_what_stands_beside_the_answer():
    assert receipt_of(SimpleNamespace(meta={RECEIPT: {"log": "a"}})) == {"log": "a"}
