"""Decisions that looked at why a call was made, and at what was done before: told from the record, or said to be missing."""

import json
from dataclasses import replace

import pytest

from remit.api.explanation.rebuilt import rebuild
from remit.audit.record_seal import RecordKeys
from remit.model import AuditTreatment
from tests.api.explanation.test_operation import call, explain, refund, token

__all__ = ["call", "explain", "token"]

FACTS = """
networks:
  headquarters: [10.0.0.0/8]
history:
  asked: {measure: count, window: 1d, things: [payments/get_invoice]}
  refunded: {measure: sum, argument: amount, currency: USD, window: 1d, things: [payments/refund]}
  ever_asked: {measure: ever, of: grant, things: [payments/get_invoice]}
"""
ISSUE = '@id("issue") permit (principal, action == Remit::Action::"issue", resource);\n'
INVOICE = 'action == Remit::Action::"payments/get_invoice"'
REFUND = 'action == Remit::Action::"payments/refund"'
SAID = ("context.told", "context.told.ticket")
ALL = ("payments:invoices.read", "payments:refunds.create")


@pytest.fixture
async def under(app, call):
    """Puts policies in force, over three facts of history."""

    async def put(*policies) -> None:
        repository = app.settings.repo
        root = repository / "remit.yaml"
        text = root.read_text()
        if "  refunded: " not in text:
            root.write_text(text + FACTS)
        for one in (repository / "policies").iterdir():
            one.unlink()
        (repository / "policies" / "own.cedar").write_text(ISSUE + "\n".join(policies))
        for name in ("rules", "tests"):
            if (repository / name).is_dir():
                for one in (repository / name).iterdir():
                    one.unlink()
        kept = {name: one.pinning for name, one in app.directory.catalog.servers.items()}
        await app.reload()
        catalog = app.directory.catalog
        servers = {name: replace(one, pinning=kept[name]) for name, one in catalog.servers.items()}
        app.directory.replace_catalog(replace(catalog, servers=servers))

    return put


def reads(found) -> dict:
    (policy,) = found["policies"]
    return {one["attribute"]: (one["value"], one["held"]) for one in policy["reads"]}


async def test_a_reason_that_was_not_given_is_told_and_is_the_nearest_change(under, call, explain):
    await under(
        f'@id("why") forbid (principal, {INVOICE}, resource) unless {{ context has justification }};',
        f'@id("invoices") permit (principal, {INVOICE}, resource);',
    )
    found = await explain(await call("get_invoice", {"invoice_id": "inv-1"}))
    assert reads(found) == {"context.justification": (None, "absent")}
    assert found["now"] == {"outcome": "deny", "reason": "forbidden"}
    assert [one["kind"] for one in found["nearest"]] == ["justification", "policy"]
    assert found["notes"] == []


async def test_a_reason_decides_again_and_is_not_shown_where_the_log_has_a_pseudonym(
    under, call, explain
):
    await under(
        f'@id("words") forbid (principal, {INVOICE}, resource) when {{ context has justification '
        '&& context.justification like "*because I can*" };',
        f'@id("invoices") permit (principal, {INVOICE}, resource);',
    )
    found = await explain(await call("get_invoice", {"invoice_id": "inv-1"}, why="because I can"))
    assert reads(found) == {"context.justification": (None, "sealed")}
    assert found["justification"]["held"] == "sealed"
    assert found["now"] == {"outcome": "deny", "reason": "forbidden"}
    assert [one["kind"] for one in found["nearest"]] == ["policy"]
    assert "because I can" not in json.dumps(found)


async def test_a_reason_that_is_kept_is_shown(app, under, call, explain):
    await under(
        f'@id("words") forbid (principal, {INVOICE}, resource) when {{ context has justification }};'
    )
    catalog = app.directory.catalog
    server = replace(catalog.servers["payments"], justification=AuditTreatment.KEEP)
    app.directory.replace_catalog(replace(catalog, servers={**catalog.servers, "payments": server}))
    found = await explain(await call("get_invoice", {"invoice_id": "inv-1"}, why="ticket 7"))
    assert reads(found) == {"context.justification": ("ticket 7", "open")}
    assert found["justification"] == {"value": "ticket 7", "recorded": True, "held": "open"}


async def test_what_was_told_is_held_as_the_reason_is(app, under, call, explain):
    await under(
        f'@id("words") forbid (principal, {INVOICE}, resource) unless {{ context has told.ticket '
        '&& context.told.ticket like "CHG-*" };',
        f'@id("invoices") permit (principal, {INVOICE}, resource);',
    )
    why = {"reason": "audit", "ticket": "INC-7"}
    found = await explain(await call("get_invoice", {"invoice_id": "inv-1"}, why=why))
    assert reads(found) == dict.fromkeys(SAID, (None, "sealed"))
    assert "INC-7" not in json.dumps(found)
    none = await explain(await call("get_invoice", {"invoice_id": "inv-1"}))
    assert reads(none) == dict.fromkeys(SAID, (None, "absent"))
    catalog = app.directory.catalog
    server = replace(catalog.servers["payments"], justification=AuditTreatment.KEEP)
    app.directory.replace_catalog(replace(catalog, servers={**catalog.servers, "payments": server}))
    kept = await explain(await call("get_invoice", {"invoice_id": "inv-1"}, why=why))
    assert reads(kept) == {SAID[0]: (why, "open"), SAID[1]: ("INC-7", "open")}
    unfit = await explain(await call("get_invoice", {"invoice_id": "inv-1"}, why={"ticket": "7"}))
    assert reads(unfit) == dict.fromkeys(SAID, (None, "absent"))


async def test_a_reason_that_is_held_nowhere_is_not_guessed(app, under, call, explain, monkeypatch):
    await under(
        f'@id("words") forbid (principal, {INVOICE}, resource) when {{ context has justification '
        '&& context.justification like "*because I can*" };',
        f'@id("invoices") permit (principal, {INVOICE}, resource);',
    )
    decision = await call("get_invoice", {"invoice_id": "inv-1"}, why="because I can")
    # Another installation's key: what is sealed does not open.
    monkeypatch.setattr("remit.api.explanation.operation.rebuild", with_another_key())
    found = await explain(decision)
    assert reads(found) == {"context.justification": (None, "pseudonym")}
    assert found["now"]["outcome"] == "depends"
    assert any("policies read `context.justification`" in note for note in found["notes"])
    assert found["nearest"] == []


def with_another_key():
    def other(*given, record_key):
        return rebuild(*given, record_key=RecordKeys(bytes(len(record_key.secret))))

    return other


async def test_what_was_done_before_is_taken_from_the_record_with_its_values(under, call, explain):
    await under(
        f'@id("few") @refusal("enough") forbid (principal, {INVOICE}, resource)'
        " when { context.history.asked > 1 && context.history.ever_asked };",
        f'@id("invoices") permit (principal, {INVOICE}, resource) when {{ context.history.asked > 1 }};',
    )
    first = await explain(await call("get_invoice", {"invoice_id": "inv-1"}))
    assert first["because"] == "no policy permits it"
    (unmatched,) = first["policies"]
    assert (unmatched["id"], unmatched["matched"]) == ("invoices", False)
    assert reads(first) == {"context.history.asked": (1, "open")}
    assert first["now"] == {"outcome": "deny", "reason": "forbidden"}


async def test_an_amount_of_a_day_names_the_past_as_what_is_in_the_way(app, under, call, explain):
    await under(
        f'@id("a-day") forbid (principal, {REFUND}, resource)'
        ' when { context.history.refunded.greaterThan(decimal("100.0")) };',
        f'@id("refunds") permit (principal, {REFUND}, resource);',
    )
    await allowed_before(app, call, "80.00")
    found = await explain(await call("refund", refund("30.00")))
    assert reads(found) == {"context.history.refunded": ("110.0000", "open")}
    assert [one["name"] for one in found["history"]] == ["refunded"]
    assert found["now"] == {"outcome": "deny", "reason": "forbidden"}
    (_, change) = found["nearest"]
    assert (change["kind"], change["how"]) == (
        "history", "wait until it is longer ago than 1d, and call again",
    )  # fmt: skip
    alone = await explain(await call("refund", refund("110.00")))
    assert "history" not in [one["kind"] for one in alone["nearest"]]


async def allowed_before(app, call, amount) -> None:
    """One call that is allowed and counts; what the server makes of it does not matter."""
    with pytest.raises(KeyError):
        await call("refund", refund(amount))


async def test_a_call_refused_before_its_past_was_looked_at_says_that_it_is_not_held(
    under, call, explain
):
    await under(
        f'@id("a-day") forbid (principal, {REFUND}, resource)'
        ' when { context.history.refunded.greaterThan(decimal("100.0")) };',
        f'@id("refunds") permit (principal, {REFUND}, resource);',
    )
    found = await explain(await call("refund", refund("5.00"), scopes=("payments:invoices.read",)))
    assert found["reason"] == "insufficient_scope"
    assert found["now"]["outcome"] == "deny"
    assert [one["kind"] for one in found["nearest"]] == ["authorize"]
    assert any("`context.history.refunded`, which the log does not hold" in one for one in found["notes"])  # fmt: skip
    assert any("not where a call is refused before" in one for one in found["notes"])


async def test_a_past_that_no_policy_read_then_is_not_taken_for_none(under, call, explain):
    await under(f'@id("never") forbid (principal, {REFUND}, resource);')
    decision = await call("refund", refund("5.00"))
    await under(
        f'@id("a-day") forbid (principal, {REFUND}, resource)'
        ' when { context.history.refunded.greaterThan(decimal("100.0")) };',
        f'@id("refunds") permit (principal, {REFUND}, resource);',
    )
    found = await explain(decision)
    assert found["now"] == {"outcome": "depends", "reason": "arguments"}
    assert found["nearest"] == []
    assert any("`context.history.refunded`" in one for one in found["notes"])
    assert "it would be allowed now" not in found["notes"]


async def test_currency_networks_strength_and_attributes_are_told_as_they_were(
    under, call, explain
):
    await under(
        f'@id("all") forbid (principal, {REFUND}, resource) when {{'
        ' context.arguments.amount.currency == "USD" && context.authentication.amr.contains("pwd")'
        ' && context.environment == "prod" && !context.networks.contains("headquarters")'
        ' && !principal.hasTag("department") && resource.sensitivity_rank > 0'
        ' && context.agent.class == "assistant" && context.token.scopes.contains("payments:refunds.create")'
        " && context.time.hour >= 0 };"
    )
    told = reads(await explain(await call("refund", refund("5.00"), scopes=ALL)))
    assert told['principal tag "department"'] == (None, "absent")
    assert told["context.arguments.amount.currency"] == ("USD", "open")
    assert told["context.authentication.amr"] == (["pwd"], "open")
    assert told["context.environment"] == ("prod", "open")
    assert told["context.networks"] == ([], "open")
    assert told["context.agent.class"] == ("assistant", "open")
    assert told["context.token.scopes"] == ([*ALL], "open")
    assert told["resource.sensitivity_rank"][1] == "open"
    assert isinstance(told["context.time.hour"][0], int)
