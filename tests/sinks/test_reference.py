"""The page says what the code does."""

from pathlib import Path

from ocsf_json_schema import get_ocsf_schema

from remit.sinks.forms.ocsf import VERSION
from remit.sinks.forms.ocsf_kinds import ACTIVITIES, CLASSES
from remit.sinks.reference import render_reference

PAGE = Path(__file__).parents[2] / "docs/reference/ocsf.md"


def test_the_page_is_what_the_code_makes():
    assert PAGE.read_text() == render_reference(), (
        "run `python -m remit.sinks.reference > docs/reference/ocsf.md`"
    )


def test_activities_are_called_what_the_schema_calls_them():
    classes = get_ocsf_schema(version=VERSION)["classes"]
    for uid, named in ACTIVITIES.items():
        activities = classes[CLASSES[uid].name]["attributes"]["activity_id"]["enum"]
        for number, name in named.items():
            assert activities[str(number)]["caption"] == name
