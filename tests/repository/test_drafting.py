import pytest

from remit.repository import check_repository

from .conftest import FILES, Repository


@pytest.mark.parametrize(
    ("name", "like", "says"),
    [
        ("servers/CRM.yaml", "servers/crm.yaml", "`CRM` is no name"),
        ("servers/my crm.yaml", "servers/crm.yaml", "`my crm` is no name"),
        ("servers/crm.prod.yaml", "servers/crm.yaml", "`crm.prod` is no name"),
        ("agents/a_b.yaml", "agents/helper.yaml", "`a_b` is no name"),
        ("agents/unregistered.yaml", "agents/helper.yaml", "the name `unregistered` is taken"),
        ("policies/All.cedar", "policies/all.cedar", "`All` is no name"),
    ],
)
def test_a_file_is_named_as_names_are(
    repository: Repository, name: str, like: str, says: str
) -> None:
    repository.write(name, FILES[like])
    assert repository.said() == [f"{name}:1 {says}"]


def test_an_empty_file_misses_what_it_must_say(repository: Repository) -> None:
    repository.write("agents/helper.yaml", "")
    assert "agents/helper.yaml:1 `owner` is missing" in repository.said()


def test_a_policy_that_is_no_text_is_refused(repository: Repository) -> None:
    (repository.path / "policies" / "all.cedar").write_bytes(b"permit\n\xff")
    assert repository.said() == ["policies/all.cedar:2 not UTF-8"]


def test_a_policy_that_is_shown_otherwise_than_it_is_read_is_refused(
    repository: Repository,
) -> None:
    """The comment would look as if it ended before the `forbid` that stands in it."""
    path = repository.path / "policies" / "all.cedar"
    path.write_text(path.read_text() + "// \u202e forbid\n", encoding="utf-8")
    (said,) = repository.said()
    assert "U+202E, which turns the writing around" in said


def test_a_file_that_is_no_yaml_does_not_hide_the_mistakes_of_others(
    repository: Repository,
) -> None:
    repository.write("agents/helper.yaml", "name: [").edit("servers/crm.yaml", "owner:", "owned:")
    files = {one.split(":")[0] for one in repository.said()}
    assert files == {"agents/helper.yaml", "servers/crm.yaml"}


READS_TOLD = """
@id("told") forbid (principal, action in Remit::Action::"call", resource)
when { context has told && context.told has ticket };
"""


@pytest.mark.parametrize(
    ("approvals", "said"),
    [
        ("justifications: { ticket: {} }\n", []),
        ("justifications: { ticket: { longest: 0 } }\n", ["approvals.yaml:1"]),
        ("justifications: { tickets: {} }\n", ["policies/told.cedar:3"]),
        ("justifications: { ticket: [ }\n", ["approvals.yaml:1"]),
        ("justifications: ticket\n", ["approvals.yaml:1"]),
    ],
    ids=["declared", "badly-declared", "misspelt", "no-yaml", "no-mapping"],
)
def test_what_is_told_types_policies_if_it_can_be_read(
    repository: Repository, approvals: str, said: list[str]
) -> None:
    repository.write("policies/told.cedar", READS_TOLD).write("approvals.yaml", approvals)
    found = check_repository(repository.path).problems
    assert [f"{one.file}:{one.line}" for one in found] == said
