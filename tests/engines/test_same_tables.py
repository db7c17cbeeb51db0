"""The decision tables of the complete example come out alike whoever decides: Cedar, a real Cerbos, an AuthZEN decision point.

What can be said in all three is moved out of the repository, rule by rule; the rest stays there as a veto, each with
the reason why. Every case of every table is run with each. That nothing passes for want of looking: with any one
rule left out, the same cases come out otherwise, at least one, on all three.
"""

from dataclasses import replace
from types import MappingProxyType
from urllib.parse import quote

import pytest
import pytest_asyncio

from remit.casebook import run_tables, run_tables_live, tables_of
from remit.casebook.report import Status
from remit.engines import EngineConnections
from remit.model import EngineKind, ExternalEngine
from remit.policy.places import places_of, without
from remit.repository import load_repository, write_example
from tests.engines import complete_cerbos, complete_rules, real

pytestmark = pytest.mark.node

ALLOWED = complete_cerbos.ALLOWED
MOVED = (ALLOWED, *complete_cerbos.DENIED)
STAYS = {
    "issue-tokens": "issuance is the repository's in any case",
    "refund-limit": "a confirmation cures it, which is an annotation of Cedar",
    "refund-approval": "an approval cures it, which is an annotation of Cedar",
    "emergencies-have-a-reason": "a reason cures it, which is an annotation of Cedar",
    "rules/office#roll-outs-name-their-ticket": "a reason cures it, which is an annotation of Cedar",
    "names-take-a-second-factor": "a stronger log-in cures it, which is an annotation of Cedar",
    "refunds-of-a-day": "the past is told of facts alone that the repository reads",
    "nothing-leaves-after-personnel-files": "the past is told of facts alone that the repository reads",
    "refunds-by-agents-stay-small": "it is on trial, which is an annotation of Cedar",
}
MORE = """
cases:
  - name: accounts are read by their URI
    agent: support-assistant
    columns: [who, resource, expect]
    rows:
      - [ann, "crm/crm://accounts/acc-101", allow]
      - [ann, "crm/crm://accounts/acc-201", deny]
      - [kim, "crm/crm://accounts/acc-201", allow]
"""


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The complete example, and its tables with a few cases more."""
    folder = tmp_path_factory.mktemp("complete") / "policy"
    write_example(folder, complete=True)
    loaded = load_repository(folder)
    return loaded, tables_of({**loaded.contents, "tests/uris.yaml": MORE.encode()})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engines(tmp_path_factory):
    """Both engines, each with the moved rules: how each is declared, all of them or all but one."""
    folder = tmp_path_factory.mktemp("engines")
    policies = complete_cerbos.write_policies(folder / "policies")
    async with real.cerbos(folder, policies) as cerbos, real.authzen(folder, complete=True) as pdp:

        def declared(kind, rule=None) -> ExternalEngine:
            if kind == "cerbos":
                options = {"policy_version": complete_cerbos.version_without(rule)}
                url = cerbos.url
            else:
                options = {}
                url = pdp.url if rule is None else f"{pdp.url}/without/{quote(rule, safe='')}"
            return ExternalEngine(
                name="pdp", kind=EngineKind(kind), url=url, timeout_ms=5_000,
                options=MappingProxyType(options),
            )  # fmt: skip

        yield declared


def found_in(report) -> dict:
    """Of each case what the caller is told. Why, the log may say otherwise: a veto of the repository is named first."""
    assert all(one.status is not Status.NOT_RUN for one in report.results), report.results
    return {
        f"{one.case.file} {one.case.name} {number}": one.found.outcome
        for number, one in enumerate(report.results)
    }


def by_cedar(example, *, rule=None) -> dict:
    loaded, tables = example
    if rule is not None:
        loaded = replace(loaded, policies=tuple(without(loaded.policies, rule)))
    return found_in(run_tables(loaded, tables))


@pytest.fixture(scope="module")
def whole(example):
    """What comes of every case where nothing is moved and nothing left out."""
    return by_cedar(example)


async def by_engine(example, engine) -> dict:
    """What comes of it where `engine` permits on every server, and the repository has no more than what stays."""
    loaded, tables = example
    policies = list(loaded.policies)
    for rule in MOVED:
        policies = without(policies, rule)
    catalog = loaded.catalog
    servers = {name: replace(one, engine="pdp") for name, one in catalog.servers.items()}
    moved = replace(
        loaded,
        policies=tuple(policies),
        catalog=replace(
            catalog, servers=MappingProxyType(servers), engines=MappingProxyType({"pdp": engine})
        ),
    )
    connections = EngineConnections(lambda reference: "")
    try:
        return found_in(await run_tables_live(moved, tables, connections))
    finally:
        await connections.close()


def test_every_policy_of_the_example_is_moved_or_says_why_it_stays(example):
    loaded, _ = example
    assert {*MOVED} | {*STAYS} == {*places_of(loaded.policies)}
    assert not {*MOVED} & {*STAYS}
    assert {*complete_rules.RULES} == {*complete_cerbos.DENIED}


def test_the_tables_hold_for_cedar_and_are_many(example):
    loaded, tables = example
    report = run_tables(loaded, tables)
    assert [one.case.name for one in report.results if one.status is not Status.PASSED] == []
    assert len(report.results) > 60


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", ["cerbos", "authzen"])
async def test_every_case_comes_out_as_with_cedar(example, engines, whole, kind):
    assert await by_engine(example, engines(kind)) == whole


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", ["cerbos", "authzen"])
@pytest.mark.parametrize("rule", MOVED)
async def test_a_rule_left_out_is_seen_in_the_same_cases(example, engines, whole, kind, rule):
    cedar = by_cedar(example, rule=rule)
    engine = await by_engine(example, engines(kind, rule))
    seen = {name for name in whole if cedar[name] != whole[name]}
    assert seen, "no case of the tables touches it"
    assert {name for name in whole if engine[name] != whole[name]} == seen
