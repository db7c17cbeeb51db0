"""Which class a kind is of."""

import pytest

from remit.sinks.forms.ocsf_kinds import CLASSES, KINDS, meaning_of


def test_every_row_is_of_a_class_that_there_is():
    assert {uid for uid, _ in KINDS.values()} <= set(CLASSES)


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("agent.suspended", (3004, 12)),
        ("agent.resumed", (3004, 13)),
        ("token.issued", (3003, 1)),
        ("grant.revoked", (3005, 2)),
        ("token.reuse_detected", (2004, 1)),
        ("authn.login", (3002, 1)),
        ("audit.started", (1008, 6)),
        ("decision", (6003, 99)),
    ],
)
def test_what_auditors_look_for_is_where_they_look(kind, meaning):
    assert meaning_of(kind) == meaning


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("widget.created", (3004, 1)),
        ("widget.revoked", (3004, 4)),
        ("widget.turned", (3004, 99)),
        ("account.merged", (3001, 99)),
        ("list.tools", (6003, 99)),
        ("", (3004, 99)),
    ],
)
def test_what_is_new_is_an_entity_of_its_noun_with_its_verb(kind, meaning):
    assert meaning_of(kind) == meaning
