from collections.abc import Sequence

import pytest

from remit.documents import Problem
from remit.policy import Declared, PolicySource
from remit.repository import (
    Findings,
    RepositoryInvalidError,
    check_repository,
    files,
    load_contents,
    load_repository,
)
from remit.repository.files import digest_of

from .conftest import FILES, Repository


def no_problems(_sources: Sequence[PolicySource], _catalog: Declared | None) -> list[Problem]:
    return []


def test_a_repository_without_a_mistake_is_loaded(repository: Repository) -> None:
    loaded = load_repository(repository.path)
    assert list(loaded.catalog.servers) == ["crm"]
    assert loaded.policies == (PolicySource(FILES["policies/all.cedar"], "policies/all.cedar"),)
    assert set(loaded.files) == set(FILES)
    assert all(len(digest) == 64 for digest in loaded.files.values())


def test_a_single_mistake_keeps_all_of_it_out(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[prod]", "[test]")
    with pytest.raises(
        RepositoryInvalidError, match=r"agents/helper\.yaml:5:16: unknown environment `test`"
    ) as caught:
        load_repository(repository.path)
    assert caught.value.code == "repository_invalid"


def test_mistakes_of_every_sort_are_reported_at_once(repository: Repository) -> None:
    repository.edit("remit.yaml", "Europe/Berlin", "Europe/Berln")
    repository.append(
        "scopes.yaml", "mcp:all: {title: T, description: D, covers: ['crm:accounts.raed']}\n"
    )
    repository.append("roles.yaml", "rules: []\n")
    repository.edit("servers/crm.yaml", "https://crm", "http://crm")
    repository.write("agents/helper.yaml", FILES["agents/helper.yaml"].replace("[acme]", "[acmee]"))
    repository.write("agents/Bad.yaml", "name: 'unfinished\n")
    repository.write("servers/x.yml", "")
    said = [one.split(" ", 1)[1] for one in repository.said()]
    assert said == [
        "`Bad` is no name",
        "not YAML: while scanning a quoted scalar: found unexpected end of stream",
        "unknown tenant `acmee`; did you mean `acme`?",
        "`Europe/Berln` is no time zone",
        "unknown key `rules`; did you mean `roles`?",
        "`mcp:all` is a general-purpose scope",
        "unknown scope `crm:accounts.raed`; did you mean `crm:accounts.read`?",
        "`http://crm.example/mcp` would send the server's credential in the clear",
        "`servers/x.yml` is not read",
    ]


def test_problems_come_in_the_order_of_files_and_lines(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[prod]", "[test]").edit(
        "agents/helper.yaml", "[acme]", "[x]"
    )
    repository.edit("servers/crm.yaml", "environment: prod", "environment: test")
    problems = repository.problems()
    assert [(one.file, one.line) for one in problems] == sorted(
        (one.file, one.line) for one in problems
    )
    assert len(problems) == 3


def test_problems_of_policies_are_reported_with_their_line(repository: Repository) -> None:
    repository.write(
        "policies/all.cedar",
        '@id("all")\npermit (principal, action == Remit::Action::"crm/got", resource);\n',
    )
    [problem] = check_repository(repository.path).problems
    assert (problem.file, problem.line) == ("policies/all.cedar", 2)
    assert "crm/got" in problem.message
    assert "crm/got" in problem.excerpt


def test_policies_are_checked_even_when_a_name_is_not_declared(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[prod]", "[test]").write(
        "policies/all.cedar", "permit ("
    )
    assert {problem.file for problem in check_repository(repository.path).problems} == {
        "agents/helper.yaml",
        "policies/all.cedar",
    }


def test_policies_are_not_typed_by_servers_of_which_one_cannot_be_told(
    repository: Repository,
) -> None:
    asked: list[Declared | None] = []

    def check(_sources: Sequence[PolicySource], declared: Declared | None) -> list[Problem]:
        asked.append(declared)
        return []

    repository.edit("servers/crm.yaml", "operation: read", "operation: reed")
    findings = check_repository(repository.path, check=check)
    assert [problem.line for problem in findings.problems] == [8]
    assert asked == [None]
    assert findings.unchecked == (
        "policies were not checked against the catalog: it needs `servers/crm.yaml` without these mistakes",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [("servers/hr.yaml", "tools: ["), ("servers/hr.yml", ""), ("servers/hr.yaml", "tools: [x]")],
)
def test_a_server_that_cannot_be_read_makes_no_policy_about_it_wrong(
    repository: Repository, name: str, text: str
) -> None:
    repository.write(name, text).write(
        "policies/all.cedar",
        '@id("all") permit (principal, action == Remit::Action::"hr/fire", resource);\n',
    )
    findings = check_repository(repository.path)
    assert {problem.file for problem in findings.problems} == {name}
    assert "policies were not checked against the catalog" in findings.unchecked[-1]


def test_two_things_with_one_action_hide_no_mistake_of_a_policy(repository: Repository) -> None:
    repository.append(
        "servers/crm.yaml",
        "  prompt/x: {operation: read, scopes: [crm:accounts.read], sensitivity: low}\n",
    )
    repository.append(
        "servers/crm.yaml", "prompts: {x: {scopes: [crm:accounts.read], sensitivity: low}}\n"
    )
    repository.append("policies/all.cedar", "permit (")
    findings = check_repository(repository.path)
    assert {problem.file for problem in findings.problems} == {
        "policies/all.cedar",
        "servers/crm.yaml",
    }
    assert "it needs `servers/crm.yaml`" in findings.unchecked[-1]


def test_a_good_repository_is_checked_to_the_last(repository: Repository) -> None:
    assert check_repository(repository.path) == Findings((), ())


def test_seventeen_mistakes_of_as_many_kinds_are_shown_at_once(repository: Repository) -> None:
    """A duplicate key in `scopes.yaml` once hid every other mistake but those of YAML."""
    repository.edit("remit.yaml", "Europe/Berlin", "Europe/Berln")
    repository.append("remit.yaml", "gaurdrails: {}\n")
    repository.append(
        "scopes.yaml", "crm:accounts.read: {title: Again, description: D, covers: ['crm:x.y']}\n"
    )
    repository.append("scopes.yaml", "mcp:all: {title: T, description: D}\n")
    repository.edit("roles.yaml", "[crm:accounts.read]", "['crm:*', crm:accounts.raed]")
    repository.edit("servers/crm.yaml", "https://crm", "http://crm")
    repository.edit("servers/crm.yaml", "environment: prod", "environment: prd")
    repository.edit("servers/crm.yaml", "owner: crm@acme.example\n", "")
    repository.edit("agents/helper.yaml", "class: assistant", "class: asistant")
    repository.edit("agents/helper.yaml", "[acme]", "&all [acmee]")
    repository.write(
        "policies/broken.cedar", '@id("broken") permit (principal, action resource);\n'
    )
    repository.write(
        "policies/all.cedar",
        "permit (principal, action, resource);\n"
        '@id("a") @refuse("no") forbid (principal, action, resource);\n'
        '@id("b") permit (principal, action == Remit::Action::"crm/got", resource);\n',
    )
    findings = check_repository(repository.path)
    said = [f"{one.file}:{one.line} {one.message}" for one in findings.problems]
    assert said == [
        "agents/helper.yaml:3 `asistant` is not known here; did you mean `assistant`?",
        "agents/helper.yaml:6 the anchor `&all`",
        "agents/helper.yaml:6 unknown tenant `acmee`; did you mean `acme`?",
        "policies/all.cedar:1 the policy has no `@id`",
        "policies/all.cedar:2 unknown annotation `refuse`; did you mean `refusal`?",
        'policies/all.cedar:3 unrecognized action `Remit::Action::"crm/got"`; did you mean `crm/get`?',
        "policies/broken.cedar:1 syntax: unexpected token `resource`",
        "remit.yaml:4 `Europe/Berln` is no time zone",
        "remit.yaml:6 unknown key `gaurdrails`; did you mean `guardrails`?",
        "roles.yaml:2 `crm:*` is a general-purpose scope",
        "roles.yaml:2 unknown scope `crm:accounts.raed`; did you mean `crm:accounts.read`?",
        "scopes.yaml:3 the key `crm:accounts.read` stands here twice",
        "scopes.yaml:3 unknown scope `crm:x.y`",
        "scopes.yaml:4 `mcp:all` is a general-purpose scope",
        "servers/crm.yaml:1 `owner` is missing",
        "servers/crm.yaml:3 unknown environment `prd`; did you mean `prod`?",
        "servers/crm.yaml:4 `http://crm.example/mcp` would send the server's credential in the clear",
    ]
    assert findings.unchecked == ()


def test_what_cannot_be_read_is_named_with_what_needed_it(repository: Repository) -> None:
    repository.write("scopes.yaml", "a: [\n").write("remit.yaml", "a: [\n")
    repository.edit("roles.yaml", "crm:accounts.read", "mcp:all")
    repository.edit("agents/helper.yaml", "crm:accounts.read", "CRM")
    repository.append(
        "agents/helper.yaml", "clients: {dynamic_redirect_uris: ['cursor://anysphere/done']}\n"
    )
    findings = check_repository(repository.path)
    assert [
        f"{one.file} {one.message}" for one in findings.problems if "not YAML" not in one.message
    ] == [
        "agents/helper.yaml `CRM` is no scope name",
        "roles.yaml `mcp:all` is a general-purpose scope",
    ]
    assert findings.unchecked == (
        "`remit.yaml` was checked no further than its first mistake",
        "`scopes.yaml` was checked no further than its first mistake",
        "agents were not held against the limits of `remit.yaml`",
        "scopes were not looked up: scopes.yaml cannot be told",
        "tenants were not looked up: `tenants` of remit.yaml cannot be told",
        "environments were not looked up: `environments` of remit.yaml cannot be told",
    )


@pytest.mark.parametrize("value", ["*x", "!!int 5", "&x assistant"])
def test_what_reading_refused_is_not_judged_a_second_time(
    repository: Repository, value: str
) -> None:
    repository.edit("agents/helper.yaml", "class: assistant", f"class: {value}")
    assert len(repository.problems()) == 1


def test_a_problem_with_a_policy_gets_the_line_it_did_not_bring(repository: Repository) -> None:
    def check(sources: Sequence[PolicySource], _catalog: Declared | None) -> list[Problem]:
        return [
            Problem(file=sources[0].filename, line=1, column=1, message="wrong"),
            Problem(file="elsewhere", line=9, column=1, message="wrong"),
        ]

    first, second = check_repository(repository.path, check=check).problems
    assert (first.excerpt, second.excerpt) == ("", FILES["policies/all.cedar"].rstrip())


def test_a_catalog_of_a_ring_is_never_loaded(repository: Repository) -> None:
    repository.append("scopes.yaml", "s:a.x: {title: T, description: D, covers: ['s:a.x']}\n")
    with pytest.raises(RepositoryInvalidError):
        load_repository(repository.path, check=no_problems)


def test_a_bundle_loads_as_the_folder_does(repository: Repository) -> None:
    repository.append("remit.yaml", "stages: [dev, prod]\n")
    repository.write("stages/prod/servers/crm.yaml", "title: Live\n").write(
        "tests/a.yaml", "about: nothing\n"
    )
    for stage in (None, "prod"):
        folder = load_repository(repository.path, stage=stage)
        bundle = load_contents(folder.contents, stage=stage)
        assert bundle == folder
        assert bundle.bundle_digest == digest_of(bundle.contents)


@pytest.mark.parametrize(
    "path",
    [
        "../remit.yaml", "/etc/passwd", "servers/../roles.yaml", "servers//crm.yaml", "servers/a/b.yaml",
        "stages/prod", "stages/prod/x.yaml", "stages//remit.yaml", "stages/prod/stages/dev/remit.yaml",
        "tests/../x.yaml", "tests/.hidden.yaml", "tests/a.yml", "README.md", "", "servers/.yaml",
        "./remit.yaml",
    ],
)  # fmt: skip
def test_a_bundle_holds_nothing_but_files_that_count(repository: Repository, path: str) -> None:
    contents = {**load_repository(repository.path).contents, path: b"{}"}
    with pytest.raises(RepositoryInvalidError) as refused:
        load_contents(contents)
    assert any("is not read" in one.message for one in refused.value.problems)


def test_a_bundle_that_lacks_a_file_is_refused(repository: Repository) -> None:
    contents = dict(load_repository(repository.path).contents)
    del contents["remit.yaml"]
    with pytest.raises(RepositoryInvalidError, match=r"`remit\.yaml` is missing"):
        load_contents(contents)


def test_a_bundle_of_too_many_files_or_bytes_is_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = load_repository(repository.path).contents
    for limit in ("MAX_FILES", "MAX_TOTAL_BYTES"):
        with monkeypatch.context() as patched:
            patched.setattr(files, limit, 2)
            with pytest.raises(RepositoryInvalidError, match=r"too large|files"):
                load_contents(contents)


def test_lines_may_end_as_windows_ends_them(repository: Repository) -> None:
    for name, text in FILES.items():
        (repository.path / name).write_bytes(text.replace("\n", "\r\n").encode())
    assert check_repository(repository.path) == Findings((), ())
    (repository.path / "roles.yaml").write_bytes(b"roles:\r\n  support:\r\n    scops: []\r\n")
    problem = next(one for one in check_repository(repository.path).problems if one.line == 3)
    assert (problem.column, problem.excerpt) == (5, "    scops: []")


@pytest.mark.parametrize("name", ["roles.yaml", "policies/all.cedar", "stages/prod/roles.yaml"])
def test_a_byte_order_mark_is_refused_in_every_kind_of_file(
    repository: Repository, name: str
) -> None:
    repository.append("remit.yaml", "stages: [prod]\n").write(name, "\ufeff" + FILES.get(name, ""))
    problems = check_repository(repository.path, stage="prod").problems
    assert (name, "the file starts with a byte-order mark") in [
        (one.file, one.message) for one in problems
    ]


def test_a_merge_that_was_not_finished_is_refused(repository: Repository) -> None:
    conflict = "<<<<<<< HEAD\n{}=======\nroles: {{}}\n>>>>>>> other\n".format(FILES["roles.yaml"])
    repository.write("roles.yaml", conflict).write("policies/all.cedar", conflict)
    with pytest.raises(RepositoryInvalidError) as refused:
        load_repository(repository.path)
    assert {one.file for one in refused.value.problems} >= {"roles.yaml", "policies/all.cedar"}
