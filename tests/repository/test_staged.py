import pytest

from remit.documents import Problem
from remit.repository import RepositoryInvalidError, check_repository, load_repository
from remit.repository.loading import LoadedRepository

from .conftest import FILES, Repository


def staged(repository: Repository) -> Repository:
    return repository.append("remit.yaml", "stages: [dev, prod]\n")


def load(repository: Repository, stage: str | None = None) -> LoadedRepository:
    return load_repository(repository.path, stage=stage, check=lambda _sources, _declared: [])


def problems(repository: Repository, stage: str | None = None) -> list[Problem]:
    return list(
        check_repository(
            repository.path, stage=stage, check=lambda _sources, _declared: []
        ).problems
    )


def said(repository: Repository, stage: str | None = None) -> list[str]:
    return [f"{one.file}:{one.line} {one.message}" for one in problems(repository, stage)]


def test_an_overlay_holds_in_its_stage_and_nowhere_else(repository: Repository) -> None:
    staged(repository).write("stages/prod/servers/crm.yaml", "environment: prod\ntitle: Live\n")
    repository.write("stages/dev/servers/crm.yaml", "environment: dev\n")
    found = {stage: load(repository, stage).catalog for stage in (None, "dev", "prod")}
    assert [one.servers["crm"].title for one in found.values()] == ["CRM", "CRM", "Live"]
    assert [one.servers["crm"].environment for one in found.values()] == ["prod", "dev", "prod"]
    assert "get" in found["prod"].servers["crm"].tools


def test_the_stages_are_known_in_their_order(repository: Repository) -> None:
    assert load(staged(repository)).stages == ("dev", "prod")
    assert load(repository, "prod").stage == "prod"


def test_a_file_over_nothing_is_added_and_null_takes_one_away(repository: Repository) -> None:
    staged(repository).write("stages/prod/agents/other.yaml", FILES["agents/helper.yaml"])
    repository.write("stages/prod/agents/helper.yaml", "null\n")
    assert set(load(repository, "prod").catalog.agents) == {"other"}
    assert set(load(repository).catalog.agents) == {"helper"}


def test_a_policy_is_replaced_added_and_taken_away(repository: Repository) -> None:
    staged(repository).write("policies/b.cedar", "// b\n")
    repository.write("stages/prod/policies/all.cedar", "\n").write(
        "stages/prod/policies/b.cedar", "// prod\n"
    )
    repository.write("stages/prod/policies/c.cedar", "// c\n")
    assert [(one.filename, one.text) for one in load(repository, "prod").policies] == [
        ("stages/prod/policies/b.cedar", "// prod\n"),
        ("stages/prod/policies/c.cedar", "// c\n"),
    ]
    assert len(load(repository, "dev").policies) == 2


def test_a_mistake_in_an_overlay_names_the_overlay_and_its_line(repository: Repository) -> None:
    staged(repository).write(
        "stages/prod/servers/crm.yaml",
        "tools:\n  get:\n    scopes: [crm:account.read]\n  put: {operation: write}\n",
    )
    assert said(repository) == []
    first, *rest = problems(repository, "prod")
    assert (first.file, first.line, first.excerpt) == (
        "stages/prod/servers/crm.yaml",
        3,
        "    scopes: [crm:account.read]",
    )
    assert "did you mean `crm:accounts.read`?" in first.message
    assert {(one.file, one.line) for one in rest} == {("stages/prod/servers/crm.yaml", 4)}


def test_a_mistake_that_an_overlay_makes_in_the_base_names_the_base(repository: Repository) -> None:
    staged(repository).write("stages/prod/scopes.yaml", "crm:accounts.read: null\n")
    found = said(repository, "prod")
    assert "roles.yaml:2 unknown scope `crm:accounts.read`" in [
        one.partition(";")[0] for one in found
    ]
    assert {one.file for one in problems(repository, "prod")} == {
        "roles.yaml",
        "servers/crm.yaml",
        "agents/helper.yaml",
    }


def test_an_overlay_may_mend_what_is_wrong_below_it(repository: Repository) -> None:
    staged(repository).edit("servers/crm.yaml", "owner: crm@acme.example\n", "")
    repository.write("stages/prod/servers/crm.yaml", "owner: ops@acme.example\n")
    assert said(repository) == ["servers/crm.yaml:1 `owner` is missing"]
    assert said(repository, "prod") == []


def test_an_overlay_that_is_no_yaml_is_refused_where_it_breaks(repository: Repository) -> None:
    staged(repository).write("stages/prod/servers/crm.yaml", "title: [\n")
    assert [one.file for one in problems(repository, "prod")] == ["stages/prod/servers/crm.yaml"]
    findings = check_repository(repository.path, stage="prod")
    assert any(
        "`stages/prod/servers/crm.yaml` was checked no further" in one for one in findings.unchecked
    )


def test_an_overlay_of_a_stage_nobody_declares_is_refused(repository: Repository) -> None:
    staged(repository).write("stages/prd/roles.yaml", "roles: {}\n")
    for stage in (None, "prod"):
        assert said(repository, stage) == [
            "stages/prd/roles.yaml:1 an overlay of `prd`, which is no stage; did you mean `prod`?"
        ]


def test_overlays_without_a_list_of_stages_are_refused(repository: Repository) -> None:
    repository.write("stages/prod/roles.yaml", "roles: {}\n")
    [problem] = problems(repository)
    assert problem.expected == "`stages: [prod]` in remit.yaml"


def test_a_stage_that_nobody_declares_is_refused(repository: Repository) -> None:
    assert said(staged(repository), "staging") == ["remit.yaml:6 there is no stage `staging`"]
    assert said(repository, "prd") == ["remit.yaml:6 there is no stage `prd`; did you mean `prod`?"]


def test_without_a_list_there_is_no_stage(repository: Repository) -> None:
    with pytest.raises(RepositoryInvalidError, match="there is no stage `prod`"):
        load(repository, "prod")


@pytest.mark.parametrize("text", ["stages: [dev, prod, more]\n", "stages: null\n"])
def test_a_stage_cannot_list_the_stages(repository: Repository, text: str) -> None:
    staged(repository).write("stages/prod/remit.yaml", text)
    assert said(repository, "prod") == ["stages/prod/remit.yaml:1 a stage lists the stages"]


def test_what_one_stage_forbids_another_may_allow(repository: Repository) -> None:
    staged(repository).write(
        "stages/prod/remit.yaml", "guardrails: {forbidden_scopes: ['crm:accounts.write']}\n"
    )
    assert load(repository, "prod").catalog.guardrails.forbidden_scopes == ("crm:accounts.write",)
    assert load(repository, "dev").catalog.guardrails.forbidden_scopes == ()


def test_a_name_in_an_overlay_follows_the_same_rules(repository: Repository) -> None:
    staged(repository).write("stages/prod/agents/Other.yaml", FILES["agents/helper.yaml"])
    assert said(repository) == ["stages/prod/agents/Other.yaml:1 `Other` is no name"]


def test_the_bundle_is_named_alike_in_every_stage_and_the_catalog_is_not(
    repository: Repository,
) -> None:
    staged(repository).write("stages/prod/servers/crm.yaml", "title: Live\n")
    found = [load(repository, stage) for stage in (None, "dev", "prod")]
    assert len({one.bundle_digest for one in found}) == 1
    base, dev, prod = (one.catalog.version for one in found)
    assert base == dev == found[0].bundle_digest
    assert prod != base, "one name for two catalogs would make decisions ambiguous"


def test_what_another_stage_has_names_no_other_catalog(repository: Repository) -> None:
    staged(repository).write("stages/prod/servers/crm.yaml", "title: Live\n")
    before = load(repository, "prod")
    repository.write("stages/dev/servers/crm.yaml", "title: Try\n")
    after = load(repository, "prod")
    assert before.catalog.version == after.catalog.version
    assert before.bundle_digest != after.bundle_digest


def test_decision_tables_are_part_of_the_bundle(repository: Repository) -> None:
    before = load(repository)
    after = load(repository.write("tests/deep/crm.yaml", "about: nothing\n"))
    assert "tests/deep/crm.yaml" in after.contents
    assert before.bundle_digest != after.bundle_digest == after.catalog.version
