from pathlib import Path

from remit.audit import events
from remit.audit.event import Event
from remit.audit.reference import render_reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "events.md"


def test_the_committed_page_is_what_the_classes_say():
    assert PAGE.read_text() == render_reference(), (
        "run `python -m remit.audit.reference > docs/reference/events.md`"
    )


def test_every_kind_has_its_section():
    classes = [getattr(events, name) for name in events.__all__]
    kinds = {one.kind for one in classes if issubclass(one, Event) and one is not Event}
    headings = {line[3:] for line in render_reference().splitlines() if line.startswith("## ")}
    assert headings == kinds
    assert len(kinds) > 25
