"""Two texts of one policy: which of them lets somebody do more, whatever else was changed to hide it."""

import shutil

import pytest

from remit.replay import Effect, compare
from remit.repository import load_repository

POLICIES = "policies/all.cedar"
WIDENS, MAY, NARROWS, NEITHER = Effect.WIDENS, Effect.MAY_WIDEN, Effect.NARROWS, Effect.NEITHER


def made(busy, folder, *added):
    """The busy repository with more at the end of some of its files."""
    shutil.copytree(busy.repository, folder)
    for name, text in added:
        with (folder / name).open("a") as file:
            file.write(f"\n{text}\n")
    return load_repository(folder)


def judged(busy, tmp_path, before, after):
    """What it does that one policy is `after` instead of `before`."""
    old = made(busy, tmp_path / "old", (POLICIES, f'@id("one") {before}'))
    new = made(busy, tmp_path / "new", (POLICIES, f'@id("one") {after}'))
    (change,) = compare(old, new).changes
    return change.effect, change.privileged


EXPORT = 'principal, action == Remit::Action::"crm/export_account", resource'
FORBID = f"forbid ({EXPORT});"
WHY, FRESH, APPROVED = (
    '@require_justification("reason") ',
    '@step_up("5m") ',
    '@require_approval("support") ',
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (FORBID, WHY + FORBID, (WIDENS, True)),
        (FORBID, FRESH + FORBID, (WIDENS, True)),
        (FORBID, APPROVED + FORBID, (WIDENS, True)),
        (FRESH + WHY + FORBID, WHY + FORBID, (MAY, True)),
        (FRESH + FORBID, '@step_up("9h") ' + FORBID, (MAY, True)),
        (WHY + FORBID, FORBID, (NARROWS, False)),
    ],
)  # fmt: skip
def test_what_lifts_a_forbid_lets_more_through(busy, tmp_path, before, after, expected):
    assert judged(busy, tmp_path, before, after) == expected


PERMIT = f'permit ({EXPORT}) when {{ principal.tenant == "acme" }};'
FURTHER = PERMIT.replace("};", "} when { true };")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (APPROVED + PERMIT, FURTHER, (MAY, True)),
        (PERMIT, APPROVED + FURTHER, (NARROWS, False)),
        (FURTHER, APPROVED + PERMIT, (MAY, True)),
        (FORBID.replace(";", " when { true };"), WHY + FORBID, (MAY, True)),
    ],
)  # fmt: skip
def test_one_condition_more_does_not_hide_what_is_asked_for_no_longer(
    busy, tmp_path, before, after, expected
):
    assert judged(busy, tmp_path, before, after) == expected


def test_what_was_said_about_issuing_tokens_is_privileged(busy, tmp_path):
    forbid = '@id("one") forbid (principal, action == Remit::Action::"issue", resource);'
    old = made(busy, tmp_path / "old", (POLICIES, forbid))
    (change,) = compare(old, busy.loaded()).changes
    assert (change.effect, change.privileged) == (WIDENS, True)


KINDS = ("servers/crm.yaml", "    sensitivity: high\n", "    data_categories: [customer]\n")
COUNTED = ("remit.yaml", "history: { seen: { measure: ever, data_categories: [customer] } }")
ELSEWHERE = ("remit.yaml", 'engines: { pdp: { kind: authzen, url: "http://127.0.0.1:8181" } }')
SPELT = (
    POLICIES,
    f'@id("one") forbid ({EXPORT}) when {{ resource["data\\u{{5f}}categories"].contains("x") }};',
)


@pytest.mark.parametrize("reads", [COUNTED, ELSEWHERE, SPELT], ids=["history", "engine", "spelt"])
def test_a_kind_of_data_that_something_decides_by_is_more_than_a_word(busy, tmp_path, reads):
    name, graded, opens = KINDS
    shutil.copytree(busy.repository, tmp_path / "old")
    for file, kind in ((name, opens), ("servers/hr.yaml", opens)):
        path = tmp_path / "old" / file
        path.write_text(path.read_text().replace(graded, graded + kind))
    with (tmp_path / "old" / reads[0]).open("a") as file:
        file.write(f"\n{reads[1]}\n")
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    crm = tmp_path / "new" / name
    crm.write_text(crm.read_text().replace(opens, ""))
    found = compare(load_repository(tmp_path / "old"), load_repository(tmp_path / "new")).changes
    assert {(one.part, one.effect, one.privileged) for one in found} == {
        ("data categories", MAY, True)
    }


LISTED = ("roles.yaml", "  listed: { description: On a list., scopes: [wiki:items.read] }")
BROUGHT = ("roles.yaml", 'attributes:\n  - { when: { team: "x" }, roles: [listed] }')


@pytest.mark.parametrize(
    ("named", "added", "expected"),
    [
        ("listed", True, (WIDENS, True)),
        ("listed", False, (MAY, True)),
        ("intern", True, (WIDENS, False)),
        ("intern", False, (NARROWS, False)),
    ],
)
def test_a_role_that_policies_forbid_or_spare_by_is_more_than_its_scopes(
    busy, tmp_path, named, added, expected
):
    has = f'principal.roles.contains("{named}")'
    policy = (POLICIES, f'@id("one") forbid ({EXPORT}) when {{ {has} }};')
    without = made(busy, tmp_path / "without", LISTED, policy)
    brought = made(busy, tmp_path / "brought", LISTED, policy, BROUGHT)
    (change,) = compare(*((without, brought) if added else (brought, without))).changes
    assert (change.effect, change.privileged) == expected


def test_to_keep_in_the_log_what_was_kept_nowhere_is_privileged_with_its_tool(busy, tmp_path):
    labels = "labels: { type: strings }"
    edit = ("servers/crm.yaml", labels, "labels: { type: strings, audit: keep }")
    found = compare(busy.loaded(), busy.candidate(tmp_path, edit)).changes
    assert {(one.part, one.effect, one.privileged) for one in found} == {("audit", WIDENS, True)}
