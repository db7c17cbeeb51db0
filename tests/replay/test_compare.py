"""What is declared otherwise, and whether it widens: told for certain, or said to be possible."""

import pytest

from remit.replay import Area, Effect, Kind, compare
from remit.repository import load_repository

POLICIES = "policies/all.cedar"
CRM = "servers/crm.yaml"
LIMIT = 'when { context.arguments.amount.value.greaterThan(decimal("500.00")) };'
WIDENS, MAY, NARROWS, NEITHER = Effect.WIDENS, Effect.MAY_WIDEN, Effect.NARROWS, Effect.NEITHER


def changes(busy, tmp_path, *edits):
    return compare(busy.loaded(), busy.candidate(tmp_path, *edits)).changes


def told(found):
    return {(one.area, one.name, one.part, one.effect, one.privileged) for one in found}


def test_the_same_repository_has_no_difference(busy):
    difference = compare(busy.loaded(), busy.loaded())
    assert difference.changes == ()
    assert difference.old == difference.new


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (("scopes.yaml", "title: read crm", "title: see crm"),
         (Area.SCOPE, "crm:items.read", "title", NEITHER, False)),
        (("scopes.yaml", "  sensitivity: high", "  sensitivity: low"),
         (Area.SCOPE, "crm:items.delete", "sensitivity", WIDENS, True)),
        (("roles.yaml", "crm:items.write, ", ""),
         (Area.ROLE, "support", "scopes", NARROWS, False)),
        (("roles.yaml", "scopes: [crm:items.write", "scopes: [crm:items.read, crm:items.write"),
         (Area.ROLE, "support", "scopes", WIDENS, False)),
        (("agents/agent-1.yaml", "max_sensitivity: high", "max_sensitivity: critical"),
         (Area.AGENT, "agent-1", "max sensitivity", WIDENS, True)),
        (("agents/agent-1.yaml", "max_sensitivity: high", "max_sensitivity: low"),
         (Area.AGENT, "agent-1", "max sensitivity", NARROWS, False)),
        (("agents/agent-1.yaml", "tenants: [acme, ", "tenants: ["),
         (Area.AGENT, "agent-1", "tenants", NARROWS, False)),
        (("agents/agent-1.yaml", "owner: it@acme.example", "owner: ops@acme.example"),
         (Area.AGENT, "agent-1", "owner", NEITHER, False)),
        (("remit.yaml", "max_scopes_per_token: 20", "max_scopes_per_token: 21"),
         (Area.GUARDRAIL, "guardrails", "max scopes per token", WIDENS, True)),
        (("remit.yaml", "max_scopes_per_token: 20", "max_scopes_per_token: 19"),
         (Area.GUARDRAIL, "guardrails", "max scopes per token", NARROWS, False)),
        (("remit.yaml", "otherwise: approve", "otherwise: admit"),
         (Area.REGISTRATION, "registration", "otherwise", WIDENS, True)),
        (("remit.yaml", "Europe/Berlin", "Europe/Paris"),
         (Area.TENANT, "globex", "time zone", MAY, True)),
        ((CRM, "operation: export", "operation: read"),
         (Area.TOOL, "crm/export_account", "operation", MAY, True)),
        ((CRM, "sensitivity: high", "sensitivity: medium"),
         (Area.TOOL, "crm/export_account", "sensitivity", WIDENS, True)),
        ((CRM, "sensitivity: low", "sensitivity: medium"),
         (Area.TOOL, "crm/get_account", "sensitivity", NARROWS, False)),
        ((CRM, "      labels: { type: strings }\n", ""),
         (Area.TOOL, "crm/export_account", "argument labels", MAY, True)),
        ((CRM, "https://crm.example", "https://other.example"),
         (Area.SERVER, "crm", "upstream", MAY, True)),
        ((CRM, "title:", "introspection_secret: env:CRM_ASKS\ntitle:"),
         (Area.SERVER, "crm", "introspection secret", MAY, True)),
        ((CRM, "title:", "guard_secret: env:CRM_GUARD\ntitle:"),
         (Area.SERVER, "crm", "guard secret", MAY, True)),
        (("remit.yaml", "version: 1", "version: 1\nengines: {pdp: {kind: authzen, url: 'https://pdp.example'}}"),
         (Area.ENGINE, "pdp", "", MAY, True)),
        ((POLICIES, '@refusal("too much")', '@refusal("far too much")'),
         (Area.POLICY, "crm-account-limit", "", NEITHER, False)),
        ((POLICIES, LIMIT, LIMIT.replace("500", "900")),
         (Area.POLICY, "crm-account-limit", "", MAY, False)),
        ((POLICIES, LIMIT, f'{LIMIT[:-1]} unless {{ principal.tenant == "acme" }};'),
         (Area.POLICY, "crm-account-limit", "", WIDENS, False)),
        ((POLICIES, '@id("region")', '@id("region") @mode("observe")'),
         (Area.POLICY, "region", "", WIDENS, True)),
        ((POLICIES, 'permit (principal, action in Remit::Action::"call", resource);',
          'permit (principal, action in Remit::Action::"call", resource) when { principal.tenant == "acme" };'),
         (Area.POLICY, "calls", "", NARROWS, False)),
    ],
)  # fmt: skip
def test_one_change_is_told_as_what_it_does(busy, tmp_path, edit, expected):
    assert told(changes(busy, tmp_path, edit)) == {expected}


def test_a_policy_by_another_name_is_one_that_went_and_one_that_came(busy, tmp_path):
    found = changes(busy, tmp_path, (POLICIES, '@id("interns-read")', '@id("others")'))
    assert [(one.kind, one.name, one.effect) for one in found] == [
        (Kind.REMOVED, "interns-read", WIDENS), (Kind.ADDED, "others", NARROWS),
    ]  # fmt: skip
    assert found[0].privileged
    assert found[0].lines[0] == '-@id("interns-read")'


def test_the_difference_of_a_text_is_told_line_by_line(busy, tmp_path):
    (change,) = changes(busy, tmp_path, (POLICIES, LIMIT, LIMIT.replace("500", "900")))
    assert [line for line in change.lines if line[0] in "+-"] == [
        f"-{LIMIT}", f"+{LIMIT.replace('500', '900')}",
    ]  # fmt: skip


def test_another_scope_than_before_is_one_that_goes_and_one_that_comes(busy, tmp_path):
    found = changes(busy, tmp_path, (CRM, "scopes: [crm:items.delete]", "scopes: [crm:items.read]"))
    assert told(found) == {
        (Area.TOOL, "crm/export_account", "scopes", WIDENS, True),
        (Area.TOOL, "crm/export_account", "scopes", MAY, False),
    }


def test_a_server_that_goes_takes_its_things_along(busy, tmp_path):
    busy.candidate(tmp_path)
    folder = tmp_path / "candidate"
    (folder / "servers" / "wiki.yaml").unlink()
    text = (folder / POLICIES).read_text()
    kept = [one for one in text.split("@id(") if '"wiki' not in one and "server/wiki" not in one]
    (folder / POLICIES).write_text("@id(".join(kept))
    difference = compare(busy.loaded(), load_repository(folder))
    (server,) = [one for one in difference.changes if one.area is Area.SERVER]
    assert (server.kind, server.effect) == (Kind.REMOVED, NARROWS)
    back = compare(load_repository(folder), busy.loaded())
    (server,) = [one for one in back.changes if one.area is Area.SERVER]
    assert (server.kind, server.effect, server.privileged) == (Kind.ADDED, WIDENS, True)


def test_a_change_cannot_take_away_its_own_mark(busy, tmp_path):
    """The scope is graded down in the very change that gives it away."""
    found = changes(
        busy,
        tmp_path,
        ("scopes.yaml", "  sensitivity: high", "  sensitivity: low"),
        (
            "roles.yaml",
            "sales:\n    description: sales\n    scopes: [",
            "sales:\n    description: sales\n    scopes: [crm:items.delete, ",
        ),
    )
    gained = [one for one in found if one.area is Area.ROLE]
    assert [one.privileged for one in gained] == [True]


def test_what_widens_comes_first_and_what_is_privileged_before_it(busy, tmp_path):
    found = changes(
        busy,
        tmp_path,
        ("scopes.yaml", "title: read crm", "title: see crm"),
        ("roles.yaml", "scopes: [crm:items.write", "scopes: [crm:items.read, crm:items.write"),
        (POLICIES, '@id("region")', '@id("region") @mode("observe")'),
    )
    assert [one.name for one in found] == ["region", "support", "crm:items.read"]


def test_json_says_all_of_it_and_is_read_back(busy, tmp_path):
    new = busy.candidate(tmp_path, (POLICIES, LIMIT, LIMIT.replace("500", "900")))
    difference = compare(busy.loaded(), new)
    assert type(difference).of_json(difference.as_json()) == difference


def test_one_approver_more_is_for_two_people(busy, tmp_path):
    edit = ("scopes: [", "scopes: ['remit:policy.approve', ")
    found = changes(busy, tmp_path, ("roles.yaml", *edit))
    assert {(one.area, one.effect, one.privileged) for one in found} == {(Area.ROLE, WIDENS, True)}


def test_where_a_server_is_sent_its_secret_is_for_two_people(busy, tmp_path):
    """However low its things are graded."""
    found = changes(
        busy, tmp_path, ("servers/wiki.yaml", "/mcp'", "/mcp', bearer_secret: env:HOME")
    )
    assert told(found) == {(Area.SERVER, "wiki", "upstream", MAY, True)}


def test_a_length_of_time_is_told_as_it_is_written(busy, tmp_path):
    found = changes(
        busy,
        tmp_path,
        ("remit.yaml", "{ name: Busy }", "{ name: Busy, access_token_lifetime: 5m, code_lifetime: 45s }"),
        (CRM, "/mcp'", "/mcp', timeout: 90s"),
    )  # fmt: skip
    assert {(one.part, one.before, one.after) for one in found if one.area is Area.ISSUER} == {
        ("access token lifetime", "10m", "5m"),
        ("code lifetime", "1m", "45s"),
    }
    (upstream,) = [one for one in found if one.part == "upstream"]
    assert "timeout 1m" in upstream.before
    assert "timeout 90s" in upstream.after
