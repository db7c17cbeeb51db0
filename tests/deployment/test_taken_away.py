"""What a change takes away is recorded for itself, before it takes effect."""

import pytest

from remit.audit.events import AuditRulesChanged, PolicyDisabled, PolicyLoaded
from remit.deployment.loaded import load_bundle
from tests.deployment.conftest import CALM, FORBID, Process, bundle

OBSERVED = {
    "policies/none.cedar": '@id("none")\n@mode("observe")\nforbid (principal, action, resource);\n'
}
SINK = {
    "audit.yaml": "sinks: {siem: {kind: webhook, url: 'https://siem.example/', secret: 'env:X'}}\n"
}


async def put(process: Process, *changes: dict[str, str]) -> list[str]:
    for one in changes:
        await process.in_force.put(load_bundle(bundle(one)))
    return [event.kind for event in process.log.events]


@pytest.mark.parametrize(
    ("before", "after", "removed", "observing"),
    [
        (CALM, FORBID, ("less",), ()),
        (FORBID, {}, ("none",), ()),
        (FORBID, OBSERVED, (), ("policy none",)),
        (CALM, OBSERVED, ("less",), ("policy none",)),
    ],
)
async def test_what_refuses_no_more_is_said_before_it_refuses_no_more(
    process, before, after, removed, observing
):
    kinds = await put(process, before, after)
    (event,) = process.log.of(PolicyDisabled)
    assert (event.removed, event.observing) == (removed, observing)
    assert event.bundle == process.bundle
    assert kinds.index("policy.disabled") < len(kinds) - 1 - kinds[::-1].index("policy.loaded")


@pytest.mark.parametrize("changes", [(FORBID, CALM), (OBSERVED, FORBID), ({}, FORBID), (FORBID,)])
async def test_what_refuses_more_takes_nothing_away(process, changes):
    kinds = await put(process, *changes)
    assert "policy.disabled" not in kinds
    assert process.log.of(PolicyLoaded)


async def test_who_no_longer_gets_a_copy_is_a_change_of_the_logs_own_rules(process):
    kinds = await put(process, SINK, {})
    first, second = process.log.of(AuditRulesChanged)
    assert first.changed == second.changed == ("sinks",)
    assert (first.before, first.after) == (second.after, second.before)
    assert kinds.index("audit.rules_changed") < kinds.index("policy.loaded")
    assert "siem.example" not in repr(first)


async def test_rules_that_only_stand_elsewhere_are_the_same(process):
    one = {"audit.yaml": "retention: {kinds: {decision: 400d, 'grant.*': 500d}}\n"}
    other = {"audit.yaml": "retention:\n  kinds:\n    'grant.*': 500d\n    decision: 400d\n"}
    await put(process, one, other)
    assert len(process.log.of(AuditRulesChanged)) == 1
