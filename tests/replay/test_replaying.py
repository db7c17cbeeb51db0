"""Recorded calls decided again: all of them equal under the same bundle, and planted changes found exactly."""

from collections import Counter
from decimal import Decimal

import orjson
import pytest

from remit.replay import Shift, replay
from remit.repository import load_repository
from remit.testing.traffic import RECORD_KEY, Traffic, record_calls
from tests.replay.conftest import Busy, opened

POLICIES = "policies/all.cedar"
END = '@id("outside")'


@pytest.mark.timeout(400)
def test_ten_thousand_decisions_are_all_equal_under_the_bundle_that_took_them(busy, tmp_path):
    record_calls(
        load_repository(busy.repository), tmp_path / "log" / "main", Traffic(count=10_000, seed=99)
    )
    report = Busy(busy.repository, tmp_path / "log").replay(workers=2)
    assert report.recorded == report.decided == report.verified == report.equal == 10_000
    assert report.counts == {}


def test_the_log_is_varied_enough_to_show_anything(busy):
    reasons = Counter(one["body"]["reason"] for one in busy.decisions())
    assert reasons.keys() >= {"permitted", "forbidden", "insufficient_scope", "not_found"}
    assert min(reasons["permitted"], reasons["forbidden"]) > 200
    assert sum(one["body"]["sealed_arguments"] is not None for one in busy.decisions()) > 500


def found(report, shift):
    """How many calls of each person, agent and thing shifted so."""
    counted = Counter()
    for group in report.of(shift):
        counted[group.user, group.agent, group.server, group.name] += group.count
    return counted


def expected(busy, affected):
    """The same, of the calls that `affected` says are."""
    return Counter(
        (one["user"] or "", one["agent"], one["body"]["server"], one["body"]["name"])
        for one in busy.decisions()
        if affected(one)
    )


def is_allowed(entry):
    return entry["body"]["outcome"] == "allow"


def is_of(entry, server, name):
    return entry["body"]["server"] == server and entry["body"]["name"] == name


def test_an_added_forbid_refuses_exactly_the_calls_that_it_matches(busy, tmp_path):
    forbid = '@id("no") forbid (principal, action == Remit::Action::"crm/get_order", resource);\n'
    new = busy.candidate(tmp_path, (POLICIES, END, forbid + END))
    report = busy.replay(new)
    wanted = expected(busy, lambda one: is_allowed(one) and is_of(one, "crm", "get_order"))
    assert wanted
    assert found(report, Shift.NEWLY_REFUSED) == wanted
    assert report.newly_refused == wanted.total()
    assert report.newly_allowed == report.undecided == report.drifted == 0


def test_a_removed_permit_refuses_exactly_what_it_alone_permitted(busy, tmp_path):
    permit = '@id("calls")\npermit (principal, action in Remit::Action::"call", resource);'
    only = (
        '@id("calls")\npermit (principal, action in Remit::Action::"call", resource)\n'
        'unless { principal.roles.contains("sales") };'
    )
    new = busy.candidate(tmp_path, (POLICIES, permit, only))
    report = busy.replay(new)
    wanted = expected(
        busy, lambda one: is_allowed(one) and "sales" in one["body"]["claims"]["roles"]
    )
    assert wanted
    assert found(report, Shift.NEWLY_REFUSED) == wanted
    assert report.newly_allowed == report.undecided == 0


def test_a_raised_limit_allows_exactly_the_amounts_between(busy, tmp_path):
    """The amounts are nowhere in the log but under the seal."""
    new = busy.candidate(tmp_path, (POLICIES, '"500.00"', '"900.00"'))
    report = busy.replay(new)

    def between(entry):
        body = entry["body"]
        if body["rules"] != [{"effect": "forbid", "id": "crm-account-limit"}]:
            return False
        assert body["input"]["amount"].startswith("tok1.")
        return Decimal(str(opened(entry)["a"]["/amount"])) <= 900

    wanted = expected(busy, between)
    assert wanted
    assert found(report, Shift.NEWLY_ALLOWED) == wanted
    assert report.newly_refused == report.undecided == 0


def test_a_role_that_loses_a_scope_loses_exactly_the_calls_that_need_it(busy, tmp_path):
    new = busy.candidate(tmp_path, ("roles.yaml", "crm:items.read, ", ""))
    old = busy.loaded()
    (role,) = [one for one in old.catalog.roles if old.catalog.roles[one] != new.catalog.roles[one]]
    still = {one for one, held in new.catalog.roles.items() if "crm:items.read" in held.scopes}
    report = busy.replay(new)

    def loses(entry):
        roles = set(entry["body"]["claims"]["roles"])
        reads = entry["body"]["server"] == "crm" and entry["body"]["name"].startswith("get_")
        return is_allowed(entry) and reads and role in roles and not roles & still

    wanted = expected(busy, loses)
    assert wanted
    assert found(report, Shift.NEWLY_REFUSED) == wanted
    assert report.newly_allowed == 0


def test_a_tool_that_is_gone_is_gone_for_exactly_those_who_used_it(busy, tmp_path):
    text = (busy.repository / "servers/wiki.yaml").read_text()
    begin = text.index("  get_order:")
    tool = text[begin : text.index("  pay_order:")]
    new = busy.candidate(tmp_path, ("servers/wiki.yaml", tool, ""))
    report = busy.replay(new)
    wanted = expected(busy, lambda one: is_allowed(one) and is_of(one, "wiki", "get_order"))
    assert wanted
    assert found(report, Shift.NEWLY_REFUSED) == wanted


def test_a_rule_that_only_watches_from_now_on_is_told_as_what_it_would_refuse(busy, tmp_path):
    watching = '@id("watch") @mode("observe")\nforbid (principal, action == Remit::Action::"hr/get_file", resource);\n'
    new = busy.candidate(tmp_path, (POLICIES, END, watching + END))
    report = busy.replay(new)
    wanted = expected(busy, lambda one: is_allowed(one) and is_of(one, "hr", "get_file"))
    assert found(report, Shift.OBSERVED) == wanted
    assert report.newly_refused == report.newly_allowed == 0
    assert {group.rules_after for group in report.of(Shift.OBSERVED)} <= {("calls",), ("watch",)}


def test_another_name_for_a_rule_changes_the_rules_and_nothing_else(busy, tmp_path):
    new = busy.candidate(tmp_path, (POLICIES, '@id("interns-read")', '@id("interns-only-read")'))
    report = busy.replay(new)
    wanted = expected(
        busy, lambda one: "interns-read" in [rule["id"] for rule in one["body"]["rules"]]
    )
    assert found(report, Shift.RULES) == wanted
    assert report.counts == {"rules_changed": wanted.total()}


def test_a_call_that_lacks_another_scope_than_before_is_refused_otherwise(busy, tmp_path):
    """A client that was sent for one scope would be sent for another."""
    text = (busy.repository / "servers/crm.yaml").read_text()
    begin = text.index("  export_file:")
    tool = text[begin:]
    new = busy.candidate(
        tmp_path,
        ("servers/crm.yaml", tool, tool.replace("crm:items.delete", "crm:items.write", 1)),
    )
    report = busy.replay(new)
    assert {(one.server, one.name) for one in report.groups} == {("crm", "export_file")}
    assert report.counts.keys() & {"newly_allowed", "challenge_changed"}


def test_an_organisation_is_told_of_its_own_calls_alone(busy, tmp_path):
    forbid = '@id("no") forbid (principal, action in Remit::Action::"read", resource);\n'
    new = busy.candidate(tmp_path, (POLICIES, END, forbid + END))
    whole = busy.replay(new)
    parts = {
        tenant: busy.replay(new, records=busy.records(tenant=tenant))
        for tenant in ("acme", "globex", "initech")
    }
    for tenant, part in parts.items():
        assert part.tenant == tenant
        assert part.groups
        assert {group.tenant for group in part.groups} == {tenant}
        own = [one for one in busy.decisions() if one["tenant"] == tenant]
        assert part.recorded == len(own)
        ids = {one["body"]["decision_id"] for one in own}
        assert all(
            example.decision_id in ids for group in part.groups for example in group.examples
        )
    assert sum(part.recorded for part in parts.values()) == whole.recorded
    assert sum(part.newly_refused for part in parts.values()) == whole.newly_refused


def test_what_several_processes_come_to_is_what_one_comes_to(busy, tmp_path):
    forbid = '@id("no") forbid (principal, action in Remit::Action::"read", resource);\n'
    new = busy.candidate(tmp_path, (POLICIES, END, forbid + END))
    assert busy.replay(new, workers=2).as_json() == busy.replay(new, workers=0).as_json()


def test_without_the_key_what_is_sealed_counts_as_not_recorded_and_nothing_is_guessed(
    busy, tmp_path
):
    new = busy.candidate(tmp_path, (POLICIES, '"500.00"', '"900.00"'))
    report = busy.replay(new, record_key=None)
    assert report.newly_allowed == 0
    assert report.undecided > 0
    assert {(one.server, one.name) for one in report.of(Shift.UNDECIDED)} == {
        ("crm", "pay_account")
    }
    assert "`context.arguments.amount` was not recorded" in report.of(Shift.UNDECIDED)[0].because
    assert busy.replay(record_key=None).undecided == 0


def test_an_argument_that_an_annotation_alone_looks_at_is_no_guess_either(busy, tmp_path):
    why = (
        '@id("why") @require_justification("rows")\n'
        'forbid (principal, action == Remit::Action::"crm/export_file", resource);\n'
    )
    new = busy.candidate(tmp_path, (POLICIES, END, why + END))
    sure, unsure = busy.replay(new), busy.replay(new, record_key=None)
    assert (sure.newly_refused, sure.undecided, unsure.newly_refused) == (0, 0, 0)
    because = {one.because for one in unsure.of(Shift.UNDECIDED)}
    assert any("`context.arguments.rows` was not recorded" in one for one in because)


def rewritten(busy, change):
    """The log with every record changed by hand."""
    for path in busy.log.glob("*/*.jsonl"):
        lines = []
        for line in path.read_bytes().splitlines():
            entry = orjson.loads(line)
            if entry["kind"] == "decision":
                change(entry)
            lines.append(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS))
        path.write_bytes(b"\n".join([*lines, b""]))


def test_a_record_whose_seal_does_not_open_is_counted_and_not_believed(copied, tmp_path):
    seals = []

    def moved(entry):
        """Each has the seal of the one before."""
        body = entry["body"]
        if body["sealed_arguments"]:
            seals.append(body["sealed_arguments"])
            body["sealed_arguments"] = seals[-2] if len(seals) > 1 else f"{seals[-1]}x"

    rewritten(copied, moved)
    new = copied.candidate(tmp_path, (POLICIES, '"500.00"', '"900.00"'))
    report = copied.replay(new)
    assert report.unsealed == len(seals)
    assert report.newly_allowed == report.newly_refused == report.drifted == 0
    assert report.undecided > 0


def test_a_log_from_before_this_version_is_read_as_far_as_it_goes(copied, tmp_path):
    def older(entry):
        for name in (
            "sealed_arguments",
            "obligations",
            "observed",
            "history",
            "justification",
            "on_trial",
        ):
            del entry["body"][name]

    rewritten(copied, older)
    report = copied.replay()
    assert report.recorded == report.decided == report.equal
    assert report.skipped == {}
    new = copied.candidate(
        tmp_path,
        (
            POLICIES,
            END,
            f'@id("no") forbid (principal, action == Remit::Action::"hr/get_file", resource);\n{END}',
        ),
    )
    changed = copied.replay(new)
    wanted = expected(copied, lambda one: is_allowed(one) and is_of(one, "hr", "get_file"))
    assert found(changed, Shift.NEWLY_REFUSED) == wanted


def test_what_was_decided_otherwise_than_it_would_be_is_drift_and_no_change(copied, tmp_path):
    lied = []

    def lie(entry):
        if entry["body"]["outcome"] == "allow" and not lied:
            entry["body"].update(outcome="deny", reason="forbidden", rules=[])
            lied.append(entry["body"]["decision_id"])

    rewritten(copied, lie)
    report = copied.replay()
    (group,) = report.of(Shift.DRIFT)
    assert [one.decision_id for one in group.examples] == lied
    assert "recorded as `deny forbidden`" in group.because
    assert report.newly_allowed == 0


@pytest.mark.parametrize(
    ("change", "skipped"),
    [
        (lambda one: one["body"].update(reason="listed"), "list"),
        (lambda one: one["body"].update(reason="invalid_token"), "token"),
        (lambda one: one["body"].update(reason="rate_limited"), "limits"),
        (lambda one: one["body"].update(reason="invalid_arguments"), "arguments"),
        (lambda one: one["body"].update(reason="quarantined"), "quarantined"),
        (lambda one: one["body"].update(reason="engine_error"), "failed"),
        (lambda one: one.update(tenant=None), "nobody"),
        (lambda one: one["actor"].update(type="system"), "nobody"),
        (lambda one: one["body"].update(name=None), "method"),
        (lambda one: one["body"].update(name="x" * 256), "cut"),
        (lambda one: one["body"].update(claims={"omitted_bytes": 1}), "cut"),
        (lambda one: one["body"]["claims"].update(details=1), "details"),
        (lambda one: one["body"].pop("scopes_token"), "unreadable"),
        (lambda one: one["body"]["claims"].update(sensitivity="much"), "unreadable"),
    ],
    ids=["list", "token", "limits", "arguments", "quarantined", "failed", "tenant", "system",
         "method", "name", "claims", "details", "field", "word"],
)  # fmt: skip
def test_what_cannot_be_decided_again_is_counted_and_said_why(copied, change, skipped):
    left = [10]

    def some(entry):
        if left[0]:
            left[0] -= 1
            change(entry)

    rewritten(copied, some)
    report = copied.replay()
    assert report.skipped == {skipped: 10}
    assert report.recorded == report.decided + 10


def test_decisions_of_other_policies_are_held_to_what_is_in_force_and_said_to_be_others(
    busy, tmp_path
):
    other = busy.candidate(tmp_path, (POLICIES, '"500.00"', '"900.00"'))
    same = busy.candidate(tmp_path / "same", (POLICIES, '"500.00"', '"900.00"'))
    report = replay(busy.records(), other, same, record_key=RECORD_KEY)
    assert report.other_bundle == report.decided
    assert report.verified == 0
    assert report.equal == report.decided


def test_progress_is_told_in_bytes_and_decisions(busy):
    heard = []
    report = busy.replay(progress=lambda *told: heard.append(told))
    assert heard == sorted(heard)
    done, total, decided = heard[-1]
    assert done == total > 0
    assert decided == report.decided
