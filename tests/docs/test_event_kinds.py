"""The page of kinds has each of them once, with the class that the sinks give it."""

import re
from pathlib import Path

from remit.audit.record_schema import event_classes
from remit.sinks.forms.ocsf_kinds import CLASSES, meaning_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "event-kinds.md"
ROW = re.compile(
    r"^\| \[`([a-z_.]+)`\]\(events\.md#[a-z_]+\) \| (\w+) \| (\d+) ([^|]+) \| (\d+) \|$",
    re.MULTILINE,
)


def test_every_kind_stands_there_once_as_it_is_recorded_and_sent():
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    expected = []
    for kind, event in event_classes().items():
        uid, activity = meaning_of(kind)
        said = (str(uid), CLASSES[uid].caption, str(activity))
        expected.append((kind, event.durability.value, *said))
    assert sorted(rows) == sorted(expected)
