import ast
import dataclasses
import re
from collections import Counter
from pathlib import Path

import pytest

from remit.audit import events
from remit.audit.context import Context
from remit.audit.event import Event

ROOT = Path(events.__file__).parent
CLASSES = [
    one
    for name in events.__all__
    if isinstance(one := getattr(events, name), type)
    and issubclass(one, Event)
    and one is not Event
]


def test_no_two_events_have_one_kind():
    counts = Counter(one.kind for one in CLASSES)
    assert [kind for kind, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("event", CLASSES, ids=lambda one: one.__name__)
def test_every_event_is_a_frozen_slotted_value_with_a_name_of_the_convention(event):
    assert re.fullmatch(r"[a-z]+(\.[a-z_]+)?", event.kind)
    assert dataclasses.is_dataclass(event)
    assert event.__dataclass_params__.frozen
    assert "__slots__" in event.__dict__
    assert dataclasses.fields(event)[0].type is Context


def test_every_event_class_in_the_room_is_reachable_through_events():
    declared = {
        node.name
        for module in ROOT.glob("*events.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    assert declared == {one.__name__ for one in CLASSES}
