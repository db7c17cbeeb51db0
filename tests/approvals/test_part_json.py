"""The parts of a request come back as they were written, and anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.approvals.part_json import UnreadablePartsError, parts_json, read_parts
from remit.approvals.request import Part, PartKind
from remit.canonical import canonical_bytes, parse_json
from remit.model import Escalation

_TEXT = st.text(min_size=1, max_size=10)
_SECONDS = st.integers(0, 10**9)
PARTS = st.builds(
    Part,
    kind=st.sampled_from(PartKind),
    acr=st.none() | _TEXT,
    fresh=st.none() | _SECONDS,
    anew=st.booleans(),
    role=st.none() | _TEXT,
    quorum=st.integers(1, 9),
    rule=st.text(max_size=10),
    owners=st.booleans(),
    escalation=st.none() | st.builds(Escalation, after=_SECONDS, role=_TEXT),
    scope=st.none() | _TEXT,
    notify=st.lists(_TEXT, max_size=3).map(tuple),
)


@given(st.lists(PARTS, max_size=4).map(tuple))
def test_they_come_back_as_they_were(parts):
    assert read_parts(parse_json(canonical_bytes(parts_json(parts)))) == parts


GOOD = parts_json([Part(kind=PartKind.APPROVAL, role="manager")])[0]


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [7],
        [{}],
        [{**GOOD, "kind": "blessing"}],
        [{**GOOD, "quorum": "2"}],
        [{**GOOD, "quorum": True}],
        [{**GOOD, "fresh": 1.5}],
        [{**GOOD, "escalation": {"after": 1}}],
    ],
)
def test_anything_else_is_refused(value):
    with pytest.raises(UnreadablePartsError):
        read_parts(value)
