"""Who gets what."""

import pytest

from remit.model import SinkRules
from remit.sinks.selection import is_for

DECISION = {"kind": "decision", "tenant": "acme"}
GAP = {"kind": "audit.gap", "tenant": None, "body": {"sink": "siem"}}


def rules(**changes):
    return SinkRules(name="siem", kind="webhook", **changes)


@pytest.mark.parametrize(
    ("entry", "changes", "gets"),
    [
        (DECISION, {}, True),
        (DECISION, {"kinds": ("decision",)}, True),
        (DECISION, {"kinds": ("decision.*",)}, False),
        (DECISION, {"kinds": ("grant.*", "token.*")}, False),
        ({"kind": "grant.revoked"}, {"kinds": ("grant.*",)}, True),
        ({"kind": "grants.revoked"}, {"kinds": ("grant.*",)}, False),
        (DECISION, {"tenants": ("acme",)}, True),
        (DECISION, {"tenants": ("globex",)}, False),
        (DECISION, {"tenants": ("acme",), "kinds": ("grant.*",)}, False),
        ({"kind": "audit.started", "tenant": None}, {"tenants": ("acme",)}, False),
        ({"kind": "audit.started", "tenant": None}, {}, True),
        (GAP, {"tenants": ("acme",), "kinds": ("decision",)}, True),
        ({**GAP, "body": {"sink": "other"}}, {"tenants": ("acme",)}, False),
        ({**GAP, "body": None}, {"kinds": ("decision",)}, False),
        ({"kind": 7}, {}, True),
        ({"kind": 7}, {"kinds": ("decision",)}, False),
        ({}, {"tenants": ("acme",)}, False),
    ],
)
def test_a_sink_gets_its_kinds_of_its_organisations_and_every_word_of_its_own_gaps(
    entry, changes, gets
):
    assert is_for(rules(**changes), entry) is gets
