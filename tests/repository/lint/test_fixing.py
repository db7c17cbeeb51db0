"""What `--fix` does, and that nobody gains or loses anything by it."""

from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remit.casebook.running import run_tables
from remit.casebook.tables import tables_of
from remit.guard.limits import ScopeLimits
from remit.repository import RepositoryInvalidError, load_contents, load_repository, write_example
from remit.repository.files import files_of
from remit.repository.folder import read_files
from remit.repository.lint import fix_contents, lint
from remit.repository.loading import examine
from remit.scopes import fill, fill_hierarchy
from tests.repository.conftest import FILES

CLAIMS = {"organization_id": "acme", "environment": "prod", "agent_id": "helper"}
TRIM = """\
crm:fax.send: # nobody has one any more
  title: Send faxes
  description: Send a fax.

"""


def unchecked(_sources, _declared):
    return []


def fixed(contents, stages=(None,)):
    return fix_contents(contents, stages=stages, check=unchecked)


def test_everything_that_can_be_mended_is_and_the_rest_stays(tidy):
    tidy.edit("scopes.yaml", "crm:notes.read", f"{TRIM}crm:notes.read")
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:accounts.read', 'crm:fax.send']}")  # fmt: skip
    tidy.edit("servers/crm.yaml", "[crm:accounts.write]", "[crm:accounts.write, crm:accounts.read]")
    tidy.append("remit.yaml", "lint: {missing-schema: note, unordered-list: note}\n")
    before = read_files(tidy.path).bundle
    done = fixed(before)
    after = {**before, **done.after}
    assert sorted({one.code for one in done.remarks}) == [
        "missing-schema", "redundant-requirement", "redundant-scope", "unordered-list", "unused-scope",
    ]  # fmt: skip
    assert b"fax" not in after["scopes.yaml"]
    assert b"covers: ['crm:accounts.read']}" in after["scopes.yaml"]
    assert b"put: {operation: write, scopes: [crm:accounts.write], sensitivity: low}" in after["servers/crm.yaml"]  # fmt: skip
    assert after["servers/crm.yaml"].startswith(
        b"# yaml-language-server: $schema=../.schemas/server.schema.json\n"
    )
    assert after["remit.yaml"].startswith(b"# yaml-language-server: $schema=.schemas/remit")
    assert b"[crm:accounts.delete, crm:accounts.write, crm:notes.read]" in after["roles.yaml"]
    assert fixed(after).after == {}, "what is mended stays as it is"


def test_nothing_is_mended_where_nothing_is_wrong(tidy):
    done = fixed(read_files(tidy.path).bundle)
    assert (done.after, done.remarks, done.diff) == ({}, (), "")


def test_a_difference_names_the_files_and_lines(tidy):
    tidy.append("scopes.yaml", "crm:fax.send: {title: F, description: D}\n")
    assert fixed(read_files(tidy.path).bundle).diff == (
        "--- a/scopes.yaml\n+++ b/scopes.yaml\n@@ -2,4 +2,3 @@\n"
        " crm:accounts.write: {title: Write, description: Write accounts.}\n"
        " crm:accounts.delete: {title: Delete, description: Delete accounts.}\n"
        " crm:notes.read: {title: Notes, description: Read notes.}\n"
        "-crm:fax.send: {title: F, description: D}\n"
    )


def test_what_one_stage_uses_is_not_removed(tidy):
    tidy.append("scopes.yaml", "crm:fax.send: {title: F, description: D}\n")
    tidy.append("remit.yaml", "stages: [dev, prod]\n")
    tidy.write("stages/prod/roles.yaml", "roles: {fax: {scopes: ['crm:fax.send']}}\n")
    contents = read_files(tidy.path).bundle
    assert fixed(contents, (None, "dev", "prod")).after == {}


def test_what_an_overlay_says_is_left_to_a_person(tidy):
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:accounts.read']}")
    tidy.edit("agents/helper.yaml", "crm:accounts.read, ", "").edit("roles.yaml", "crm:accounts.read, ", "")  # fmt: skip
    tidy.append("remit.yaml", "stages: [prod]\n")
    tidy.write("stages/prod/roles.yaml", "roles: {x: {scopes: ['crm:accounts.read', 'crm:accounts.write']}}\n")  # fmt: skip
    assert fixed(read_files(tidy.path).bundle, (None, "prod")).after == {}


def test_what_is_excused_is_not_mended(tidy):
    tidy.append("scopes.yaml", "crm:fax.send: {title: F, description: D} # remit: ignore[unused-scope] soon\n")  # fmt: skip
    assert fixed(read_files(tidy.path).bundle).after == {}


def test_a_fix_that_would_be_a_mistake_is_not_made(tidy):
    """Two tools take what the baseline names, each beside a wider one: only the first may lose it."""
    tidy.edit("scopes.yaml", "Write accounts.}", "Write accounts., covers: ['crm:accounts.read']}")
    both = "[crm:accounts.write, crm:accounts.read]"
    for alone in ("[crm:accounts.read]", "[crm:accounts.write]"):
        tidy.edit("servers/crm.yaml", alone, both)
    tidy.append("servers/crm.yaml", "baseline_scopes: [crm:accounts.read]\n")
    contents = read_files(tidy.path).bundle
    done = fixed(contents)
    assert [one.code for one in done.remarks].count("redundant-requirement") == 1
    load_contents({**contents, **done.after}, check=unchecked)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("environments: [dev, prod]", "environments: [dev, prod"),
        ("forbidden_scopes: [payments:ledger.admin]", "forbidden_scopes: payments:ledger.admin"),
    ],
    ids=["not-yaml", "not-a-list"],
)
def test_nothing_is_mended_while_a_file_cannot_be_told(tmp_path, right, wrong):
    """Finance holds the narrower scope because the wider one, which covers it, is forbidden to every agent."""
    write_example(tmp_path)
    contents = dict(load_repository(tmp_path).contents)
    contents["remit.yaml"] = contents["remit.yaml"].replace(right.encode(), wrong.encode())
    contents["scopes.yaml"] += b"\ncrm:fax.send: {title: F, description: D}\n"
    assert fix_contents(contents, stages=(None,)).after == {}
    found = examine(files_of(contents))
    assert found.findings.problems
    assert "redundant-scope" not in {one.code for one in lint([found], stages=[None])}


def decisions(contents):
    """What every person, through every agent, may call and see of the example: by the steps of every call."""
    loaded = load_contents(contents)
    return [
        (one.case.name, None if one.found is None else (one.found.outcome, one.found.reason, one.found.sees))
        for one in run_tables(loaded, tables_of(contents)).results
    ]  # fmt: skip


def test_every_decision_on_the_example_is_what_it_was(tmp_path):
    write_example(tmp_path)
    contents = dict(load_repository(tmp_path).contents)
    contents["scopes.yaml"] += b"\ncrm:fax.send: {title: F, description: D}\n"
    contents["roles.yaml"] = contents["roles.yaml"].replace(
        b"      - crm:accounts.read\n", b"      - crm:accounts.read\n      - crm:handbook.read\n", 1
    )
    contents["servers/crm.yaml"] = contents["servers/crm.yaml"].replace(
        b"scopes: [crm:accounts.read]", b"scopes: [crm:accounts.read, crm:handbook.read]", 1
    )
    done = fix_contents(contents, stages=(None,))
    assert {one.code for one in done.remarks} == {
        "unused-scope", "redundant-scope", "redundant-requirement",
    }  # fmt: skip
    before, after = decisions(contents), decisions({**contents, **done.after})
    assert len(before) > 20
    assert before == after


NAMES = [f"crm:{c}.read" for c in "abcd"] + ["crm:{organization_id}.read", "crm:{department}.read"]
_LISTS = st.lists(st.sampled_from(NAMES), unique=True, max_size=4)


def limits(catalog, agent, roles, claims):
    def filled(scopes):
        return frozenset(one for scope in scopes if (one := fill(scope, claims)) is not None)

    return ScopeLimits(
        token=tuple(filled(NAMES)),
        agent=filled(catalog.agents[agent].scopes),
        person=filled(scope for role in roles for scope in catalog.roles[role].scopes),
        forbidden=filled(catalog.guardrails.forbidden_scopes),
        hierarchy=fill_hierarchy(catalog.hierarchy, claims),
        claims=claims,
    )


def permitted(contents):
    """Every tool that anybody may call: each agent, each combination of roles, with and without a department."""
    catalog = load_contents(contents, check=unchecked).catalog
    found = set()
    for claims in (CLAIMS, CLAIMS | {"department": "hr"}):
        for agent in catalog.agents:
            for roles in (one for n in range(3) for one in combinations(sorted(catalog.roles), n)):
                held = limits(catalog, agent, roles, claims)
                for server in catalog.servers.values():
                    for tool in server.tools.values():
                        required = held.required(tool.scopes)
                        if required is not None and all(held.holds(one) for one in required):
                            found.add((agent, roles, tool.name, "department" in claims))
    return found


@st.composite
def repositories(draw):
    covers = {
        name: [one for one in draw(_LISTS) if NAMES.index(one) > number]
        for number, name in enumerate(NAMES)
    }
    scopes = "".join(
        f"'{name}': {{title: T, description: D, covers: [{', '.join(map(repr, below))}]}}\n"
        for name, below in covers.items()
    )
    roles = "".join(
        f"  {name}: {{scopes: [{', '.join(map(repr, draw(_LISTS)))}]}}\n" for name in ("one", "two")
    )
    tools = "".join(
        f"  t{n}: {{operation: read, scopes: [{', '.join(map(repr, draw(_LISTS.filter(bool))))}], sensitivity: low}}\n"
        for n in range(3)
    )
    forbidden = ", ".join(map(repr, draw(st.lists(st.sampled_from(NAMES), max_size=1))))
    agent_scopes = ", ".join(map(repr, draw(_LISTS)))
    head, _, _ = FILES["servers/crm.yaml"].partition("tools:")
    texts = {
        **FILES,
        "remit.yaml": FILES["remit.yaml"] + f"guardrails: {{forbidden_scopes: [{forbidden}]}}\n",
        "scopes.yaml": scopes,
        "roles.yaml": f"roles:\n{roles}",
        "servers/crm.yaml": f"{head}tools:\n{tools}",
        "agents/helper.yaml": FILES["agents/helper.yaml"].replace("[crm:accounts.read]", f"[{agent_scopes}]"),
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()}


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(repositories())
def test_nobody_gains_or_loses_anything_by_a_fix(contents):
    try:
        before = permitted(contents)
    except (
        RepositoryInvalidError
    ):  # An agent that holds what is forbidden: nothing is decided by that.
        return
    done = fixed(contents)
    after = {**contents, **done.after}
    assert permitted(after) == before
    assert fixed(after).after == {}
