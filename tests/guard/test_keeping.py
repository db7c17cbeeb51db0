"""What the record of a real decision keeps: by the schema that was admitted, the rules of the repository, and what detectors find."""

from dataclasses import replace
from types import MappingProxyType

import orjson
import pytest

from remit.audit.events import Decided
from remit.audit.record_seal import RecordKeys, RecordSeal
from remit.audit.redact import Redactor
from remit.audit.subject_keys import SubjectKeys
from remit.guard.definitions import Definitions
from remit.guard.redaction import spoken
from remit.model import AuditRules, AuditTreatment, Classification, RedactionRule
from remit.policy import ResourceKind
from remit.testing.catalog import CRM, GLOBEX, PAYMENTS
from remit.testing.clock import FixedClock

SECRET = b"s" * 32
CARD = "4111 1111 1111 1111"


def admit(world, **properties):
    key = (CRM, ResourceKind.TOOL, "get_account")
    world.directory.definitions = Definitions(
        schemas=MappingProxyType({key: {"properties": properties}})
    )


def rule(world, *rules, **more):
    world.directory.catalog = replace(
        world.directory.catalog, audit=AuditRules(redaction=rules, **more)
    )


async def kept(world, **arguments):
    await world.guard.decide(world.call(arguments={"account": "acc_1", **arguments}))
    return world.audit.of(Decided)[-1].input


async def test_an_admitted_schema_says_what_is_kept(world):
    admit(
        world,
        city={"x-remit-audit": "keep"},
        card={"x-remit-class": "pan", "x-remit-audit": "last4"},
    )
    found = await kept(world, city="Ulm", card=CARD, other="x")
    assert found["city"] == "Ulm"
    assert found["card"] == "****1111"
    assert found["other"].startswith("tok1.text.")


async def test_a_rule_holds_where_it_fits_and_nowhere_else(world):
    keep = AuditTreatment.KEEP
    rule(
        world,
        RedactionRule(path="$.a", treatment=keep),
        RedactionRule(path="$.b", treatment=keep, servers=(PAYMENTS,)),
        RedactionRule(path="$.c", treatment=keep, tools=("crm/update_account",)),
        RedactionRule(path="$.d", treatment=keep, tenants=(GLOBEX,)),
        RedactionRule(path="$.e", treatment=keep, servers=(CRM,), tools=("crm/get_account",)),
    )
    found = await kept(world, a="yes", b="no", c="no", d="no", e="yes")
    assert {name for name, value in found.items() if value == "yes"} == {"a", "e"}
    assert "no" not in found.values()


async def test_what_is_kept_is_looked_through_unless_the_detector_is_off(world):
    rule(world, RedactionRule(path="$.note", treatment=AuditTreatment.KEEP))
    found = await kept(world, note=f"card {CARD} of ann@example.com")
    assert found["note"].startswith("card tok1.pan.")
    assert "ann@" not in found["note"]
    rule(
        world,
        RedactionRule(path="$.note", treatment=AuditTreatment.KEEP),
        detectors_off=frozenset({"email"}),
    )
    found = await kept(world, note=f"card {CARD} of ann@example.com")
    assert found["note"].endswith(" of ann@example.com")


async def test_a_changed_rule_and_a_changed_schema_hold_from_the_next_call_on(world):
    assert (await kept(world, city="Ulm"))["city"] != "Ulm"
    admit(world, city={"x-remit-audit": "keep"})
    assert (await kept(world, city="Ulm"))["city"] == "Ulm"
    admit(world, city={"x-remit-audit": "drop"})
    assert (await kept(world, city="Ulm"))["+omitted"] == 1
    rule(world, RedactionRule(path="$", treatment=AuditTreatment.DROP))
    assert await kept(world, city="Ulm") == {"+omitted": 2}


async def sealed(world, **arguments):
    """What the record of a call holds sealed, opened."""
    keys = SubjectKeys(FixedClock())
    world.redactor = Redactor(b"k" * 32, record_seal=RecordSeal(SECRET, writers=keys))
    await world.new_guard().decide(world.call(arguments={"account": "acc_1", **arguments}))
    event = world.audit.events[-1]
    [key] = keys.waiting()
    assert key.owner.subject == event.context.user_id
    opener = RecordSeal(RecordKeys(SECRET, {key.id: key.key}))
    found = opener.open(event.sealed_arguments, decision=event.decision_id, tenant="acme")
    return orjson.loads(found)["a"]


async def test_what_a_rule_wants_sealed_is_in_the_record_under_the_key_of_the_person(world):
    rule(
        world,
        RedactionRule(
            path="$.notes", treatment=AuditTreatment.SEAL, classification=Classification.PHI
        ),
    )
    found = await sealed(world, notes="well")
    assert found["/notes"] == "well"
    assert world.recorded.input["notes"].startswith("tok1.phi.")


async def test_what_is_dropped_is_not_sealed_either_though_policies_may_read_it(world):
    rule(world, RedactionRule(path="$.notes", treatment=AuditTreatment.SEAL))
    assert "/account" in await sealed(world, notes="x")
    rule(
        world,
        RedactionRule(path="$.notes", treatment=AuditTreatment.SEAL),
        RedactionRule(path="$.account", treatment=AuditTreatment.DROP),
    )
    assert "/account" not in await sealed(world, notes="x")


async def test_too_much_to_seal_leaves_out_what_no_policy_reads(world):
    rule(world, RedactionRule(path="$.notes", treatment=AuditTreatment.SEAL))
    found = await sealed(world, notes="x" * 5_000)
    assert found.keys() == {"/account"}


async def test_a_name_that_is_a_secret_is_not_in_the_record(world):
    await world.guard.decide(replace(world.call(), name=f"tool {CARD}", jsonrpc_id=f"id {CARD}"))
    assert "1111" not in str(world.audit.entries[-1])
    assert world.recorded.name == "tool [pan]"
    assert world.recorded.jsonrpc_id == "id [pan]"


@pytest.mark.parametrize("name", ["get_account", "crm://accounts/acc-1", "tools/call", "7", ""])
def test_a_name_that_is_none_stays(name):
    assert spoken(name) == name


def test_a_long_name_is_cut_after_it_was_looked_through():
    assert CARD[:8] not in spoken("x" * 250 + " " + CARD)
